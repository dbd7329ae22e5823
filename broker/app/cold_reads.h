// Deliveries for followers that are behind what is held in memory: read from the journal, off the broker's thread. A simulated
// node has no thread and reads when it is asked.
#pragma once

#include <deque>
#include <functional>
#include <list>

#include "broker/app/delivery.h"

namespace lianxi::app {

inline constexpr std::size_t kMaxColdJobs = 32;                  // under way at once
inline constexpr std::size_t kColdTrainBytes = 1024 * 1024;      // of one job's messages, past the first
inline constexpr std::size_t kColdReadBytes = 512 * 1024;        // asked of the journal at a time
inline constexpr std::size_t kColdWork = 500'000;                // of one job: about as long as a train takes to be read
inline constexpr std::size_t kColdCacheBytes = 8 * 1024 * 1024;  // of segments read before
static_assert(kColdTrainBytes >= kStepBytes);

struct ColdJob {
  std::uint64_t id = 0;
  SharedPlan plan;
  Stretch stretch;
  std::uint32_t max_messages = 1;
  std::optional<FeedVector> passed_over;  // begin at the first event that is not covered by it
  std::vector<Offset> proofs;             // retentions that go first, in a chunk of their own
};
struct ColdResult {
  std::uint64_t id = 0;
  Offset from;                // where the first chunk begins: behind what was jumped over, or of proofs, before it
  std::vector<Chunk> chunks;  // each begins where the one before ends
  std::optional<store::StoreFailure> failure;
};

// What was read lately: followers that come one behind the other want the same.
class ColdSource final : public SegmentSource {
 public:
  explicit ColdSource(std::unique_ptr<store::JournalReader> journal) : journal_(std::move(journal)) {}
  [[nodiscard]] store::StoreResult<std::vector<SharedSegment>> read(Offset from, std::size_t max_bytes) override;
  [[nodiscard]] ColdResult perform(const ColdJob& job);

 private:
  [[nodiscard]] std::vector<SharedSegment> cached(Offset from, std::size_t max_bytes);
  void hold(const SharedSegment& segment);

  std::unique_ptr<store::JournalReader> journal_;
  struct Held {
    SharedSegment segment;
    std::list<Offset>::iterator use;
  };
  std::map<Offset, Held> held_;
  std::list<Offset> uses_;  // what was used last stands last
  std::size_t bytes_ = 0;
  Packer packer_;
};

// The broker's thread asks, and takes what is done.
class ColdReads {
 public:
  virtual ~ColdReads() = default;
  virtual void ask(ColdJob job) = 0;  // at most kMaxColdJobs that were not taken yet
  [[nodiscard]] virtual std::optional<ColdResult> take() = 0;
  [[nodiscard]] virtual bool done() const = 0;  // take() has something
};

// Reads at once.
class InlineColdReads final : public ColdReads {
 public:
  explicit InlineColdReads(std::unique_ptr<store::JournalReader> journal) : source_(std::move(journal)) {}
  void ask(ColdJob job) override { done_.push_back(source_.perform(job)); }
  [[nodiscard]] std::optional<ColdResult> take() override;
  [[nodiscard]] bool done() const override { return !done_.empty(); }

 private:
  ColdSource source_;
  std::deque<ColdResult> done_;
};

}  // namespace lianxi::app
