// Any bytes as an event: refused with a reason, or read as what writes back to the same.
#include "schemas/codec/event_codec.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  const auto envelope = decode_envelope(bytes);
  const auto event = decode_event(bytes);
  if (!event) {
    FUZZ_REQUIRE(!event.error().reason.empty());
    return 0;
  }
  FUZZ_REQUIRE(envelope && *envelope == event->envelope);
  FUZZ_REQUIRE(check_event(*event));
  (void)lane_of(*event);
  const Bytes again = encode_event(*event);
  const auto read = decode_event(again);
  FUZZ_REQUIRE(read ? *read == *event : read.error().code == RefusalCode::oversize);
  return 0;
}
