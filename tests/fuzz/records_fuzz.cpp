// Any bytes as a file of each format and as a mapping file: every record is an event that the house admits, or a refusal that
// says why.
#include "agents/formats/records.h"
#include "schemas/codec/event_codec.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

namespace {

constexpr const char* kMapping = R"(
[[source]]
name = "0"
format = "jsonl"
datum = "GCJ02"
[source.map]
case_reference = ["LDBH", "caseNo"]
occurred_at = ["BJSJ", "occurTime"]
text = ["BJNR", "summary"]
lon = ["X", "location.lng"]
lat = ["Y", "location.lat"]
trapped = "BKRS"
place = "XZQHDM"
[source.time]
offset = "+08:00"
[[source]]
name = "1"
format = "csv"
datum = "WGS84"
[source.map]
case_reference = "联动编号"
occurred_at = "报警时间"
lon = "经度"
lat = "纬度"
trapped = "被困人数"
[source.time]
format = "%Y-%m-%d %H:%M:%S"
offset = "+08:00"
[[source]]
name = "2"
format = "resources"
datum = "GCJ02"
[[source]]
name = "3"
format = "jsonl"
encoding = "gb18030"
[source.map]
case_reference = "LDBH"
occurred_at = "BJSJ"
[source.time]
format = "%Y%m%d%H%M%S"
offset = "+08:00"
)";
const formats::MappingContext kContext{RegionCode(330800), "police"};

void explained(const std::vector<Refusal>& refusals) {
  FUZZ_REQUIRE(!refusals.empty());
  for (const Refusal& refusal : refusals) FUZZ_REQUIRE(!refusal.reason.empty());
}

void read_with(const formats::Source& source, std::string_view text) {
  const auto records = formats::read_records(source, text, 0);
  if (!records) return explained(records.error());
  for (const formats::Record& record : records->records) {
    if (record.event) {
      FUZZ_REQUIRE(check_event(*record.event));
    } else {
      FUZZ_REQUIRE(!record.event.error().reason.empty());
    }
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto mapping = formats::parse_mapping(kMapping, "fuzz.toml", kContext);
  FUZZ_REQUIRE(mapping.has_value());
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const formats::Source& source : mapping->sources) read_with(source, text);
  if (const auto other = formats::parse_mapping(std::string(text), "any.toml", kContext); !other) explained(other.error());
  return 0;
}
