// Performs the core's delivery orders, message by message: the tail from memory, shared among followers with equal plans; what
// is further back through ColdReads. Flash followers go first, and what goes to the others may stop at any message for a flash
// event that waits.
//
// One thread; no sockets, no clock.
#pragma once

#include <deque>
#include <utility>

#include "broker/app/cold_reads.h"
#include "broker/app/outlet.h"
#include "broker/app/recent_segments.h"

namespace lianxi::app {

// Of a step, in an area's comparisons (delivery.h): a message that takes more to make counts as several.
inline constexpr std::size_t kStepWork = 2'000;
// Events are judged by where they are on the broker's thread only for who is no further behind than that; else the catch-up
// thread does it. Flash events are few, and wait for no other thread as long as they are.
inline constexpr std::size_t kLiveAreaBytes = 64 * 1024;
inline constexpr std::size_t kLiveAreaFlashBytes = 2 * kMaxBodyBytes;

// Likewise what is compressed: the thread is held for some 90 us by what it packs at once.
inline constexpr std::size_t kLivePackBytes = 64 * 1024;

inline constexpr std::size_t kMaxSharedChunks = 256;
inline constexpr std::size_t kSharedChunkBytes = 8 * 1024 * 1024;  // made lately, for the next follower of the same plan

class DeliveryDesk {
 public:
  // Whether a follow is still open; asked for orders that waited.
  using StillOpen = std::function<bool(const core::Connection&, SessionId)>;
  struct Ended {  // a follow that the journal cannot serve
    core::DeliverOrder order;
    Offset at;  // where it could not be read on
    std::string why;
  };

  DeliveryDesk(std::unique_ptr<ColdReads> cold, StillOpen still_open)
      : cold_(std::move(cold)), still_open_(std::move(still_open)) {}

  // Before the first order, or while none is under way.
  void read_cold_with(std::unique_ptr<ColdReads> cold) { cold_ = std::move(cold); }
  void rights(std::shared_ptr<const core::Policy> policy, std::shared_ptr<const core::Members> members);
  void remember(SharedSegment segment) { recent_.remember(std::move(segment)); }
  // Orders of one turn, also none, in the core's order. `heads`: of all feeds held.
  void take(std::vector<core::DeliverOrder> orders, const Outlet& outlet, const std::function<FeedVector()>& heads);

  // All that goes to flash connections; false: `steps` were not enough. A step is a message or kStepWork.
  bool say_flash(Outlet& outlet, std::size_t& steps);
  // The rest, until `steps` are over or nothing is left. False: it broke off for a flash event that waits.
  // So many messages go first, whatever waits: `unbroken`.
  bool say_others(Outlet& outlet, std::size_t& steps, std::size_t& unbroken);

  struct Done {
    core::Delivered report;
    bool moved = false;
  };
  [[nodiscard]] std::vector<Done> take_done() { return std::exchange(done_, {}); }
  [[nodiscard]] std::vector<Ended> take_ended() { return std::exchange(ended_, {}); }
  // Something can be sent now, without any input.
  [[nodiscard]] bool has_work() const { return !flash_.empty() || !others_.empty() || cold_->done(); }

 private:
  struct Active {
    core::DeliverOrder order;
    SharedPlan plan;
    std::optional<FeedVector> passed_over;  // of an order that searches its first event
    Offset at;                              // where it stands
    std::uint64_t bytes = 0;                // sent for this order
    std::uint64_t wire_bytes = 0;           // of them, as they left
    std::uint32_t messages = 0;
    bool flash = false;                          // its connection is of the flash lane
    bool waited = false;                         // since an earlier turn: the follow may be closed
    bool again = false;                          // its proofs were not sent, and are out of date: it is ordered anew
    bool read = false;                           // it had its read: `ready`, then what is in memory, then it is over
    std::deque<Chunk> ready;                     // read for it
    std::optional<store::StoreFailure> failure;  // behind `ready`
  };
  struct Asked {  // a cold read and whom it is for
    ColdJob job;
    std::vector<Active> takers;
  };
  using Place = std::pair<SharedPlan, Offset>;
  struct SharedChunk {
    Chunk chunk;
    Offset head;  // it was made with
  };
  enum class Step : std::uint8_t { more, over, cold };

  void enqueue(Active active);
  void replan(Active& active);
  void perform_next(std::deque<Active>& queue, Outlet& outlet, Pace& pace);
  [[nodiscard]] Step step(Active& active, Outlet& outlet, Pace& pace);
  [[nodiscard]] Step send(Active& active, const Chunk& chunk, Outlet& outlet);
  [[nodiscard]] static Stretch stretch_of(const Active& active, std::uint64_t max_bytes);
  [[nodiscard]] store::StoreResult<Chunk> chunk_for(const Active& active, Pace& pace);
  [[nodiscard]] bool too_much_to_judge(const Active& active) const;
  [[nodiscard]] bool too_much_to_pack(const Active& active) const;
  Step finish(const Active& active, bool unreachable = false);
  Step fail(const Active& active, const store::StoreFailure& why);
  void ask_cold(Active active);
  void ask_waiting();
  void take_cold();

  std::unique_ptr<ColdReads> cold_;
  StillOpen still_open_;
  DeliveryPlans plans_;
  RecentSegments recent_;
  Packer packer_;
  std::deque<Active> flash_;
  std::deque<Active> others_;
  std::map<std::uint64_t, Asked> waiting_;  // for the reader, in the order in which they came
  std::map<Place, std::uint64_t> waiting_at_;
  std::map<std::uint64_t, Asked> asked_;
  std::uint64_t next_job_ = 1;
  std::map<Place, SharedChunk> shared_;
  std::deque<Place> shared_order_;
  std::size_t shared_bytes_ = 0;
  std::vector<Done> done_;
  std::vector<Ended> ended_;
};

}  // namespace lianxi::app
