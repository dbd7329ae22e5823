#include "broker/app/retention_proofs.h"

#include "broker/app/feed_runs.h"
#include "schemas/limits.h"

namespace lianxi::app {
namespace {

// The retention at `offset` and what follows in its feed, up to the first seal.
store::StoreResult<Bytes> proof_at(const DeliveryPlan& plan, Offset offset, SegmentSource& source) {
  FeedRuns runs;
  std::optional<FeedId> feed;
  for (Offset next = offset; runs.size() <= kMaxSegmentBytes;) {
    const auto read = source.read(next, 1);
    if (!read) return tl::unexpected(read.error());
    if (read->empty()) break;
    for (const SharedSegment& segment : *read) {
      next = segment->end();
      if (!feed) feed = segment->info().feed;
      if (!plan.feed_admitted(*feed)) return Bytes{};
      if (segment->info().feed != *feed) continue;
      const std::uint64_t first = segment->first().value;
      runs.take(segment, static_cast<std::size_t>(offset.value > first ? offset.value - first : 0), segment->info().count);
      if (segment->seal()) return std::move(runs).finish();
    }
  }
  return tl::unexpected(store::StoreFailure{store::StoreError::not_found,
                                            "no seal stands behind the retention at offset " + std::to_string(offset.value)});
}

}  // namespace

store::StoreResult<Bytes> gather_proofs(const DeliveryPlan& plan, const std::vector<Offset>& retentions, SegmentSource& source) {
  Bytes all;
  for (const Offset offset : retentions) {
    const auto proof = proof_at(plan, offset, source);
    if (!proof) return proof;
    if (all.size() + proof->size() > kMaxDeliverBytes) break;
    all.insert(all.end(), proof->begin(), proof->end());
  }
  return all;
}

}  // namespace lianxi::app
