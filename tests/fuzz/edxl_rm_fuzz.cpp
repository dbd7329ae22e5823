// Any bytes as an EDXL-RM document: a message that the house admits is written as XML that reads back the same.
#include "agents/formats/edxl_rm.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto document = formats::read_edxl_rm({data, size});
  if (!document) {
    FUZZ_REQUIRE(!document.error().reason.empty());
    return 0;
  }
  const formats::EdxlContext context{RegionCode(330800), "emergency", Audience::conference(), PlaceCode::of(RegionCode(330800))};
  const auto event = formats::mobilisation_event(*document, context);
  if (!event) return 0;
  const std::string xml = formats::write_edxl_rm(*event);
  const auto again = formats::read_edxl_rm({reinterpret_cast<const std::uint8_t*>(xml.data()), xml.size()});
  FUZZ_REQUIRE(again.has_value());
  FUZZ_REQUIRE(again->mobilisation == document->mobilisation);
  return 0;
}
