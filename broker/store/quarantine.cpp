#include "broker/store/quarantine.h"

#include <algorithm>
#include <limits>

#include "broker/store/files.h"
#include "broker/store/fork_table.h"
#include "broker/store/journal_file.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kShownHashBytes = 8;

// At a sequence from the one before the segment's first event to its last.
const Hash& hash_in(const Segment& segment, std::uint64_t sequence) {
  const std::uint64_t first = segment.info().first_sequence.value;
  return sequence < first ? segment.info().previous : segment.records()[static_cast<std::size_t>(sequence - first)].hash;
}

std::string short_hash(const Hash& hash) {
  return to_hex(BytesView(hash).first(kShownHashBytes));
}

}  // namespace

StoreResult<std::optional<Hash>> hash_at(JournalReader& reader, const FeedVector& feeds, const FeedId& feed, Sequence sequence) {
  if (sequence.value == 0) return Hash{};
  FeedVector have = feeds;
  for (FeedPosition& position : have)
    position.head.sequence =
        position.feed == feed ? Sequence(sequence.value - 1) : Sequence(std::numeric_limits<std::int64_t>::max());
  const auto offset = reader.first_beyond(have);
  if (!offset) return tl::unexpected(offset.error());
  auto read = reader.read(*offset, 1);
  if (!read) return tl::unexpected(std::move(read.error()));
  if (read->empty()) return std::optional<Hash>();
  const auto segment = Segment::parse(read->front().bytes);
  if (!segment)
    return tl::unexpected(StoreFailure{StoreError::corrupt, "the segment at offset " + std::to_string(offset->value) +
                                                                " cannot be read: " + segment.error().reason});
  const SegmentInfo& info = segment->info();
  const bool holds = info.feed == feed && sequence >= info.first_sequence && sequence <= segment->last().sequence;
  return holds ? std::optional<Hash>(hash_in(*segment, sequence.value)) : std::nullopt;
}

// Chains that part never meet again, so the first difference is found by halves.
StoreResult<std::optional<Difference>> difference(const HashAt& held_at, Sequence own, const Segment& segment) {
  if (segment.records().empty()) return std::optional<Difference>();
  const auto at = [&](std::uint64_t sequence) -> StoreResult<std::optional<Difference>> {
    auto held = held_at(Sequence(sequence));
    if (!held) return tl::unexpected(std::move(held.error()));
    if (!*held || **held == hash_in(segment, sequence)) return std::optional<Difference>();
    return std::optional<Difference>({Sequence(sequence), **held, hash_in(segment, sequence)});
  };
  std::uint64_t low = segment.info().first_sequence.value - 1;
  std::uint64_t high = std::min(segment.last().sequence.value, own.value);
  if (high < low) return std::optional<Difference>();
  auto found = at(high);
  if (!found || !*found) return found;
  while (low < high) {
    const std::uint64_t middle = low + (high - low) / 2;
    auto looked = at(middle);
    if (!looked) return looked;
    if (*looked) {
      found = std::move(looked);
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return found;
}

StoreResult<std::vector<Quarantined>> read_quarantine(const JournalOptions& options) {
  return guarded("read what is quarantined", [&] {
    std::vector<std::uint64_t> numbers = list_journal(options.folder);
    if (numbers.empty()) fail(StoreError::not_found, "no journal in " + options.folder);
    for (bool newest = true; !numbers.empty(); numbers.pop_back(), newest = false) {
      const Database db = open_for_reading(options, numbers.back(), newest);
      if (read_meta(*db)) return ForkTable(*db).load_quarantine();
    }
    return std::vector<Quarantined>();
  });
}

std::string judge_seal(const Segment& segment, const SealPublicKey& key) {
  const SegmentInfo& info = segment.info();
  if (const auto chained = verify_chain(segment, {Sequence(info.first_sequence.value - 1), info.previous}); !chained)
    return chained.error().reason;
  const auto& seal = segment.seal();
  if (!seal || seal->sequence != segment.last().sequence || seal->hash != segment.last().hash ||
      !verify_seal(key, info.feed, *seal))
    return "its seal is not that of " + to_text(info.feed.region);
  return {};
}

std::string judge_evidence(const QuarantinedSegment& evidence, const SealPublicKey& key) {
  const Quarantined& about = evidence.about;
  const auto segment = Segment::parse(evidence.segment);
  if (!segment) return "it cannot be read: " + segment.error().reason;
  const SegmentInfo& info = segment->info();
  const bool same = info.feed == about.feed && info.first_sequence == about.first && segment->last().sequence == about.last &&
                    segment->last().hash == about.last_hash;
  if (!same || about.differs > about.last) return "it is not what its row says";
  const bool goes_on = about.differs.value + 1 < about.first.value;
  if (!goes_on && hash_in(*segment, about.differs.value) != about.other) return "it has another hash than its row says";
  return judge_seal(*segment, key);
}

std::string evidence_text(const Quarantined& row) {
  return to_text(row.feed) + " sequence " + std::to_string(row.differs.value) + ": this journal holds " + short_hash(row.held) +
         ", " + to_text(row.by) + " delivered " + short_hash(row.other) + " (events " + std::to_string(row.first.value) + " to " +
         std::to_string(row.last.value) + ", " + std::to_string(row.bytes) + " bytes) at " + to_iso8601(row.at);
}

}  // namespace lianxi::store
