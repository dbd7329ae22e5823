// Any bytes as an event in JSON.
#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto event = event_from_json({reinterpret_cast<const char*>(data), size});
  if (!event) {
    FUZZ_REQUIRE(!event.error().reason.empty());
    return 0;
  }
  const auto read = decode_event(encode_event(*event));
  FUZZ_REQUIRE(read ? *read == *event : read.error().code == RefusalCode::oversize);
  return 0;
}
