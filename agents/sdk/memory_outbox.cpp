#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "agents/sdk/outbox.h"

namespace lianxi::sdk {
namespace {

constexpr std::size_t kBlockBytes = 128 * 1024;
constexpr std::size_t kSpareBlocks = 16;  // kept for reuse: fresh memory costs a page fault for every 4 KiB

// Events of one lane, one behind the other in blocks that never move: what load() lends stays where it is until answered.
class LaneQueue {
 public:
  struct Waiting {
    Ticket ticket = 0;
    BytesView event;
  };

  void push(Ticket ticket, BytesView event) {
    if (blocks_.empty() || blocks_.back().room() < event.size()) {
      if (!blocks_.empty() && blocks_.back().events == 0) blocks_.pop_back();  // no block but the last may stand empty
      add_block(event.size());
    }
    Block& block = blocks_.back();
    std::uint8_t* to = block.bytes.get() + block.used;
    std::copy(event.begin(), event.end(), to);
    block.used += event.size();
    block.events += 1;
    events_.push_back({ticket, {to, event.size()}});
  }
  void pop() {
    events_.pop_front();
    if (--blocks_.front().events > 0) return;
    if (blocks_.size() == 1) {
      blocks_.front().used = 0;
      return;
    }
    if (spare_.size() < kSpareBlocks && blocks_.front().size == kBlockBytes) spare_.push_back(std::move(blocks_.front()));
    blocks_.pop_front();
  }
  [[nodiscard]] const std::deque<Waiting>& events() const { return events_; }

 private:
  struct Block {
    std::unique_ptr<std::uint8_t[]> bytes;
    std::size_t size = 0;
    std::size_t used = 0;
    std::size_t events = 0;
    [[nodiscard]] std::size_t room() const { return size - used; }
  };
  void add_block(std::size_t at_least) {
    if (at_least <= kBlockBytes && !spare_.empty()) {
      blocks_.push_back(std::move(spare_.back()));
      spare_.pop_back();
      blocks_.back().used = 0;
      return;
    }
    const std::size_t size = std::max(kBlockBytes, at_least);
    blocks_.push_back({std::make_unique_for_overwrite<std::uint8_t[]>(size), size, 0, 0});
  }

  std::deque<Waiting> events_;
  std::deque<Block> blocks_;
  std::vector<Block> spare_;
};

class MemoryOutbox final : public Outbox {
 public:
  MemoryOutbox(SessionId session, std::size_t max_bytes) : session_(session), max_bytes_(max_bytes) {}

  Ticket first_ticket() const override { return 1; }
  bool in_memory() const override { return true; }

  Result<void> append(std::span<const NewEvent> events) override {
    std::size_t bytes = 0;
    for (const NewEvent& event : events) bytes += event.bytes.size();
    const std::scoped_lock lock(mutex_);
    if (auto room = take_room(bytes); !room) return room;
    for (const NewEvent& event : events) push(event);
    return {};
  }
  Result<Appended> append_once(const NewEvent& event, const std::string& key) override {
    const std::scoped_lock lock(mutex_);
    if (const auto found = keys_.find(key); found != keys_.end()) {
      return Appended{found->second.ticket, true, found->second.outcome};
    }
    if (auto room = take_room(event.bytes.size()); !room) return tl::unexpected(room.error());
    keys_.emplace(key, Once{event.ticket, std::nullopt});
    keyed_.emplace(event.ticket, key);
    push(event);
    return Appended{event.ticket, false, std::nullopt};
  }
  std::optional<Outcome> outcome_of(const std::string& key) override {
    const std::scoped_lock lock(mutex_);
    const auto found = keys_.find(key);
    return found == keys_.end() ? std::nullopt : found->second.outcome;
  }
  void forget_keys(const std::string& prefix) override {
    const std::scoped_lock lock(mutex_);
    for (auto it = keys_.lower_bound(prefix); it != keys_.end() && it->first.starts_with(prefix);) {
      it = it->second.outcome ? keys_.erase(it) : std::next(it);
    }
  }

  SessionId session() const override { return session_; }
  Sequence last(Lane lane) const override { return Sequence(of(lane).last.load()); }
  Sequence answered_through(Lane lane) const override { return Sequence(of(lane).answered.load()); }
  Sequence durably_answered(Lane lane) const override { return answered_through(lane); }

  Result<void> load(Lane lane, Sequence from, std::size_t max_events, std::size_t max_bytes,
                    std::vector<OutboxItem>& items) override {
    items.clear();
    const std::scoped_lock lock(mutex_);
    const LaneBook& book = of(lane);
    const auto& events = book.queue.events();
    const std::uint64_t answered = book.answered;
    std::size_t bytes = 0;
    for (std::size_t i = from.value - answered - 1; i < events.size() && items.size() < max_events; ++i) {
      bytes += events[i].event.size();
      if (!items.empty() && bytes > max_bytes) break;
      items.push_back({events[i].ticket, Sequence(answered + i + 1), events[i].event});
    }
    return {};
  }

  void settle(std::span<const Ticket> tickets, const Outcome& first) override {
    const std::scoped_lock lock(mutex_);
    for (std::size_t i = 0; i < tickets.size() && !keyed_.empty(); ++i) {
      const auto found = keyed_.find(tickets[i]);
      if (found == keyed_.end()) continue;
      keys_.at(found->second).outcome = outcome_after(first, i);
      keyed_.erase(found);
    }
  }
  void answered(Lane lane, Sequence through) override {
    const std::scoped_lock lock(mutex_);
    LaneBook& book = of(lane);
    std::uint64_t answered = book.answered;
    for (; answered < through.value && !book.queue.events().empty(); ++answered) {
      held_bytes_ -= book.queue.events().front().event.size();
      book.queue.pop();
    }
    book.answered = answered;
  }
  void flush() override {}

  Result<void> reopen(SessionId fresh, const std::vector<Ticket>& dropped) override {
    const std::unordered_set<Ticket> gone(dropped.begin(), dropped.end());
    const std::scoped_lock lock(mutex_);
    session_ = fresh;
    held_bytes_ = 0;
    for (LaneBook& book : lanes_) {
      const LaneQueue old = std::exchange(book.queue, {});
      for (const LaneQueue::Waiting& waiting : old.events()) {
        if (gone.contains(waiting.ticket)) continue;
        book.queue.push(waiting.ticket, waiting.event);
        held_bytes_ += waiting.event.size();
      }
      book.answered = 0;
      book.last = book.queue.events().size();
    }
    return {};
  }

 private:
  struct LaneBook {
    std::atomic<std::uint64_t> answered{0};
    std::atomic<std::uint64_t> last{0};
    LaneQueue queue;  // the first has sequence answered + 1
  };
  struct Once {
    Ticket ticket = 0;
    std::optional<Outcome> outcome;
  };
  LaneBook& of(Lane lane) { return lanes_.at(static_cast<std::size_t>(lane)); }
  const LaneBook& of(Lane lane) const { return lanes_.at(static_cast<std::size_t>(lane)); }

  Result<void> take_room(std::size_t bytes) {
    if (held_bytes_ + bytes > max_bytes_ && held_bytes_ > 0) {
      return tl::unexpected(Refusal{RefusalCode::busy, "outbox",
                                    "the outbox in memory holds " + std::to_string(held_bytes_) +
                                        " bytes that the node has not answered; publish again later, or give it a file",
                                    kRetryAfterMs});
    }
    held_bytes_ += bytes;
    return {};
  }
  void push(const NewEvent& event) {
    LaneBook& book = of(event.lane);
    book.queue.push(event.ticket, event.bytes);
    book.last = book.last + 1;
  }

  mutable std::mutex mutex_;
  SessionId session_;
  std::size_t max_bytes_;
  std::size_t held_bytes_ = 0;
  std::array<LaneBook, kLaneCount> lanes_;
  std::map<std::string, Once> keys_;
  std::unordered_map<Ticket, std::string> keyed_;  // not yet answered
};

}  // namespace

Outcome outcome_after(const Outcome& first, std::uint64_t step) {
  if (!first) return first;
  Receipt receipt = *first;
  receipt.sequence.value += step;
  receipt.ordinal.value += step;
  receipt.offset.value += step;
  return receipt;
}

std::unique_ptr<Outbox> make_memory_outbox(SessionId session, std::size_t max_bytes) {
  return std::make_unique<MemoryOutbox>(session, max_bytes);
}

}  // namespace lianxi::sdk
