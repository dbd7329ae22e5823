#include "schemas/codec/frame.h"

#include <gtest/gtest.h>

#include "schemas/limits.h"

namespace lianxi {
namespace {

FrameHeader sample() {
  return {MessageType::publish, 3, Lane::bulk, SessionId(0x0123456789ABCDEF), 42};
}

TEST(Frame, HeaderIsReadBack) {
  const Frames frames = encode_frames(sample(), {1, 2, 3});
  EXPECT_EQ(frames.header.size(), kHeaderBytes);
  EXPECT_EQ(decode_header(frames.header, frames.payload).value(), sample());
}

TEST(Frame, EveryFlippedBitOfHeaderOrPayloadIsRefused) {
  Frames frames = encode_frames(sample(), Bytes(100, 7));
  for (Bytes* part : {&frames.header, &frames.payload}) {
    for (std::size_t i = 0; i < part->size() * 8; ++i) {
      std::uint8_t& byte = (*part)[i / 8];
      byte = static_cast<std::uint8_t>(byte ^ (1U << (i % 8)));
      EXPECT_FALSE(decode_header(frames.header, frames.payload)) << i;
      byte = static_cast<std::uint8_t>(byte ^ (1U << (i % 8)));
    }
  }
  EXPECT_TRUE(decode_header(frames.header, frames.payload));
}

TEST(Frame, ShortLongAndEmptyHeadersAreRefused) {
  const Frames frames = encode_frames(sample(), {});
  for (std::size_t size = 0; size < kHeaderBytes; ++size) {
    const auto refused = decode_header(BytesView(frames.header).first(size), frames.payload);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, RefusalCode::malformed);
  }
  Bytes longer = frames.header;
  longer.push_back(0);
  EXPECT_FALSE(decode_header(longer, frames.payload));
}

TEST(Frame, RefusalsSayWhich) {
  const auto code = [](std::size_t at, std::uint8_t value) {
    Frames frames = encode_frames(sample(), {});
    frames.header[at] = value;
    return decode_header(frames.header, frames.payload).error();
  };
  EXPECT_EQ(code(0, 'X').field, "header.magic");
  EXPECT_EQ(code(4, 2).code, RefusalCode::unsupported_version);
  EXPECT_EQ(code(5, 13).code, RefusalCode::unknown_type);
  EXPECT_EQ(code(5, 0).code, RefusalCode::unknown_type);
  EXPECT_EQ(code(7, 3).field, "header.lane");
  EXPECT_EQ(code(9, 1).field, "header.checksum");
}

TEST(Frame, APayloadAboveItsTypesBoundIsRefusedBeforeItIsRead) {
  for (const MessageType type :
       {MessageType::hello, MessageType::publish, MessageType::follow, MessageType::deliver, MessageType::answer}) {
    const std::size_t bound = max_payload_bytes(type);
    const FrameHeader header{type, 0, Lane::flash, SessionId(1), 0};
    const Frames fits = encode_frames(header, Bytes(bound));
    EXPECT_TRUE(decode_header(fits.header, fits.payload));
    const Frames over = encode_frames(header, Bytes(bound + 1));
    EXPECT_EQ(decode_header(over.header, over.payload).error().code, RefusalCode::oversize);
  }
}

}  // namespace
}  // namespace lianxi
