#include "broker/core/sessions.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kSessionConnections = 4;  // a client has one for flash and one for the rest; older ones are lost
constexpr Lane kLanes[] = {Lane::flash, Lane::normal, Lane::bulk};

std::size_t weight_of(const HeldAnswer& answer) {
  return answer.refusal ? kRefusalWeight : 1;
}

StoredAnswer stored(const HeldAnswer& held) {
  StoredAnswer answer;
  answer.hash = held.hash;
  answer.accepted = held.refusal == nullptr;
  if (!answer.accepted) {
    answer.refusal = *held.refusal;
    return answer;
  }
  answer.feed = *held.feed;
  answer.feed_sequence = held.feed_sequence;
  answer.ordinal = held.ordinal;
  answer.offset = held.offset;
  return answer;
}

}  // namespace

bool SessionLane::full() const {
  return weight >= kMaxAnswersHeld;
}

Sessions::Sessions(const std::vector<SessionRow>& rows, const std::vector<AnswerRun>& answers) {
  for (const SessionRow& row : rows) {
    Session& session = sessions_[row.key];
    session.used_at = std::max(session.used_at, row.used_at);
    SessionLane& lane = session.lane(row.lane);
    lane.high_water = lane.committed = row.high_water;
    lane.answered_through = row.answered_through;
  }
  std::vector<const AnswerRun*> ordered;
  for (const AnswerRun& run : answers) ordered.push_back(&run);
  std::stable_sort(ordered.begin(), ordered.end(), [](const AnswerRun* a, const AnswerRun* b) { return a->first < b->first; });
  for (const AnswerRun* run : ordered) load_answers(*run);
  for (auto& [key, session] : sessions_)
    for (SessionLane& lane : session.lanes)
      if (lane.answered_through.value + lane.held.size() != lane.high_water.value) {
        // Answers are missing from the journal: what was answered stays consumed, and a repeat is told that it is forgotten.
        lane.held.clear();
        lane.weight = 0;
        lane.answered_through = lane.high_water;
      }
}

void Sessions::load_answers(const AnswerRun& run) {
  const auto found = sessions_.find(run.key);
  if (found == sessions_.end()) return;
  SessionLane& lane = found->second.lane(run.lane);
  for (std::size_t i = 0; i < run.answers.size(); ++i) {
    const Sequence sequence{run.first.value + i};
    const Sequence next{lane.answered_through.value + lane.held.size() + 1};
    if (sequence != next || sequence > lane.high_water) continue;
    const StoredAnswer& from = run.answers[i];
    HeldAnswer held;
    held.hash = from.hash;
    if (from.accepted) {
      held.feed = &*feeds_.insert(from.feed).first;
      held.feed_sequence = from.feed_sequence;
      held.ordinal = from.ordinal;
      held.offset = from.offset;
    } else {
      held.refusal = std::make_unique<const Refusal>(from.refusal);
    }
    lane.weight += weight_of(held);
    lane.held.push_back(std::move(held));
  }
}

Session* Sessions::use(const SessionKey& key) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return nullptr;
  touched_.insert(key);
  return &found->second;
}

Session& Sessions::open(const SessionKey& key, TimeMs now) {
  Session& session = sessions_[key];
  session.used_at = now;
  for (SessionLane& lane : session.lanes) lane.dirty = true;  // known after a restart, though nothing was published yet
  touched_.insert(key);
  return session;
}

bool Sessions::close(const SessionKey& key) {
  if (sessions_.erase(key) == 0) return false;
  touched_.erase(key);
  closed_.push_back(key);
  return true;
}

std::vector<std::pair<SessionId, TimeMs>> Sessions::of(const AgentId& agent) const {
  std::vector<std::pair<SessionId, TimeMs>> found;
  for (auto it = sessions_.lower_bound(SessionKey{agent, SessionId{}}); it != sessions_.end() && it->first.agent == agent; ++it)
    found.emplace_back(it->first.session, it->second.used_at);
  return found;
}

std::optional<SessionId> Sessions::oldest_answered(const AgentId& agent) const {
  std::optional<SessionId> oldest;
  TimeMs used_at = 0;
  for (auto it = sessions_.lower_bound(SessionKey{agent, SessionId{}}); it != sessions_.end() && it->first.agent == agent; ++it) {
    const Session& session = it->second;
    if (std::any_of(session.lanes.begin(), session.lanes.end(), [](const SessionLane& lane) { return !lane.held.empty(); }))
      continue;
    if (oldest && session.used_at >= used_at) continue;
    oldest = it->first.session;
    used_at = session.used_at;
  }
  return oldest;
}

void Session::keep_for(bool volatile_outbox, const Connection& connection) {
  is_volatile = volatile_outbox;
  if (!is_volatile) return connections.clear();
  if (std::find(connections.begin(), connections.end(), connection) != connections.end()) return;
  if (connections.size() >= kSessionConnections) connections.erase(connections.begin());
  connections.push_back(connection);
}

void Sessions::heard(const AgentId& agent, const Connection& connection, TimeMs now) {
  for (auto it = sessions_.lower_bound(SessionKey{agent, SessionId{}}); it != sessions_.end() && it->first.agent == agent; ++it) {
    const auto& on = it->second.connections;
    if (std::find(on.begin(), on.end(), connection) != on.end()) it->second.used_at = now;
  }
}

std::optional<SessionId> Sessions::oldest_silent(const AgentId& agent, TimeMs now, std::int64_t silence_ms) {
  std::optional<SessionId> oldest;
  TimeMs used_at = now - silence_ms;
  for (auto it = sessions_.lower_bound(SessionKey{agent, SessionId{}}); it != sessions_.end() && it->first.agent == agent; ++it) {
    Session& session = it->second;
    session.used_at = std::min(session.used_at, now);  // the wall clock may have been set back
    if (!session.is_volatile || session.used_at >= used_at) continue;
    oldest = it->first.session;
    used_at = session.used_at;
  }
  return oldest;
}

void Sessions::answered(SessionLane& lane, Sequence through) {
  const Sequence until = std::min(through, lane.committed);
  while (lane.answered_through < until) {
    if (!lane.held.empty()) {
      lane.weight -= weight_of(lane.held.front());
      lane.held.pop_front();
    }
    lane.answered_through = Sequence{lane.answered_through.value + 1};
    lane.dirty = true;
  }
}

void Sessions::accepted(Session& session, Lane lane, TimeMs now, const BodyHash& hash, Sequencer::Ticket ticket,
                        const Sequencer& sequencer) {
  const Sequencer::Position& position = sequencer.position(ticket);
  HeldAnswer held;
  held.hash = hash;
  held.feed = position.feed;
  held.feed_sequence = position.sequence;
  held.ordinal = position.ordinal;
  held.ticket = ticket;
  SessionLane& state = session.lane(lane);
  state.held.push_back(std::move(held));
  state.weight += 1;
  state.high_water = Sequence{state.high_water.value + 1};
  state.dirty = true;
  session.used_at = now;
}

void Sessions::refused(Session& session, Lane lane, TimeMs now, const BodyHash& hash, Refusal refusal) {
  HeldAnswer held;
  held.hash = hash;
  held.refusal = std::make_unique<const Refusal>(std::move(refusal));
  SessionLane& state = session.lane(lane);
  state.held.push_back(std::move(held));
  state.weight += kRefusalWeight;
  state.high_water = Sequence{state.high_water.value + 1};
  state.dirty = true;
  session.used_at = now;
}

void Sessions::close_turn(JournalBatch& batch, const Sequencer& sequencer) {
  batch.closed = std::move(closed_);
  closed_.clear();
  for (const SessionKey& key : touched_) {
    Session& session = sessions_.at(key);
    for (const Lane lane : kLanes)
      if (session.lane(lane).dirty) write_lane(batch, key, session, lane, session.lane(lane), sequencer);
  }
  touched_.clear();
}

void Sessions::write_lane(JournalBatch& batch, const SessionKey& key, const Session& session, Lane lane, SessionLane& state,
                          const Sequencer& sequencer) {
  AnswerRun run{key, lane, Sequence{state.committed.value + 1}, {}};
  run.answers.reserve(static_cast<std::size_t>(state.high_water.value - state.committed.value));
  for (auto at = state.committed.value - state.answered_through.value; at < state.held.size(); ++at) {
    HeldAnswer& held = state.held[static_cast<std::size_t>(at)];
    if (!held.refusal) held.offset = sequencer.position(held.ticket).offset;
    run.answers.push_back(stored(held));
  }
  if (!run.answers.empty()) batch.answers.push_back(std::move(run));
  batch.sessions.push_back(SessionRow{key, lane, state.high_water, state.answered_through, session.used_at});
  state.committed = state.high_water;
  state.dirty = false;
}

}  // namespace lianxi::core
