#include "broker/app/cold_reads.h"

#include <algorithm>

#include "broker/app/retention_proofs.h"

namespace lianxi::app {

std::vector<SharedSegment> ColdSource::cached(Offset from, std::size_t max_bytes) {
  std::vector<SharedSegment> out;
  auto at = held_.upper_bound(from);
  if (at == held_.begin()) return out;
  --at;
  std::size_t bytes = 0;
  for (Offset next = from; at != held_.end(); ++at) {
    const auto& [first, held] = *at;
    if (first > next || next >= held.segment->end()) break;
    uses_.splice(uses_.end(), uses_, held.use);
    out.push_back(held.segment);
    next = held.segment->end();
    if ((bytes += held.segment->bytes().size()) > max_bytes) break;
  }
  return out;
}

void ColdSource::hold(const SharedSegment& segment) {
  const auto [at, fresh] = held_.try_emplace(segment->first());
  Held& held = at->second;
  if (fresh) {
    held.use = uses_.insert(uses_.end(), segment->first());
  } else {  // another cut of the journal, e.g. after a merge of segments
    bytes_ -= held.segment->bytes().size();
    uses_.splice(uses_.end(), uses_, held.use);
  }
  held.segment = segment;
  bytes_ += segment->bytes().size();
}

store::StoreResult<std::vector<SharedSegment>> ColdSource::read(Offset from, std::size_t max_bytes) {
  std::vector<SharedSegment> out = cached(from, max_bytes);
  if (!out.empty()) return out;
  auto read = journal_->read(from, kColdReadBytes);
  if (!read) return tl::unexpected(std::move(read.error()));
  for (store::JournalSegment& stored : *read) {
    auto segment = HeldSegment::read_back(std::move(stored));
    // What is whole before it is still delivered; the follower comes again for the rest.
    if (!segment && !out.empty()) break;
    if (!segment) return tl::unexpected(std::move(segment.error()));
    hold(*segment);
    out.push_back(std::move(*segment));
  }
  // One step an eviction: what is small is evicted a thousand at a time.
  while (bytes_ > kColdCacheBytes && held_.size() > out.size()) {
    const auto oldest = held_.find(uses_.front());
    bytes_ -= oldest->second.segment->bytes().size();
    held_.erase(oldest);
    uses_.pop_front();
  }
  return out;
}

ColdResult ColdSource::perform(const ColdJob& job) {
  ColdResult result;
  result.id = job.id;
  Stretch stretch = job.stretch;
  if (job.passed_over) {
    const auto found = journal_->first_beyond(*job.passed_over);
    if (!found) {
      result.failure = found.error();
      return result;
    }
    stretch.from = std::clamp(*found, stretch.from, std::max(stretch.from, stretch.head));
  }
  result.from = job.proofs.empty() ? stretch.from : job.stretch.from;
  std::size_t bytes = 0;
  std::size_t reads = 0;
  Pace pace(kColdWork);
  if (!job.proofs.empty()) {
    auto proofs = gather_proofs(*job.plan, job.proofs, *this);
    if (!proofs) {
      result.failure = proofs.error();
      return result;
    }
    Chunk first{std::make_shared<const Bytes>(std::move(*proofs)), stretch.from, true};
    pack_chunk(*job.plan, first, packer_, pace);
    bytes += first.segments->size();
    stretch.max_bytes -= std::min<std::uint64_t>(stretch.max_bytes, bytes);
    result.chunks.push_back(std::move(first));
  }
  while (!pace.over() && stretch.from < stretch.head && bytes < kColdTrainBytes && result.chunks.size() < job.max_messages) {
    auto chunk = make_chunk(*job.plan, stretch, *this, pace);
    if (!chunk) {
      result.failure = std::move(chunk.error());
      return result;
    }
    if (chunk->next == stretch.from) break;
    pack_chunk(*job.plan, *chunk, packer_, pace);
    const std::size_t size = chunk->segments->size();
    bytes += size;
    stretch.max_bytes -= std::min<std::uint64_t>(stretch.max_bytes, size);
    stretch.from = chunk->next;
    result.chunks.push_back(std::move(*chunk));
    // Nothing found in a whole scan: others wait too.
    if (size == 0 && ++reads >= 2) break;
  }
  return result;
}

std::optional<ColdResult> InlineColdReads::take() {
  if (done_.empty()) return std::nullopt;
  ColdResult result = std::move(done_.front());
  done_.pop_front();
  return result;
}

}  // namespace lianxi::app
