#include "schemas/codec/event_codec.h"

#include <gtest/gtest.h>

#include "schemas/limits.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

TEST(EventCodec, EveryFieldIsReadBack) {
  for (const Event& event : {test::full_alert(), test::full_report(), test::full_resource(), test::full_site(),
                             test::kept_resource(), test::full_mobilisation()}) {
    const Bytes bytes = encode_event(event);
    const auto read = decode_event(bytes);
    ASSERT_TRUE(read) << read.error().field << ": " << read.error().reason;
    EXPECT_EQ(*read, event);
    EXPECT_EQ(decode_envelope(bytes).value(), event.envelope);
    EXPECT_EQ(encode_event(*read), bytes) << "equal events give equal bytes";
  }
}

TEST(EventCodec, AKindWithoutRulesHereKeepsItsEnvelope) {
  Event event = test::full_report();
  event.envelope.kind = static_cast<Kind>(900);
  event.envelope.entity = "330800:weather_station:7";
  event.body = std::monostate{};
  EXPECT_EQ(decode_event(encode_event(event)).value(), event);
  event.envelope.kind = Kind::roll_call;
  event.envelope.entity = "330800:roll_call:7";
  EXPECT_EQ(decode_event(encode_event(event)).value(), event);
}

TEST(EventCodec, BytesNeedNoAlignment) {
  const Bytes bytes = encode_event(test::full_alert());
  for (std::size_t shift = 0; shift < 8; ++shift) {
    Bytes shifted(shift);
    shifted.insert(shifted.end(), bytes.begin(), bytes.end());
    EXPECT_EQ(decode_event(BytesView(shifted).subspan(shift)).value(), test::full_alert());
  }
}

TEST(EventCodec, ForeignBytesAreMalformed) {
  EXPECT_EQ(decode_event({}).error().code, RefusalCode::malformed);
  const Bytes noise(300, 0xA5);
  EXPECT_EQ(decode_event(noise).error().code, RefusalCode::malformed);
  EXPECT_EQ(decode_envelope(noise).error().code, RefusalCode::malformed);
}

TEST(EventCodec, OversizeIsRefusedBeforeItIsRead) {
  const Bytes large(kMaxBodyBytes + 1);
  EXPECT_EQ(decode_event(large).error().code, RefusalCode::oversize);
  EXPECT_EQ(decode_envelope(large).error().code, RefusalCode::oversize);
}

TEST(EventCodec, EveryCutIsRefused) {
  for (const Event& event : {test::full_alert(), test::full_report(), test::full_resource(), test::full_site(),
                             test::kept_resource(), test::full_mobilisation()}) {
    const Bytes bytes = encode_event(event);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
      // The last bytes may be padding of a text; what is read must then be the same.
      const auto read = decode_event(cut);
      EXPECT_TRUE(!read || *read == event) << size;
    }
  }
}

}  // namespace
}  // namespace lianxi
