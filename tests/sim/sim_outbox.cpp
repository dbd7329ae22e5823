// What becomes of a simulated agent whose outbox is lost or comes from a copy.
#include <algorithm>

#include "tests/sim/sim_agent.h"

namespace lianxi::sim {

// What was written and has no answer is gone, but for what `kept` holds: it is written anew.
void SimAgent::forget_written(const std::array<Box, kLaneCount>* kept) {
  for (std::size_t lane = 0; lane < kLaneCount; ++lane) {
    const std::size_t from = kept == nullptr ? 0 : std::min((*kept)[lane].entries.size(), boxes_[lane].entries.size());
    const auto begin = boxes_[lane].entries.begin() + static_cast<std::ptrdiff_t>(from);
    const auto lost = std::count_if(begin, boxes_[lane].entries.end(), [](const Entry& entry) { return !entry.answered; });
    written_ -= std::min(written_, static_cast<std::size_t>(lost));
  }
}

void SimAgent::restart() {
  for (std::size_t socket = 0; socket < kSockets; ++socket) {
    sockets_[socket].known = false;
    network_.reset(sockets_[socket].dialer);
    hello(socket);
  }
}

void SimAgent::lose_outbox() {
  world_.note(settings_.agent.id.text() + " loses its outbox");
  world_.fired(Fault::outbox_lost);
  const bool was_done = written_ >= settings_.events;
  forget_written(nullptr);
  session_ = SessionId(random_.next() | 1U);
  left_.clear();
  boxes_ = {};
  copy_.reset();
  doubtful_ = false;
  for (Socket& socket : sockets_) socket.compared = true;
  restart();
  if (was_done) write_some();
}

void SimAgent::restore_outbox() {
  if (!copy_) return;
  world_.note(settings_.agent.id.text() + " has its outbox from a copy");
  world_.fired(Fault::outbox_restored);
  const bool was_done = written_ >= settings_.events;
  forget_written(copy_->session == session_ ? &copy_->boxes : nullptr);
  // It was closed, and what its node knew of it is gone: if the copy holds no answer, nobody can tell.
  // So it is where both have forgotten.
  if (copy_->session != session_ || copy_->node_forgot) book_.begins_anew(settings_.agent.id, copy_->session);
  session_ = copy_->session;
  boxes_ = copy_->boxes;
  left_.clear();
  for (const Box& box : boxes_) {
    for (const Entry& entry : box.entries) {
      if (!entry.answered) book_.may_stand_twice(entry.hash);
    }
  }
  doubtful_ = true;
  for (Socket& socket : sockets_) socket.compared = false;
  restart();
  if (was_done) write_some();
}

// What is on its way, or was said again, the node may take once more, and its peers may bring back the first.
void SimAgent::node_rolled_back() {
  for (Box& box : boxes_) {
    for (const Entry& entry : box.entries) {
      if (entry.said) book_.may_stand_twice(entry.hash);
    }
  }
  if (copy_) copy_->node_forgot = true;
  // Restored itself, and not yet compared with what the node knew: both have forgotten.
  const auto not_compared = [](const Socket& socket) { return !socket.compared; };
  if (std::any_of(sockets_.begin(), sockets_.end(), not_compared)) book_.begins_anew(settings_.agent.id, session_);
  doubtful_ = true;
  for (Socket& socket : sockets_) socket.known = false;
  if (random_.chance(50)) restart();
}

bool SimAgent::is_behind(std::size_t socket, const Welcome& welcome) const {
  for (const LaneState& state : welcome.lanes) {
    if (socket_of(state.lane) != socket) continue;
    const Box& b = boxes_[static_cast<std::size_t>(state.lane)];
    if (state.high_water.value < b.through || state.high_water.value > b.entries.size() ||
        state.answered_through.value > b.through)
      return true;
  }
  return false;
}

void SimAgent::leave_session() {
  world_.note(settings_.agent.id.text() + " finds its outbox behind, and opens another session");
  left_.assign(1, session_);
  session_ = SessionId(random_.next() | 1U);
  for (Box& box : boxes_) {
    std::erase_if(box.entries, [](const Entry& entry) { return entry.answered; });
    // Written since, and perhaps taken under the session that is left: no answer tells.
    for (const Entry& entry : box.entries) book_.may_stand_twice(entry.hash);
    box.sent = box.through = box.told = 0;
  }
  doubtful_ = false;
  for (Socket& socket : sockets_) {
    socket.known = false;
    socket.compared = true;
  }
  for (std::size_t socket = 0; socket < kSockets; ++socket) hello(socket);
}

}  // namespace lianxi::sim
