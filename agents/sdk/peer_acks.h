// What events of this process asked of other nodes (PublishOptions), and who is told. In memory: who asked is gone with the
// process, and so is the question; the event itself stays in the outbox. Any thread.
#pragma once

#include <atomic>
#include <mutex>
#include <span>
#include <unordered_map>

#include "agents/sdk/outbox.h"

namespace lianxi::sdk {

inline constexpr std::chrono::milliseconds kMaxPeersDeadline{600'000};  // a node counts no longer one

class PeerAcks {
 public:
  struct Level {
    std::uint8_t peers = 0;
    std::uint32_t deadline_ms = 0;
    bool operator==(const Level&) const = default;
  };
  using Done = std::function<void(const Result<Replication>&)>;

  // False as long as nobody asks: then nothing else here need be called.
  [[nodiscard]] bool any() const { return any_.load(std::memory_order_relaxed); }
  // Before the outbox has the event.
  void ask(Ticket ticket, const PublishOptions& options, Done done);
  [[nodiscard]] Level level_of(Ticket ticket) const;  // peers 0: nothing was asked
  // Takes it out and tells who asked; nothing if nobody did.
  void tell(Ticket ticket, const Result<Replication>& replication);
  void tell(std::span<const Ticket> tickets, const Refusal& refusal);
  void end(const Refusal& refusal);  // tells all

 private:
  struct Asked {
    Level level;
    Done done;
  };
  mutable std::mutex mutex_;
  std::atomic<bool> any_{false};
  std::unordered_map<Ticket, Asked> asked_;
};

}  // namespace lianxi::sdk
