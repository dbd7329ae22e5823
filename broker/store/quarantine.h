// Other histories of feeds: what a journal keeps of them, and how it tells where they part from its own.
#pragma once

#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

// The hash that the journal holds of a feed at a sequence; none if it does not reach so far. `feeds`: those that it holds.
[[nodiscard]] StoreResult<std::optional<Hash>> hash_at(JournalReader& reader, const FeedVector& feeds, const FeedId& feed,
                                                       Sequence sequence);

// Where a segment, and the head that it follows, first contradicts the journal: none if it nowhere does.
struct Difference {
  Sequence at;
  Hash held{}, other{};
};
using HashAt = std::function<StoreResult<std::optional<Hash>>(Sequence)>;  // of the segment's feed, up to `own`
[[nodiscard]] StoreResult<std::optional<Difference>> difference(const HashAt& held_at, Sequence own, const Segment& segment);

// All that the journal in the folder keeps, by time. Its node may run.
[[nodiscard]] StoreResult<std::vector<Quarantined>> read_quarantine(const JournalOptions& options);

// Whether it is the region's word: chain and seal with its key. Empty, or what is wrong.
[[nodiscard]] std::string judge_seal(const Segment& segment, const SealPublicKey& key);
// Whether the segment proves by itself what is said of it: chain and seal with the region's key, and the other hash at the
// sequence, unless it goes on from another part. Empty, or what is wrong.
[[nodiscard]] std::string judge_evidence(const QuarantinedSegment& evidence, const SealPublicKey& key);
// "330800/1/normal/conference sequence 3: ...", one line.
[[nodiscard]] std::string evidence_text(const Quarantined& row);

}  // namespace lianxi::store
