#include "broker/app/feed_runs.h"

#include <algorithm>
#include <map>

#include "schemas/limits.h"

namespace lianxi::app {
namespace {

constexpr std::size_t kSealRoom = 128;  // a seal behind a segment takes less

}  // namespace

std::size_t FeedRuns::size_of(const HeldSegment& segment, std::size_t begin, std::size_t end) {
  return segment.records().cut_bytes(begin, end) + kSealRoom;
}

bool FeedRuns::all_sealed() const {
  return std::all_of(feeds_.begin(), feeds_.end(), [](const auto& feed) { return feed.second; });
}

void FeedRuns::take(const SharedSegment& segment, std::size_t begin, std::size_t end) {
  const FeedId& feed = segment->info().feed;
  const bool sealed = segment->seal().has_value();
  const auto at = std::find_if(feeds_.begin(), feeds_.end(), [&](const auto& known) { return known.first == feed; });
  size_ += size_of(*segment, begin, end);
  if (at == feeds_.end()) {
    feeds_.emplace_back(feed, sealed);
  } else {
    size_ -= size_of(*segment, begin, begin);  // it joins what stands there
    at->second = sealed;
  }
  pieces_.push_back({segment, begin, end});
  if (all_sealed()) proven_ = pieces_.size();
}

Bytes FeedRuns::finish() && {
  pieces_.resize(proven_);
  struct Run {
    Bytes bytes;
    const std::optional<Seal>* seal = nullptr;
  };
  std::vector<Run> runs;
  std::map<FeedId, std::size_t> open;  // the run that a feed goes on in
  for (const Piece& piece : pieces_) {
    const StoredRecords& records = piece.segment->records();
    const auto [at, fresh] = open.try_emplace(piece.segment->info().feed, runs.size());
    const std::size_t more = size_of(*piece.segment, piece.begin, piece.end);
    const bool room = !fresh && runs[at->second].bytes.size() + more <= kMaxSegmentBytes;
    if (room) {
      records.extend(runs[at->second].bytes, piece.begin, piece.end);
    } else {
      at->second = runs.size();
      records.append_cut(runs.emplace_back().bytes, piece.begin, piece.end, false);
    }
    runs[at->second].seal = &piece.segment->seal();
  }
  if (runs.size() == 1 && *runs.front().seal) return with_seal(runs.front().bytes, **runs.front().seal);
  Bytes all;
  all.reserve(size_);
  for (const Run& run : runs) {
    const Bytes sealed = *run.seal ? with_seal(run.bytes, **run.seal) : Bytes();
    const Bytes& bytes = *run.seal ? sealed : run.bytes;
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

}  // namespace lianxi::app
