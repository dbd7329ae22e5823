// A segment from a peer, judged against what this node holds of its feed. Pure; the chain is walked once.
#pragma once

#include <string>

#include "broker/core/policy.h"
#include "schemas/codec/segment.h"

namespace lianxi::core {

struct SegmentVerdict {
  enum class Outcome : std::uint8_t {
    append,  // continues our head, or overlaps it and goes on
    known,   // holds nothing new
    gap,     // what is between our head and it is missing
    broken,  // chain or seal does not verify
    forked,  // sealed by the member, yet it contradicts what the same member sealed before
  };
  Outcome outcome = Outcome::append;
  std::string reason;
};

[[nodiscard]] SegmentVerdict judge_segment(const Segment& segment, const FeedHead& ours, const SealPublicKey& key);

// Whether an event behind `held` is without its body. The chain holds without it, so whoever passes it on could take it away.
[[nodiscard]] bool lacks_body(const Segment& segment, Sequence held);

// The segment as this node stores it at `offset`, cut to what is beyond `ours`. Only after Outcome::append.
struct CutSegment {
  SegmentInfo info;
  Bytes bytes;
};
[[nodiscard]] CutSegment cut_behind(const Segment& segment, const FeedHead& ours, Offset offset);

}  // namespace lianxi::core
