#include "agents/sdk/publisher.h"

#include <algorithm>
#include <utility>

#include "schemas/codec/event_codec.h"

namespace lianxi::sdk {
namespace {

constexpr Lane kLanes[] = {Lane::flash, Lane::normal, Lane::bulk};
constexpr std::int64_t kGapDelayMs = 100;
// A node drops an answer that its socket cannot take, and gives it again when it is asked again.
constexpr std::int64_t kAnswerTimeoutMs = 5'000;
// A node under load says busy for moments; what lasts is worth a person's time.
constexpr std::int64_t kTellHeldBackMs = 1'000;
// What one event adds to a publish beside its bytes: table, offsets, alignment.
constexpr std::size_t kEventOverheadBytes = 48;
constexpr std::size_t kPublishOverheadBytes = 1024;

bool has(LaneMask mask, Lane lane) {
  return (mask & mask_of(lane)) != 0;
}

}  // namespace

Publisher::Publisher(Outbox& outbox, std::size_t max_in_flight, Sinks sinks)
    : outbox_(outbox), max_in_flight_(std::max<std::size_t>(1, max_in_flight)), sinks_(std::move(sinks)) {}

Hello Publisher::hello(const std::string& software, LaneMask lanes) const {
  Hello hello;
  hello.session = outbox_.session();
  for (Lane lane : kLanes)
    if (has(lanes, lane)) hello.lanes.push_back({lane, outbox_.last(lane), outbox_.durably_answered(lane)});
  hello.close_sessions = abandoned_;
  hello.software = software;
  return hello;
}

Publisher::Next Publisher::welcomed(const Welcome& welcome, LaneMask lanes) {
  if (welcome.session != outbox_.session()) return Next::go_on;  // the answer to a Hello of a session since given up
  region_ = welcome.region;
  for (Lane lane : kLanes) {
    if (!has(lanes, lane)) continue;
    LaneState node{lane, Sequence{}, Sequence{}};
    for (const LaneState& state : welcome.lanes) {
      if (state.lane == lane) node = state;
    }
    const std::string name(to_word(lane));
    if (node.high_water < outbox_.answered_through(lane)) {
      return new_session("node " + to_text(region_) + " is behind: it answered " + name + " " +
                         std::to_string(outbox_.answered_through(lane).value) + " and now knows " +
                         std::to_string(node.high_water.value) + " (restored, or the session was closed)");
    }
    if (node.high_water > outbox_.last(lane) || node.answered_through > outbox_.answered_through(lane)) {
      return new_session("this outbox is behind: node " + to_text(region_) + " knows " + name + " " +
                         std::to_string(node.high_water.value) + ", the outbox " + std::to_string(outbox_.last(lane).value) +
                         " (an outbox restored from a copy)");
    }
    if (of(lane).ready) continue;
    of(lane).sent.clear();
    of(lane).ready = true;
    of(lane).held_until = 0;
  }
  return Next::go_on;
}

void Publisher::lost(LaneMask lanes) {
  for (Lane lane : kLanes) {
    if (!has(lanes, lane)) continue;
    of(lane).ready = false;
    of(lane).held_back.reset();
    send_again_from(lane, Sequence(outbox_.answered_through(lane).value + 1), 0);
  }
}

std::optional<Publish> Publisher::next(Lane lane, std::int64_t now_ms) {
  Window& window = of(lane);
  if (!window.ready || now_ms < window.held_until) return std::nullopt;
  window.held_until = 0;
  if (!window.sent.empty() && now_ms - window.progress_ms > kAnswerTimeoutMs) send_again_from(lane, Sequence{}, 0);
  if (window.sent.size() >= max_in_flight_) return std::nullopt;
  const Sequence first(outbox_.answered_through(lane).value + 1 + window.sent.size());
  if (outbox_.last(lane) < first) return std::nullopt;
  const std::size_t room = std::min({max_in_flight_ - window.sent.size(), window.batch_limit, kMaxPublishEvents});
  auto items = outbox_.load(lane, first, room, kMaxPublishBytes - kPublishOverheadBytes - room * kEventOverheadBytes);
  if (!items) {
    sinks_.report(items.error().reason);
    window.held_until = now_ms + kRetryAfterMs;
    return std::nullopt;
  }
  if (items->empty() || items->front().sequence != first) return std::nullopt;
  Publish publish;
  publish.session = outbox_.session();
  publish.lane = lane;
  publish.first_sequence = first;
  publish.answered_through = outbox_.durably_answered(lane);
  window.progress_ms = now_ms;
  for (OutboxItem& item : *items) {
    window.sent.push_back({item.ticket, body_hash(item.event), false});
    publish.events.push_back(std::move(item.event));
  }
  return publish;
}

std::optional<std::int64_t> Publisher::due(Lane lane) const {
  const Window& window = windows_.at(static_cast<std::size_t>(lane));
  if (!window.ready) return std::nullopt;
  if (window.held_until > 0) return window.held_until;
  if (!window.sent.empty()) return window.progress_ms + kAnswerTimeoutMs + 1;
  return std::nullopt;
}

Publisher::Next Publisher::answered(const Answers& answers, std::int64_t now_ms) {
  const Next next = take(answers, now_ms);
  tell();
  return next;
}

Publisher::Next Publisher::refused(const Refused& refused, std::int64_t now_ms) {
  const Next next = take(refused, now_ms);
  tell();
  return next;
}

void Publisher::tell() {
  for (const auto& [ticket, outcome] : std::exchange(settled_, {})) sinks_.answered(ticket, outcome);
}

Publisher::Next Publisher::take(const Answers& answers, std::int64_t now_ms) {
  if (answers.session != outbox_.session()) return Next::go_on;
  for (const ReceiptRange& range : answers.receipts) {
    if (!receive(range)) {
      return new_session("the node answered for another body under the same sequence (an outbox restored from a copy)");
    }
  }
  for (const SequenceRefusal& item : answers.refusals) {
    if (refusal(item, now_ms) == Next::hello) return Next::hello;
  }
  for (Lane lane : kLanes) advance(lane, now_ms);
  return Next::go_on;
}

Publisher::Next Publisher::take(const Refused& refused, std::int64_t now_ms) {
  if (refused.session != outbox_.session()) return Next::go_on;
  if (refused.refusal.code == RefusalCode::session_unknown) return Next::hello;
  if (refused.sequence == 0) return Next::go_on;
  const Sequence sequence(refused.sequence);
  if (refused.refusal.retry_after_ms > 0 || refused.refusal.code == RefusalCode::sequence_gap) {
    return refusal({refused.lane, sequence, refused.refusal, {}}, now_ms);
  }
  // The node could not take the message as a whole, so no sequence of it is consumed. One event at a time shows which one it
  // is; that one gets the refusal, and the others go on in a session without its number.
  Window& window = of(refused.lane);
  InFlight* item = find(refused.lane, sequence);
  if (item == nullptr) return Next::go_on;
  if (window.batch_limit > 1) {
    window.batch_limit = 1;
    send_again_from(refused.lane, sequence, now_ms + kGapDelayMs);
    return Next::go_on;
  }
  window.batch_limit = kMaxPublishEvents;
  settle(*item, tl::unexpected(refused.refusal));
  return new_session("the node cannot read event " + std::to_string(sequence.value) + ": " + refused.refusal.reason);
}

Publisher::InFlight* Publisher::find(Lane lane, Sequence sequence) {
  const std::uint64_t base = outbox_.answered_through(lane).value + 1;
  Window& window = of(lane);
  if (sequence.value < base || sequence.value - base >= window.sent.size()) return nullptr;
  return &window.sent[sequence.value - base];
}

void Publisher::settle(InFlight& item, const Outcome& outcome) {
  if (item.answered) return;
  item.answered = true;
  outbox_.settle(item.ticket, outcome);
  settled_.emplace_back(item.ticket, outcome);
}

void Publisher::advance(Lane lane, std::int64_t now_ms) {
  Window& window = of(lane);
  std::uint64_t through = outbox_.answered_through(lane).value;
  const std::uint64_t before = through;
  while (!window.sent.empty() && window.sent.front().answered) {
    window.sent.pop_front();
    ++through;
  }
  if (through == before) return;
  window.progress_ms = now_ms;
  outbox_.answered(lane, Sequence(through));
  take_again(lane);
}

std::optional<Refusal> Publisher::held_back() const {
  for (const Window& window : windows_) {
    if (window.held_back) return window.held_back;
  }
  return std::nullopt;
}

void Publisher::hold_back(Lane lane, const Refusal& refusal, std::int64_t now_ms) {
  Window& window = of(lane);
  if (!window.held_back) window.held_back_ms = now_ms;
  window.held_back = refusal;
  if (window.held_back_told || now_ms - window.held_back_ms < kTellHeldBackMs) return;
  window.held_back_told = true;
  sinks_.report("the node takes nothing of lane " + std::string(to_word(lane)) +
                " and is asked again: " + std::string(to_word(refusal.code)) + ": " + refusal.reason);
}

void Publisher::take_again(Lane lane) {
  Window& window = of(lane);
  window.held_back.reset();
  if (!std::exchange(window.held_back_told, false)) return;
  sinks_.report("the node takes events of lane " + std::string(to_word(lane)) + " again");
}

void Publisher::send_again_from(Lane lane, Sequence sequence, std::int64_t at_ms) {
  Window& window = of(lane);
  advance(lane, window.progress_ms);
  const std::uint64_t base = outbox_.answered_through(lane).value + 1;
  const std::size_t keep = sequence.value < base ? 0 : sequence.value - base;
  while (window.sent.size() > keep) window.sent.pop_back();
  window.held_until = at_ms;
}

bool Publisher::receive(const ReceiptRange& range) {
  const bool hashed = range.body_hashes.size() == range.count;
  for (std::uint32_t i = 0; i < range.count; ++i) {
    InFlight* item = find(range.lane, Sequence(range.first_sequence.value + i));
    if (item == nullptr) continue;  // answered before, or to be sent again
    if (!hashed || range.body_hashes[i] != item->hash) return false;
    Receipt receipt;
    receipt.feed = {region_, range.epoch, range.lane, range.audience};
    receipt.sequence = Sequence(range.first_feed_sequence.value + i);
    receipt.ordinal = Ordinal(range.first_ordinal.value + i);
    receipt.offset = Offset(range.first_offset.value + i);
    settle(*item, receipt);
  }
  return true;
}

Publisher::Next Publisher::refusal(const SequenceRefusal& refusal, std::int64_t now_ms) {
  switch (refusal.refusal.code) {
    case RefusalCode::session_unknown:
      return Next::hello;
    case RefusalCode::sequence_reused:
      if (find(refusal.lane, refusal.sequence) == nullptr) return Next::go_on;  // sent twice, and answered meanwhile
      return new_session("the node knows another body under " + std::string(to_word(refusal.lane)) + " " +
                         std::to_string(refusal.sequence.value) + " (an outbox restored from a copy)");
    case RefusalCode::sequence_gap:
      // Ordinary after a retry_after: what was behind it arrived out of turn. Everything unanswered goes again.
      if (of(refusal.lane).held_until <= now_ms) send_again_from(refusal.lane, Sequence{}, now_ms + kGapDelayMs);
      return Next::go_on;
    default:
      break;
  }
  InFlight* item = find(refusal.lane, refusal.sequence);
  if (item == nullptr) return Next::go_on;
  if (refusal.refusal.retry_after_ms > 0) {
    send_again_from(refusal.lane, refusal.sequence, now_ms + refusal.refusal.retry_after_ms);
    hold_back(refusal.lane, refusal.refusal, now_ms);
  } else {
    settle(*item, tl::unexpected(refusal.refusal));
  }
  return Next::go_on;
}

Publisher::Next Publisher::new_session(const std::string& why) {
  std::vector<Ticket> dropped;
  for (Window& window : windows_) {
    for (const InFlight& item : window.sent) {
      if (item.answered) dropped.push_back(item.ticket);
    }
  }
  const SessionId old = outbox_.session();
  const SessionId fresh = sinks_.fresh_session();
  if (auto reopened = outbox_.reopen(fresh, dropped); !reopened) {
    sinks_.report(reopened.error().reason);
    for (Window& window : windows_) window.ready = false;
    return Next::hello;  // the same comparison comes again, with the next welcome
  }
  abandoned_.assign(1, old);
  for (Window& window : windows_) {
    window.sent.clear();
    window.ready = false;
    window.held_until = 0;
    window.held_back.reset();
  }
  sinks_.report("new session " + std::to_string(fresh.value) + "; what has no answer is sent again: " + why);
  return Next::hello;
}

}  // namespace lianxi::sdk
