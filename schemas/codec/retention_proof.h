// Why a feed may begin in the middle: its own region says in it, under its seal, that what is before counts no more.
#pragma once

#include "schemas/codec/segment.h"

namespace lianxi {

struct RetentionProof {
  FeedHead through;  // nothing up to here counts
  Sequence at;       // of the retention
  Hash hash{};       // the chain's there
};

// Whether the segment's first event has the form of a retention of its own feed, as far as that is to be seen in it.
[[nodiscard]] bool begins_with_retention(const Segment& segment);
// What a sealed segment proves that begins with a retention of its own feed. Chain and seal are checked here, so nobody but who
// holds the region's key can make one. Refusals: feed_broken, with what is missing of a proof.
[[nodiscard]] Result<RetentionProof> read_retention_proof(const Segment& segment, const SealPublicKey& key);
// The same proof, sealed, with no other body than the retention's.
[[nodiscard]] Bytes strip_proof(const Segment& sealed);

}  // namespace lianxi
