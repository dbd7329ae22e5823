// Buffers that no honest writer makes: well-formed FlatBuffers built field by field to cost their reader dearly.
#include <flatbuffers/flatbuffers.h>
#include <gtest/gtest.h>

#include "schemas/codec/event_codec.h"
#include "schemas/limits.h"
#include "schemas/protocol.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;
using flatbuffers::uoffset_t;

// The place of a table's field `index` in its vtable.
constexpr flatbuffers::voffset_t field(unsigned index) {
  return static_cast<flatbuffers::voffset_t>(4 + 2 * index);
}

Offset<void> name_value(FlatBufferBuilder& out, Offset<flatbuffers::String> name, Offset<flatbuffers::String> value) {
  const uoffset_t start = out.StartTable();
  out.AddOffset(field(0), name);
  out.AddOffset(field(1), value);
  return Offset<void>(out.EndTable(start));
}

// A report (kind 2) whose `fields` is the given vector.
Bytes report_event(FlatBufferBuilder& out, Offset<flatbuffers::Vector<Offset<void>>> name_values) {
  const auto case_reference = out.CreateString("c");
  const uoffset_t body_start = out.StartTable();
  out.AddOffset(field(0), case_reference);
  out.AddOffset(field(16), name_values);
  const Offset<void> body(out.EndTable(body_start));
  const auto entity = out.CreateString("330800:incident:c");
  const auto place = out.CreateString("330803");
  const auto agency = out.CreateString("police");
  const auto audience = out.CreateString("conference");
  const uoffset_t start = out.StartTable();
  out.AddElement<std::uint16_t>(field(0), 2, 0);
  out.AddOffset(field(1), entity);
  out.AddOffset(field(3), place);
  out.AddOffset(field(4), agency);
  out.AddOffset(field(6), audience);
  out.AddElement<std::uint8_t>(field(8), 2, 0);
  out.AddOffset(field(9), body);
  out.Finish(Offset<void>(out.EndTable(start)), "LXEV");
  return {out.GetBufferPointer(), out.GetBufferPointer() + out.GetSize()};
}

TEST(HostileBuffer, TheHandMadeReportReads) {
  FlatBufferBuilder out;
  const auto text = out.CreateString("x");
  const std::vector<Offset<void>> list{name_value(out, text, text)};
  const Bytes bytes = report_event(out, out.CreateVector(list));
  const auto read = decode_event(bytes);
  ASSERT_TRUE(read) << read.error().field << ": " << read.error().reason;
  EXPECT_EQ(std::get<IncidentReport>(read->body).fields.size(), 1U);
}

TEST(HostileBuffer, ThousandsOfFieldsThatShareOneLongTextAreRefused) {
  FlatBufferBuilder out;
  const auto text = out.CreateString(std::string(100'000, 'x'));
  std::vector<Offset<void>> list;
  for (int i = 0; i < 5'000; ++i) list.push_back(name_value(out, text, text));
  const Bytes bytes = report_event(out, out.CreateVector(list));
  ASSERT_LT(bytes.size(), kMaxBodyBytes);
  const auto read = decode_event(bytes);  // read whole, it would be a gigabyte
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, RefusalCode::malformed);
}

TEST(HostileBuffer, MoreTablesThanTheLimitAreRefused) {
  FlatBufferBuilder out;
  const auto text = out.CreateString("x");
  const Offset<void> shared = name_value(out, text, text);
  const std::vector<Offset<void>> few(kMaxTables - 10, shared);
  EXPECT_TRUE(decode_envelope(report_event(out, out.CreateVector(few))));
  FlatBufferBuilder other;
  const auto other_text = other.CreateString("x");
  const std::vector<Offset<void>> too_many(kMaxTables + 1, name_value(other, other_text, other_text));
  EXPECT_EQ(decode_envelope(report_event(other, other.CreateVector(too_many))).error().code, RefusalCode::malformed);
}

TEST(HostileBuffer, APublishWhoseEventsShareTheirBytesIsRefused) {
  FlatBufferBuilder out;
  const auto bytes = out.CreateVector(Bytes(kMaxBodyBytes, 7));
  const uoffset_t event_start = out.StartTable();
  out.AddOffset(field(0), bytes);
  const Offset<void> event(out.EndTable(event_start));
  const auto events = out.CreateVector(std::vector<Offset<void>>(kMaxPublishEvents, event));
  const uoffset_t start = out.StartTable();
  out.AddOffset(field(3), events);
  out.Finish(Offset<void>(out.EndTable(start)));
  const Frames frames = encode_frames({MessageType::publish, 0, Lane::normal, SessionId(1), 1},
                                      {out.GetBufferPointer(), out.GetBufferPointer() + out.GetSize()});
  const auto read = decode(frames.header, frames.payload, Speaker::client);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, RefusalCode::malformed);
}

TEST(HostileBuffer, AUnionNumberWithoutItsTableIsRefused) {
  for (const std::uint8_t number : {std::uint8_t{1}, std::uint8_t{2}, std::uint8_t{3}, std::uint8_t{9}}) {
    FlatBufferBuilder out;
    const std::string_view words[] = {"", "alert", "incident", "resource", "", "", "", "", "", "response_level"};
    const auto entity = out.CreateString("330800:" + std::string(words[number]) + ":c");
    const auto place = out.CreateString("330803");
    const auto agency = out.CreateString("police");
    const auto audience = out.CreateString("conference");
    const uoffset_t start = out.StartTable();
    out.AddElement<std::uint16_t>(field(0), number, 0);
    out.AddOffset(field(1), entity);
    out.AddOffset(field(3), place);
    out.AddOffset(field(4), agency);
    out.AddOffset(field(6), audience);
    out.AddElement<std::uint8_t>(field(8), number, 0);
    out.Finish(Offset<void>(out.EndTable(start)), "LXEV");
    const Bytes bytes(out.GetBufferPointer(), out.GetBufferPointer() + out.GetSize());
    EXPECT_EQ(decode_event(bytes).has_value(), number == 9) << "a kind without a table here has nothing to read";
    EXPECT_EQ(decode_envelope(bytes).has_value(), number == 9);
  }
}

TEST(HostileBuffer, ATableThatContainsItselfEndsAtTheDepthLimit) {
  // An offset that leads back to its own vector would loop; the verifier's depth and table limits end it.
  FlatBufferBuilder out;
  const auto text = out.CreateString("x");
  const std::vector<Offset<void>> list{name_value(out, text, text)};
  Bytes bytes = report_event(out, out.CreateVector(list));
  for (std::size_t i = 0; i + 4 <= bytes.size(); i += 4) {
    for (const std::uint32_t offset : {0U, 4U, 0xFFFFFFFCU, 0x7FFFFFFCU}) {
      Bytes bent = bytes;
      for (std::size_t b = 0; b < 4; ++b) bent[i + b] = static_cast<std::uint8_t>(offset >> (8 * b));
      if (const auto read = decode_event(bent)) (void)encode_event(*read);
    }
  }
}

}  // namespace
}  // namespace lianxi
