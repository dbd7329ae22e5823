// Any bytes as a CAP document: a document that the house admits as an event reads back the same.
#include "agents/formats/cap.h"
#include "schemas/codec/event_codec.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = formats::read_cap({data, size});
  if (!document) {
    FUZZ_REQUIRE(!document.error().reason.empty());
    return 0;
  }
  const formats::CapContext context{RegionCode(330800), "emergency", Audience::conference(), PlaceCode::of(RegionCode(330800))};
  const Event event = formats::alert_event(*document, context);
  if (!check_event(event)) return 0;
  const auto read = decode_event(encode_event(event));
  FUZZ_REQUIRE(read ? *read == event : read.error().code == RefusalCode::oversize);
  return 0;
}
