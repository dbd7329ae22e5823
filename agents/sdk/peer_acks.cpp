#include "agents/sdk/peer_acks.h"

#include <algorithm>
#include <utility>

namespace lianxi::sdk {

void PeerAcks::ask(Ticket ticket, const PublishOptions& options, Done done) {
  const auto deadline = std::clamp(options.deadline, std::chrono::milliseconds(0), kMaxPeersDeadline);
  const std::scoped_lock lock(mutex_);
  asked_.emplace(ticket, Asked{{options.peers, static_cast<std::uint32_t>(deadline.count())}, std::move(done)});
  any_ = true;
}

PeerAcks::Level PeerAcks::level_of(Ticket ticket) const {
  const std::scoped_lock lock(mutex_);
  const auto found = asked_.find(ticket);
  return found == asked_.end() ? Level{} : found->second.level;
}

void PeerAcks::tell(Ticket ticket, const Result<Replication>& replication) {
  Done done;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = asked_.find(ticket);
    if (found == asked_.end()) return;
    done = std::move(found->second.done);
    asked_.erase(found);
    any_ = !asked_.empty();
  }
  if (done) done(replication);
}

void PeerAcks::tell(std::span<const Ticket> tickets, const Refusal& refusal) {
  for (const Ticket ticket : tickets) tell(ticket, tl::unexpected(refusal));
}

void PeerAcks::end(const Refusal& refusal) {
  std::unordered_map<Ticket, Asked> all;
  {
    const std::scoped_lock lock(mutex_);
    all.swap(asked_);
    any_ = false;
  }
  for (const auto& [ticket, asked] : all) {
    if (asked.done) asked.done(tl::unexpected(refusal));
  }
}

}  // namespace lianxi::sdk
