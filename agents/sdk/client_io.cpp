#include <poll.h>
#include <algorithm>
#include <limits>

#include "agents/sdk/client_impl.h"

namespace lianxi::sdk {
namespace {

constexpr std::int64_t kFlushAfterMs = 200;
constexpr std::uint64_t kFlushAfterAnswers = 1024;
constexpr std::int64_t kHelloAgainMs = 2'000;  // after a refusal that has no time of its own
constexpr Lane kLanes[] = {Lane::flash, Lane::normal, Lane::bulk};

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Refusal closed() {
  return {RefusalCode::busy, "",
          "the client was closed before the node answered; a durable outbox still holds the event and sends it when next opened",
          kRetryAfterMs};
}

}  // namespace

void ClientImpl::run() {
  while (!stopping_) {
    now_ms_ = steady_ms();
    turn();
    wait();
  }
  end();
}

void ClientImpl::run_tasks() {
  std::vector<std::function<void()>> tasks;
  {
    const std::scoped_lock lock(tasks_mutex_);
    tasks.swap(tasks_);
  }
  for (const auto& task : tasks) task();
}

void ClientImpl::turn() {
  posted_.exchange(false);  // what comes from here on is for the next turn
  run_tasks();
  if (wants_publishing_) begin_publishing();
  for (Publishing& connection : publishing_) {
    connection.channel->step(now_ms_);
    if (connection.hello_at_ms > 0 && connection.hello_at_ms <= now_ms_) say_hello(connection);
  }
  pump();
  for (auto it = followers_.begin(); it != followers_.end();) {
    it->second->step(now_ms_);
    it = it->second->over() ? followers_.erase(it) : std::next(it);
  }
  flush_outbox();
  note_trouble();
}

void ClientImpl::wait() {
  if (stopping_) return;
  polled_.assign(1, {wake_.fd(), POLLIN, 0});
  std::int64_t due = std::numeric_limits<std::int64_t>::max();
  auto watch = [&](Channel& channel) {
    channel.look_again();
    due = std::min(due, channel.due());
    const auto [socket, monitor] = channel.descriptors();  // poll leaves out what is -1
    polled_.push_back({socket, POLLIN, 0});
    polled_.push_back({monitor, POLLIN, 0});
  };
  for (const Publishing& connection : publishing_) {
    watch(*connection.channel);
    if (connection.hello_at_ms > 0) due = std::min(due, connection.hello_at_ms);
  }
  for (const auto& [id, follower] : followers_) {
    watch(follower->channel());
    if (const auto at = follower->tell_at()) due = std::min(due, *at);
  }
  for (Lane lane : kLanes) {
    if (const auto at = publisher_.due(lane)) due = std::min(due, *at);
    if (outbox_->durably_answered(lane) != outbox_->answered_through(lane)) due = std::min(due, flushed_ms_ + kFlushAfterMs);
  }
  const std::int64_t most = 60'000;
  const std::int64_t left =
      std::clamp<std::int64_t>(due == std::numeric_limits<std::int64_t>::max() ? most : due - steady_ms(), 0, most);
  sleeping_ = true;  // before it looks whether something was handed over: whoever hands over looks in the other order
  const int ready = ::poll(polled_.data(), polled_.size(), posted_ ? 0 : static_cast<int>(left));
  sleeping_ = false;
  if (ready > 0) note_ready();
}

void ClientImpl::note_ready() {
  if (polled_[0].revents != 0) wake_.drain();
  std::size_t at = 1;
  auto note = [&](Channel& channel) {
    channel.note(polled_[at].revents != 0, polled_[at + 1].revents != 0);
    at += 2;
  };
  for (const Publishing& connection : publishing_) note(*connection.channel);
  for (const auto& [id, follower] : followers_) note(follower->channel());
}

void ClientImpl::begin_publishing() {
  if (!publishing_.empty()) return;
  const LaneMask rest = static_cast<LaneMask>(mask_of(Lane::normal) | mask_of(Lane::bulk));
  publishing_.resize(2);
  auto set_up = [this](Publishing& connection, LaneMask lanes, const std::string& endpoint) {
    connection.lanes = lanes;
    connection.channel = std::make_unique<Channel>(
        *context_, profile_, ChannelOptions{endpoint, true},
        ChannelEvents{.up = [this, &connection] { say_hello(connection); },
                      .lost =
                          [this, &connection] {
                            connection.welcomed = false;
                            connection.hello_at_ms = 0;
                            publisher_.lost(connection.lanes);
                          },
                      .message = [this, &connection](const Message& message) { on_publish_message(connection, message); },
                      // A publisher's heartbeat has no answer; Hello does.
                      .beat = [this, &connection] { say_hello(connection); }});
    connection.channel->step(now_ms_);
  };
  set_up(publishing_[0], mask_of(Lane::flash), profile_.flash);
  set_up(publishing_[1], rest, profile_.data);
}

void ClientImpl::pump() {
  for (Publishing& connection : publishing_) {
    for (Lane lane : kLanes) {
      if ((connection.lanes & mask_of(lane)) == 0) continue;
      while (auto publish = publisher_.next(lane, now_ms_)) {
        if (connection.channel->send(encode(*publish), now_ms_)) continue;
        if (connection.channel->up()) connection.channel->reset(now_ms_, "the connection takes no more messages");
        break;
      }
    }
  }
}

void ClientImpl::say_hello(Publishing& connection) {
  connection.hello_at_ms = 0;
  (void)connection.channel->send(publisher_.hello(options_.software, connection.lanes), now_ms_);
}

void ClientImpl::hello_everywhere() {
  for (Publishing& connection : publishing_) {
    connection.welcomed = false;
    publisher_.lost(connection.lanes);
    if (connection.channel->up()) say_hello(connection);
  }
}

void ClientImpl::on_publish_message(Publishing& connection, const Message& message) {
  Publisher::Next next = Publisher::Next::go_on;
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    if (welcome->agent != profile_.agent) {
      return on_hello_refused(connection, {RefusalCode::config, "agent.id",
                                           "the key belongs to " + welcome->agent.text() + ", the profile says " +
                                               profile_.agent.text() + "; mend agent.id, or use that agent's key",
                                           0});
    }
    next = publisher_.welcomed(*welcome, connection.lanes);
    if (next == Publisher::Next::go_on && welcome->session == outbox_->session()) {
      connection.welcomed = true;
      hello_refused_.reset();
      const std::scoped_lock lock(state_mutex_);
      welcome_ = *welcome;
    }
  } else if (const auto* answers = std::get_if<Answers>(&message)) {
    next = publisher_.answered(*answers, now_ms_);
  } else if (const auto* replicated = std::get_if<Replicated>(&message)) {
    publisher_.replicated(*replicated, now_ms_);
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    if (refused->sequence == 0 && refused->session == outbox_->session() && !connection.welcomed) {
      return on_hello_refused(connection, refused->refusal);
    }
    next = publisher_.refused(*refused, now_ms_);
  }
  if (next == Publisher::Next::hello) hello_everywhere();
}

void ClientImpl::on_hello_refused(Publishing& connection, const Refusal& refusal) {
  connection.hello_at_ms = now_ms_ + (refusal.retry_after_ms > 0 ? refusal.retry_after_ms : kHelloAgainMs);
  if (hello_refused_ != refusal && options_.report) options_.report("the node does not welcome this client: " + refusal.reason);
  hello_refused_ = refusal;
}

// Lets the node forget answers, in batches: each flush is an fsync.
void ClientImpl::flush_outbox() {
  std::uint64_t most = 0;
  for (Lane lane : kLanes) {
    most = std::max(most, outbox_->answered_through(lane).value - outbox_->durably_answered(lane).value);
  }
  if (most == 0) {
    flushed_ms_ = now_ms_;  // the pause counts from the first answer
  } else if (most >= kFlushAfterAnswers || now_ms_ - flushed_ms_ >= kFlushAfterMs) {
    outbox_->flush();
    flushed_ms_ = now_ms_;
  }
}

void ClientImpl::answer(Lane lane, std::span<const Ticket> tickets, const Outcome& first) {
  std::size_t nobodys = 0;
  found_.clear();
  waiters_.take(lane, tickets, found_, nobodys);
  Outcome outcome = first;
  for (Waiters::Found& each : found_) {
    if (outcome) {  // receipts of a run are dense
      outcome->sequence.value = first->sequence.value + each.index;
      outcome->ordinal.value = first->ordinal.value + each.index;
      outcome->offset.value = first->offset.value + each.index;
    }
    tell(each.waiter, outcome);
  }
  if (acks_.any()) tell_of_no_peers(tickets, first);
  if (nobodys > 0 && !first && options_.report) {
    options_.report("an event of an earlier run was refused: " + std::string(to_word(first.error().code)) + " " +
                    first.error().field + ": " + first.error().reason);
  }
}

// What is refused is with no peer; and who asked for none hears so with the receipt.
void ClientImpl::tell_of_no_peers(std::span<const Ticket> tickets, const Outcome& outcome) {
  if (!outcome) return acks_.tell(tickets, outcome.error());
  for (const Ticket ticket : tickets) {
    if (acks_.level_of(ticket).peers == 0) acks_.tell(ticket, Replication{});
  }
}

void ClientImpl::note_trouble() {
  std::optional<Refusal> trouble = hello_refused_;
  bool connected = !publishing_.empty();
  auto look = [&](const Channel& channel) {
    if (!trouble) trouble = channel.refusal();
  };
  for (const Publishing& connection : publishing_) {
    connected = connected && connection.welcomed;
    look(*connection.channel);
  }
  for (const auto& [id, follower] : followers_) look(follower->channel());
  std::optional<Refusal> held_back = publisher_.held_back();
  // This thread alone writes them, so it may read them without the lock.
  if (trouble == trouble_ && held_back == held_back_ && connected == connected_) return;
  const std::scoped_lock lock(state_mutex_);
  trouble_ = std::move(trouble);
  held_back_ = std::move(held_back);
  if (connected != connected_) {
    connected_ = connected;
    state_changed_.notify_all();
  }
}

void ClientImpl::end() {
  run_tasks();
  for (auto& [id, follower] : followers_) {
    follower->stop(now_ms_);
    follower->closed(closed());
  }
  acks_.end(closed());
  // What these callbacks publish hears the same; what is published in answer to that, nothing.
  for (int pass = 0; pass < 2; ++pass) {
    run_tasks();
    for (Waiter& waiter : waiters_.drain()) tell(waiter, tl::unexpected(closed()));
  }
  outbox_->flush();
  for (Publishing& connection : publishing_) {
    if (!connection.welcomed) continue;
    say_hello(connection);  // so that the node can forget the answers
    connection.channel->linger();
  }
  publishing_.clear();
  followers_.clear();
}

}  // namespace lianxi::sdk
