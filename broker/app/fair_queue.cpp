#include "broker/app/fair_queue.h"

#include <algorithm>

namespace lianxi::app {

namespace {

constexpr TimeMs kLatelyMs = 1'000;

std::size_t cost(const net::Inbound& inbound) {
  return inbound.header.size() + inbound.payload.size() + 1;
}

}  // namespace

void FairQueue::push(net::Inbound inbound, TimeMs now) {
  Agent& agent = agents_[inbound.agent];
  agent.heard = now;
  if (agent.messages.empty()) {
    agent.share = 0;
    round_.push_back(inbound.agent);
  }
  const std::size_t bytes = cost(inbound);
  agent.bytes += bytes;
  bytes_ += bytes;
  agent.messages.push_back(std::move(inbound));
}

std::optional<net::Inbound> FairQueue::pop() {
  while (!round_.empty()) {
    Agent& agent = agents_[round_.front()];
    const std::size_t bytes = cost(agent.messages.front());
    // Alone it needs no share.
    if (agent.share < bytes && round_.size() > 1) {
      agent.share += kShareBytes;
      round_.push_back(std::move(round_.front()));
      round_.pop_front();
      continue;
    }
    net::Inbound inbound = std::move(agent.messages.front());
    agent.messages.pop_front();
    agent.share -= std::min(agent.share, bytes);
    agent.bytes -= bytes;
    bytes_ -= bytes;
    if (agent.messages.empty()) round_.pop_front();
    return inbound;
  }
  return std::nullopt;
}

std::size_t FairQueue::bytes_of(const std::string& agent) const {
  const auto found = agents_.find(agent);
  return found == agents_.end() ? 0 : found->second.bytes;
}

bool FairQueue::somebody_missing(TimeMs now) {
  bool missing = false;
  for (auto it = agents_.begin(); it != agents_.end();) {
    const Agent& agent = it->second;
    const bool lately = now - agent.heard < kLatelyMs && agent.heard <= now;
    if (agent.messages.empty() && !lately) {
      it = agents_.erase(it);
      continue;
    }
    missing = missing || agent.messages.empty();
    ++it;
  }
  return missing;
}

}  // namespace lianxi::app
