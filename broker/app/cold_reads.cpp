#include "broker/app/cold_reads.h"

#include <algorithm>

namespace lianxi::app {

std::vector<SharedSegment> ColdSource::cached(Offset from, std::size_t max_bytes) {
  std::vector<SharedSegment> out;
  auto at = held_.upper_bound(from);
  if (at == held_.begin()) return out;
  --at;
  std::size_t bytes = 0;
  for (Offset next = from; at != held_.end() && at->second.first->first() <= next && next < at->second.first->end(); ++at) {
    at->second.second = ++uses_;
    out.push_back(at->second.first);
    next = at->second.first->end();
    if ((bytes += at->second.first->bytes().size()) > max_bytes) break;
  }
  return out;
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
    bytes_ += (*segment)->bytes().size();
    const auto [at, fresh] = held_.try_emplace((*segment)->first(), *segment, ++uses_);
    if (!fresh) {  // another cut of the journal, e.g. after a merge of segments
      bytes_ -= at->second.first->bytes().size();
      at->second = {*segment, uses_};
    }
    out.push_back(std::move(*segment));
  }
  while (bytes_ > kColdCacheBytes && held_.size() > out.size()) {
    const auto oldest = std::min_element(held_.begin(), held_.end(),
                                         [](const auto& a, const auto& b) { return a.second.second < b.second.second; });
    bytes_ -= oldest->second.first->bytes().size();
    held_.erase(oldest);
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
  result.from = stretch.from;
  std::size_t bytes = 0;
  std::size_t reads = 0;
  while (stretch.from < stretch.head && bytes < kColdTrainBytes && result.chunks.size() < job.max_messages) {
    auto chunk = make_chunk(*job.plan, stretch, *this);
    if (!chunk) {
      result.failure = std::move(chunk.error());
      return result;
    }
    if (chunk->next == stretch.from) break;
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
