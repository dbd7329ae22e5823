#include "agents/sdk/publisher.h"

#include <algorithm>
#include <utility>

#include "schemas/codec/event_codec.h"

namespace lianxi::sdk {
namespace {

constexpr Lane kLanes[] = {Lane::flash, Lane::normal, Lane::bulk};
constexpr std::int64_t kGapDelayMs = 100;
// A node under load says busy for moments; what lasts is worth a person's time.
constexpr std::int64_t kTellHeldBackMs = 1'000;
// So many messages of a lane may be on their way while each holds little; what comes meanwhile gathers for the next, as it
// would in the node until its disk write ends. Alerts never gather.
constexpr std::size_t kMessagesInFlight = 6;
constexpr std::size_t kGatherShare = 4;  // of the window: enough to go at once
static_assert(kMaxPublishEvents * kPublishBytesPerEvent + kPublishBytesAround + kMaxBodyBytes < kMaxPublishBytes);

bool has(LaneMask mask, Lane lane) {
  return (mask & mask_of(lane)) != 0;
}

}  // namespace

Publisher::Publisher(Outbox& outbox, Bounds bounds, Sinks sinks, PeerAcks* acks)
    : outbox_(outbox), bounds_(bounds), sinks_(std::move(sinks)), acks_(acks) {
  bounds_.events = std::max<std::size_t>(1, bounds_.events);
  for (Lane lane : kLanes) of(lane).answered_through = outbox_.answered_through(lane).value;
}

Hello Publisher::hello(const std::string& software, LaneMask lanes) const {
  Hello hello;
  hello.session = outbox_.session();
  for (Lane lane : kLanes)
    if (has(lanes, lane)) hello.lanes.push_back({lane, outbox_.last(lane), outbox_.durably_answered(lane)});
  hello.close_sessions = abandoned_;
  hello.software = software;
  // Nobody comes back for this session once this process ends. While an answer is on its way it matters all the same: without
  // the session the node would take the repeat for a new event.
  hello.volatile_outbox = outbox_.in_memory() && all_answered();
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
    // Ours to lose: nothing that the node could have answered is open, so a fresh session says all.
    if (!welcome.session_known && outbox_.in_memory() && all_answered() && node.high_water < outbox_.answered_through(lane)) {
      return new_session({});
    }
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
    if (!of(lane).ready) begin_window(lane, node.high_water);
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

bool Publisher::all_answered() const {
  return std::ranges::all_of(windows_, [](const Window& window) { return window.sent_through <= window.answered_through; });
}

void Publisher::begin_window(Lane lane, Sequence known_to_node) {
  Window& window = of(lane);
  window.sent.clear();
  window.sent_bytes = 0;
  window.messages.clear();
  window.outcome_due.clear();
  window.known_to_node = known_to_node.value;
  window.ours.clear();
  window.ready = true;
  window.held_until = 0;
}

// How many more events may go; 0 also while it is better to let them gather.
std::size_t Publisher::room(Lane lane, const Window& window) const {
  if (window.sent.size() >= bounds_.events || (window.sent_bytes >= bounds_.bytes && !window.sent.empty())) return 0;
  const std::size_t room = std::min({bounds_.events - window.sent.size(), window.batch_limit, kMaxPublishEvents});
  if (lane == Lane::flash || window.messages.size() < kMessagesInFlight) return room;
  const std::uint64_t waiting = outbox_.last(lane).value - window.answered_through - window.sent.size();
  return waiting * kGatherShare < bounds_.events ? 0 : room;
}

std::optional<PublishView> Publisher::next(Lane lane, std::int64_t now_ms) {
  Window& window = of(lane);
  if (!window.ready || now_ms < window.held_until) return std::nullopt;
  window.held_until = 0;
  if (overdue(window, now_ms)) send_again_from(lane, Sequence{}, 0);
  const Sequence first(window.answered_through + 1 + window.sent.size());
  if (outbox_.last(lane) < first) return std::nullopt;
  const std::size_t most = room(lane, window);
  if (most == 0) return std::nullopt;
  const std::size_t frame = kMaxPublishBytes - kPublishBytesAround - most * kPublishBytesPerEvent;
  auto loaded =
      outbox_.load(lane, first, most, std::min(frame, bounds_.bytes - std::min(bounds_.bytes, window.sent_bytes)), loaded_);
  if (!loaded) {
    sinks_.report(loaded.error().reason);
    window.held_until = now_ms + kRetryAfterMs;
    return std::nullopt;
  }
  if (loaded_.empty() || loaded_.front().sequence != first) return std::nullopt;
  const PeerAcks::Level level = cut_to_one_level();
  PublishView publish;
  publish.peers = level.peers;
  publish.deadline_ms = level.deadline_ms;
  publish.session = outbox_.session();
  publish.lane = lane;
  publish.first_sequence = first;
  publish.answered_through = outbox_.durably_answered(lane);
  publish.events.reserve(loaded_.size());
  for (const OutboxItem& item : loaded_) {
    if (item.sequence.value <= window.known_to_node) window.ours.insert_or_assign(item.sequence.value, body_hash(item.event));
    window.sent.push_back({item.ticket, static_cast<std::uint32_t>(item.event.size()), false});
    window.sent_bytes += item.event.size();
    await_peers(window, item.sequence.value, level, now_ms);
    publish.events.push_back(item.event);
  }
  window.sent_through = std::max(window.sent_through, first.value + loaded_.size() - 1);
  window.messages.push_back(first.value + loaded_.size() - 1);
  window.progress_ms = now_ms;
  return publish;
}

std::optional<std::int64_t> Publisher::due(Lane lane) const {
  const Window& window = windows_.at(static_cast<std::size_t>(lane));
  if (!window.ready) return std::nullopt;
  if (window.held_until > 0) return window.held_until;
  std::optional<std::int64_t> due;
  if (!window.sent.empty() && unanswered(window)) due = window.progress_ms + kAnswerTimeoutMs + 1;
  if (!window.outcome_due.empty()) due = std::min(due.value_or(INT64_MAX), window.outcome_due.begin()->second + 1);
  return due;
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
  const std::vector<Told> told = std::exchange(told_, {});
  const std::vector<Ticket> tickets = std::exchange(told_tickets_, {});
  for (const Told& run : told) sinks_.answered(run.lane, std::span(tickets).subspan(run.begin, run.count), run.first);
}

Publisher::Next Publisher::take(const Answers& answers, std::int64_t now_ms) {
  if (answers.session != outbox_.session()) return Next::go_on;
  for (const ReceiptRange& range : answers.receipts) {
    of(range.lane).progress_ms = now_ms;
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
  settle(refused.lane, sequence.value, 1, tl::unexpected(refused.refusal));
  return new_session("the node cannot read event " + std::to_string(sequence.value) + ": " + refused.refusal.reason);
}

Publisher::InFlight* Publisher::find(Lane lane, Sequence sequence) {
  Window& window = of(lane);
  const std::uint64_t base = window.answered_through + 1;
  if (sequence.value < base || sequence.value - base >= window.sent.size()) return nullptr;
  return &window.sent[sequence.value - base];
}

// Sequences `first` and on, of which `outcome` answers the first. Those answered before, or to be sent again, are passed over.
void Publisher::settle(Lane lane, std::uint64_t first, std::uint64_t count, const Outcome& outcome) {
  std::uint64_t at = first;
  const std::uint64_t end = first + count;
  while (at < end) {
    InFlight* item = find(lane, Sequence(at));
    if (item == nullptr || item->answered) {
      ++at;
      continue;
    }
    const std::uint64_t begin = at;
    const std::size_t told = told_tickets_.size();
    for (; at < end; ++at) {
      item = find(lane, Sequence(at));
      if (item == nullptr || item->answered) break;
      item->answered = true;
      if (!outcome && item->waits) {
        item->waits = false;
        of(lane).outcome_due.erase(at);
      }
      told_tickets_.push_back(item->ticket);
    }
    told_.push_back({lane, told, static_cast<std::size_t>(at - begin), outcome_after(outcome, begin - first)});
    outbox_.settle(std::span(told_tickets_).subspan(told), told_.back().first);
  }
}

void Publisher::advance(Lane lane, std::int64_t now_ms) {
  Window& window = of(lane);
  const std::uint64_t before = window.answered_through;
  tidy_messages(lane);
  while (!window.sent.empty() && window.sent.front().answered && !window.sent.front().waits) {
    window.sent_bytes -= window.sent.front().bytes;
    if (!receipted_.empty()) receipted_.erase(window.sent.front().ticket);
    window.sent.pop_front();
    ++window.answered_through;
  }
  if (window.answered_through == before) return;
  window.ours.erase(window.ours.begin(), window.ours.upper_bound(window.answered_through));
  window.progress_ms = now_ms;
  outbox_.answered(lane, Sequence(window.answered_through));
  take_again(lane);
}

// Messages whose last event has its receipt are on their way no more, though an event of them may still wait to hear of peers.
void Publisher::tidy_messages(Lane lane) {
  Window& window = of(lane);
  while (!window.messages.empty()) {
    const InFlight* last = find(lane, Sequence(window.messages.front()));
    if (last != nullptr && !last->answered) return;
    window.messages.pop_front();
  }
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
  const std::uint64_t base = window.answered_through + 1;
  const std::size_t keep = sequence.value < base ? 0 : sequence.value - base;
  while (window.sent.size() > keep) {
    if (window.sent.back().answered) receipted_.insert(window.sent.back().ticket);
    window.sent_bytes -= window.sent.back().bytes;
    window.sent.pop_back();
  }
  while (!window.messages.empty() && window.messages.back() >= base + keep) window.messages.pop_back();
  window.outcome_due.erase(window.outcome_due.lower_bound(base + keep), window.outcome_due.end());
  window.held_until = at_ms;
}

bool Publisher::receive(const ReceiptRange& range) {
  const auto& ours = of(range.lane).ours;
  if (!ours.empty()) {
    const std::uint64_t first = range.first_sequence.value;
    for (auto at = ours.lower_bound(first); at != ours.end() && at->first - first < range.count; ++at) {
      const std::size_t i = at->first - first;
      if (i >= range.body_hashes.size() || range.body_hashes[i] != at->second) return false;
    }
  }
  Receipt receipt;
  receipt.feed = {region_, range.epoch, range.lane, range.audience};
  receipt.sequence = range.first_feed_sequence;
  receipt.ordinal = range.first_ordinal;
  receipt.offset = range.first_offset;
  settle(range.lane, range.first_sequence.value, range.count, receipt);
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
    settle(refusal.lane, refusal.sequence.value, 1, tl::unexpected(refusal.refusal));
  }
  return Next::go_on;
}

Publisher::Next Publisher::new_session(const std::string& why) {
  for (Window& window : windows_) {
    for (const InFlight& item : window.sent) {
      if (item.answered) receipted_.insert(item.ticket);
    }
  }
  const std::vector<Ticket> dropped(receipted_.begin(), receipted_.end());
  const SessionId old = outbox_.session();
  const SessionId fresh = sinks_.fresh_session();
  if (auto reopened = outbox_.reopen(fresh, dropped); !reopened) {
    sinks_.report(reopened.error().reason);
    for (Window& window : windows_) window.ready = false;
    return Next::hello;  // the same comparison comes again, with the next welcome
  }
  abandoned_.assign(1, old);
  receipted_.clear();
  give_up_outcomes(dropped);
  for (Lane lane : kLanes) {
    begin_window(lane, Sequence{});
    of(lane).ready = false;
    of(lane).answered_through = 0;
    of(lane).sent_through = 0;
    of(lane).held_back.reset();
  }
  if (!why.empty()) sinks_.report("new session " + std::to_string(fresh.value) + "; what has no answer is sent again: " + why);
  return Next::hello;
}

}  // namespace lianxi::sdk
