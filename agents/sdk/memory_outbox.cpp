#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include "agents/sdk/outbox.h"

namespace lianxi::sdk {
namespace {

class MemoryOutbox final : public Outbox {
 public:
  explicit MemoryOutbox(SessionId session) : session_(session) {}

  Ticket next_ticket() override { return next_ticket_.fetch_add(1); }

  Result<Appended> append(Ticket ticket, Lane lane, Bytes event, std::string key) override {
    const std::scoped_lock lock(mutex_);
    if (!key.empty()) {
      const auto [found, fresh] = keys_.try_emplace(key, Once{ticket, std::nullopt});
      if (!fresh) return Appended{found->second.ticket, true, found->second.outcome};
      keyed_.emplace(ticket, std::move(key));
    }
    of(lane).events.push_back({ticket, std::move(event)});
    return Appended{ticket, false, std::nullopt};
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
  Sequence last(Lane lane) const override {
    const std::scoped_lock lock(mutex_);
    return Sequence(of(lane).answered_through + of(lane).events.size());
  }
  Sequence answered_through(Lane lane) const override {
    const std::scoped_lock lock(mutex_);
    return Sequence(of(lane).answered_through);
  }
  Sequence durably_answered(Lane lane) const override { return answered_through(lane); }

  Result<std::vector<OutboxItem>> load(Lane lane, Sequence from, std::size_t max_events, std::size_t max_bytes) override {
    const std::scoped_lock lock(mutex_);
    const LaneQueue& queue = of(lane);
    std::vector<OutboxItem> items;
    std::size_t bytes = 0;
    for (std::size_t i = from.value - queue.answered_through - 1; i < queue.events.size() && items.size() < max_events; ++i) {
      bytes += queue.events[i].event.size();
      if (!items.empty() && bytes > max_bytes) break;
      items.push_back({queue.events[i].ticket, Sequence(queue.answered_through + i + 1), queue.events[i].event});
    }
    return items;
  }

  void settle(Ticket ticket, const Outcome& outcome) override {
    const std::scoped_lock lock(mutex_);
    const auto found = keyed_.find(ticket);
    if (found == keyed_.end()) return;
    keys_.at(found->second).outcome = outcome;
    keyed_.erase(found);
  }
  void answered(Lane lane, Sequence through) override {
    const std::scoped_lock lock(mutex_);
    LaneQueue& queue = of(lane);
    while (queue.answered_through < through.value && !queue.events.empty()) {
      queue.events.pop_front();
      ++queue.answered_through;
    }
  }
  void flush() override {}

  Result<void> reopen(SessionId fresh, const std::vector<Ticket>& dropped) override {
    const std::scoped_lock lock(mutex_);
    session_ = fresh;
    for (LaneQueue& queue : lanes_) {
      queue.answered_through = 0;
      std::erase_if(queue.events, [&](const Waiting& waiting) { return std::ranges::count(dropped, waiting.ticket) > 0; });
    }
    return {};
  }

 private:
  struct Waiting {
    Ticket ticket = 0;
    Bytes event;
  };
  struct LaneQueue {
    std::uint64_t answered_through = 0;
    std::deque<Waiting> events;  // the first has sequence answered_through + 1
  };
  struct Once {
    Ticket ticket = 0;
    std::optional<Outcome> outcome;
  };
  LaneQueue& of(Lane lane) { return lanes_.at(static_cast<std::size_t>(lane)); }
  const LaneQueue& of(Lane lane) const { return lanes_.at(static_cast<std::size_t>(lane)); }

  std::atomic<Ticket> next_ticket_{1};
  mutable std::mutex mutex_;
  SessionId session_;
  std::array<LaneQueue, kLaneCount> lanes_;
  std::map<std::string, Once> keys_;
  std::unordered_map<Ticket, std::string> keyed_;  // not yet answered
};

}  // namespace

std::unique_ptr<Outbox> make_memory_outbox(SessionId session) {
  return std::make_unique<MemoryOutbox>(session);
}

}  // namespace lianxi::sdk
