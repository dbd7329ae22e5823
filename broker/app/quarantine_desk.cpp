#include "broker/app/quarantine_desk.h"

#include <algorithm>
#include <utility>

#include "schemas/limits.h"

namespace lianxi::app {
namespace {

using store::StoreResult;

// Of what this turn writes.
std::optional<Hash> hash_in_batch(const JournalBatch& batch, const FeedId& feed, Sequence sequence) {
  for (const StoredSegment& stored : batch.segments) {
    const std::uint64_t first = stored.info.first_sequence.value;
    if (stored.info.feed != feed || sequence.value < first || sequence > stored.last.sequence) continue;
    const auto segment = Segment::parse(stored.bytes);
    if (segment) return segment->records()[static_cast<std::size_t>(sequence.value - first)].hash;
  }
  return std::nullopt;
}

}  // namespace

void QuarantineDesk::judge(core::Effects& effects, const FeedVector& heads, const core::Members& members, TimeMs now) {
  for (core::Suspect& suspect : std::exchange(effects.suspects, {})) {
    if (waiting_bytes_ + suspect.segment.size() > kMaxTurnBytes) {
      tell_full(effects, suspect.feed);
      continue;
    }
    waiting_bytes_ += suspect.segment.size();
    waiting_.push_back(std::move(suspect));
  }
  for (std::size_t judged = 0; judged < kJudgedATurn && !waiting_.empty(); ++judged) {
    core::Suspect suspect = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= suspect.segment.size();
    judge_one(suspect, effects, heads, members, now);
  }
}

void QuarantineDesk::judge_one(core::Suspect& suspect, core::Effects& effects, const FeedVector& heads,
                               const core::Members& members, TimeMs now) {
  const auto segment = Segment::parse(suspect.segment);
  const core::Member* home = members.find(suspect.feed.region);
  if (!segment || segment->records().empty() || home == nullptr) return;
  const FeedHead last = segment->last();
  const bool known = std::any_of(kept_.begin(), kept_.end(), [&](const Quarantined& row) {
    return row.feed == suspect.feed && row.last == last.sequence && row.last_hash == last.hash;
  });
  if (known) return;
  if (!has_room(suspect.feed, suspect.segment.size())) {
    return tell_full(effects, suspect.feed);
  }
  if (!store::judge_seal(*segment, home->seal_key).empty()) return;  // nobody's word: it was never sealed so
  auto row = evidence(suspect, *segment, effects, heads);
  if (!row) return;
  row->at = now;
  const bool new_history = std::none_of(kept_.begin(), kept_.end(), [&](const Quarantined& other) {
    return other.feed == row->feed && other.differs == row->differs && other.other == row->other;
  });
  QuarantinedSegment kept{*row, std::move(suspect.segment)};
  kept_.push_back(*row);
  effects.batch.quarantined.push_back(std::move(kept));
  if (new_history)
    effects.alarms.push_back({"quarantined", store::evidence_text(*row) + "; both are kept: lianxi-broker quarantine"});
}

std::optional<Quarantined> QuarantineDesk::evidence(const core::Suspect& suspect, const Segment& segment, core::Effects& effects,
                                                    const FeedVector& heads) {
  const SegmentInfo& info = segment.info();
  const FeedHead last = segment.last();
  Quarantined row{suspect.feed, info.first_sequence, last.sequence, last.hash, {}, {}, {}, suspect.by, 0, suspect.segment.size()};
  const auto before = std::find_if(kept_.begin(), kept_.end(), [&](const Quarantined& other) {
    return other.feed == row.feed && other.last.value + 1 == row.first.value && other.last_hash == info.previous;
  });
  if (before != kept_.end()) {
    row.differs = before->differs;
    row.held = before->held;
    row.other = before->other;
    return row;
  }
  const auto own =
      std::find_if(heads.begin(), heads.end(), [&](const FeedPosition& position) { return position.feed == row.feed; });
  if (own == heads.end()) return std::nullopt;
  const auto held_at = [&](Sequence sequence) -> StoreResult<std::optional<Hash>> {
    if (auto hash = hash_in_batch(effects.batch, row.feed, sequence)) return hash;
    if (!reader_) {
      auto opened = store::open_reader(journal_);
      if (!opened) return tl::unexpected(std::move(opened.error()));
      reader_ = std::move(*opened);
    }
    return store::hash_at(*reader_, heads, row.feed, sequence);
  };
  const auto found = store::difference(held_at, own->head.sequence, segment);
  if (!found) {
    effects.alarms.push_back({"journal_unreadable", "another history of " + to_text(row.feed) +
                                                        " cannot be held against the journal: " + found.error().detail});
    return std::nullopt;
  }
  if (!*found) return std::nullopt;
  row.differs = (*found)->at;
  row.held = (*found)->held;
  row.other = (*found)->other;
  return row;
}

void QuarantineDesk::tell_full(core::Effects& effects, const FeedId& feed) {
  if (told_full_.size() >= kMaxQuarantined || !told_full_.insert(feed).second) return;
  effects.alarms.push_back(
      {"quarantine_full", "no more is kept of other histories of " + to_text(feed) + "; those who delivered it hold it"});
}

bool QuarantineDesk::has_room(const FeedId& feed, std::uint64_t more_bytes) const {
  std::size_t segments = 0;
  std::uint64_t bytes = more_bytes;
  for (const Quarantined& other : kept_) {
    if (other.feed != feed) continue;
    ++segments;
    bytes += other.bytes;
  }
  return kept_.size() < kMaxQuarantined && segments < kMaxQuarantinedOfFeed && bytes <= kMaxQuarantinedBytesOfFeed;
}

}  // namespace lianxi::app
