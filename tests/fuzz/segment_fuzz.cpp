// Any bytes as segments: as they are, and with every checksum made right, so that the fields behind them are reached.
#include <xxhash.h>

#include <cstring>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"
#include "schemas/codec/segment.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

namespace {

template <class T>
T number_at(const Bytes& bytes, std::size_t at) {
  T value{};
  if (at + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + at, sizeof(T));
  return value;
}

template <class T>
void put_at(Bytes& bytes, std::size_t at, T value) {
  if (at + sizeof(T) <= bytes.size()) std::memcpy(bytes.data() + at, &value, sizeof(T));
}

// Offsets as in schemas/README.md.
void repair(Bytes& bytes) {
  if (bytes.size() < 88) return;
  const std::size_t audience = (bytes[17] + 7U) & ~7U;
  const std::size_t header = 80 + audience + 8;
  if (header > bytes.size()) return;
  put_at(bytes, header - 8, static_cast<std::uint64_t>(XXH3_64bits(bytes.data(), header - 8)));
  std::size_t at = header;
  for (auto left = number_at<std::uint32_t>(bytes, 20); left > 0 && at + 136 <= bytes.size(); --left) {
    const std::size_t length = number_at<std::uint32_t>(bytes, at);
    if (length < 136 || length > bytes.size() - at) return;
    put_at(bytes, at + 4, static_cast<std::uint32_t>(XXH3_64bits(bytes.data() + at + 8, length - 8)));
    at += length;
  }
  if (at + 112 <= bytes.size()) put_at(bytes, at + 104, static_cast<std::uint64_t>(XXH3_64bits(bytes.data() + at, 104)));
}

void check(BytesView bytes) {
  const auto segments = parse_segments(bytes);
  if (!segments) {
    FUZZ_REQUIRE(!segments.error().reason.empty());
    return;
  }
  for (const Segment& segment : *segments) {
    const SegmentInfo& info = segment.info();
    const FeedHead before{Sequence(info.first_sequence.value - 1), info.previous};
    (void)verify_chain(segment, before);
    SegmentWriter writer(info.feed, before, info.first_offset);
    if (info.filtered) writer.mark_filtered();
    std::uint64_t offset = info.first_offset.value;
    for (const RecordView& record : segment.records()) {
      (void)event_json(info.feed, Offset(offset++), record);
      writer.append(record);
    }
    FUZZ_REQUIRE(std::move(writer).finish() == as_stored(segment, info.first_offset));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check({data, size});
  Bytes repaired(data, data + size);
  repair(repaired);
  check(repaired);
  return 0;
}
