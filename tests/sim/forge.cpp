// Layout of records: schemas/README.md.
#include "tests/sim/forge.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>

namespace lianxi::sim {
namespace {

constexpr std::size_t kChecksumAt = 4, kCheckedAt = 8, kHashAt = 104;

void sign_off(std::uint8_t* record, std::size_t bytes) {
  const auto sum = static_cast<std::uint32_t>(XXH3_64bits(record + kCheckedAt, bytes - kCheckedAt));
  std::memcpy(record + kChecksumAt, &sum, sizeof sum);
}

}  // namespace

bool falsify(Bytes& segments, Prng& random) {
  const auto parsed = parse_segments(segments);
  if (!parsed || parsed->empty()) return false;
  const Segment& segment = (*parsed)[random.below(parsed->size())];
  const RecordView& record = segment.records()[random.below(segment.records().size())];
  if (record.body.empty()) return false;
  std::uint8_t* at = segments.data() + (record.bytes.data() - segments.data());
  at[static_cast<std::size_t>(record.body.data() - record.bytes.data()) + random.below(record.body.size())] ^= 1U;
  sign_off(at, record.bytes.size());
  return true;
}

void blot_out(Bytes& segment, const std::function<bool(const RecordView&)>& chosen) {
  const auto parsed = Segment::parse(segment);
  if (!parsed) return;
  for (const RecordView& record : parsed->records()) {
    if (!chosen(record)) continue;
    std::uint8_t* at = segment.data() + (record.bytes.data() - segment.data());
    std::fill_n(at + (record.body.data() - record.bytes.data()), record.body.size(), std::uint8_t{0});
    sign_off(at, record.bytes.size());
  }
}

Bytes retold(const FeedId& feed, const FeedHead& head, const RecordView& record, BytesView body, Offset offset) {
  SegmentWriter writer(feed, FeedHead{Sequence(head.sequence.value - 1), {}}, offset);
  Stamp stamp = record.stamp;
  stamp.sequence = head.sequence;
  writer.append(stamp, record.salt, body);
  Bytes out = std::move(writer).finish();
  const auto parsed = Segment::parse(out);
  if (!parsed) return out;
  const BytesView whole = parsed->records().front().bytes;
  std::uint8_t* at = out.data() + (whole.data() - out.data());
  std::copy(head.hash.begin(), head.hash.end(), at + kHashAt);
  sign_off(at, whole.size());
  return out;
}

}  // namespace lianxi::sim
