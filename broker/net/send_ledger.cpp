#include "broker/net/send_ledger.h"

#include <algorithm>

namespace lianxi::net {

namespace {
std::size_t index(SendClass what) {
  return static_cast<std::size_t>(what);
}
std::int64_t cost(std::size_t bytes) {
  return static_cast<std::int64_t>(bytes) + kSendOverheadBytes;
}
}  // namespace

bool SendLedger::Queue::has_room(SendClass what) const {
  const SendBound& bound = total_->bounds[index(what)];
  const std::int64_t left = bound.all - total_->bytes[index(what)];
  return agent_->bytes[index(what)] < std::min(bound.agent, left);
}

void SendLedger::Queue::charge(SendClass what, std::size_t bytes) {
  total_->bytes[index(what)] += cost(bytes);
  agent_->bytes[index(what)] += cost(bytes);
  bytes_ += cost(bytes);
}

void SendLedger::Queue::release(SendClass what, std::size_t bytes) {
  total_->bytes[index(what)] -= cost(bytes);
  agent_->bytes[index(what)] -= cost(bytes);
  bytes_ -= cost(bytes);
  released_ += 1;
}

std::int64_t SendLedger::Queue::agent_bytes(SendClass what) const {
  return agent_->bytes[index(what)];
}

SendLedger::SendLedger(const SendBounds& bounds) : total_(std::make_shared<Total>()) {
  total_->bounds = bounds;
}

std::shared_ptr<SendLedger::Queue> SendLedger::open(const std::string& agent) {
  const std::lock_guard lock(mutex_);
  if (agents_.size() >= forget_at_) {
    std::erase_if(agents_, [](const auto& entry) { return entry.second.expired(); });
    forget_at_ = std::max<std::size_t>(64, 2 * agents_.size());
  }
  std::weak_ptr<Counts>& known = agents_[agent];
  std::shared_ptr<Counts> counts = known.lock();
  if (!counts) {
    counts = std::make_shared<Counts>();
    known = counts;
  }
  return std::make_shared<Queue>(total_, std::move(counts));
}

std::int64_t SendLedger::bytes(SendClass what) const {
  return total_->bytes[index(what)];
}

}  // namespace lianxi::net
