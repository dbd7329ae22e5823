#include "schemas/codec/packing.h"

#include <gmock/gmock.h>

#include <cstring>

#include "schemas/codec/deliver_codec.h"
#include "schemas/limits.h"
#include "schemas/protocol.h"

namespace lianxi {
namespace {

// What shrinks as reports do: words that come again, and numbers that do not.
Bytes text(std::size_t size) {
  Bytes out;
  for (std::uint64_t i = 0; out.size() < size; ++i) {
    const std::string line = "浓烟, 衢江区 report " + std::to_string(i * 0x9e3779b97f4a7c15ULL) + "\n";
    out.insert(out.end(), line.begin(), line.end());
  }
  out.resize(size);
  return out;
}
Bytes noise(std::size_t size) {
  Bytes out(size);
  std::uint64_t x = 1;
  for (std::uint8_t& byte : out) {
    x ^= x << 13U;
    x ^= x >> 7U;
    x ^= x << 17U;
    byte = static_cast<std::uint8_t>(x >> 32U);
  }
  return out;
}
Result<Message> received(Bytes packed) {
  const Frames frames =
      encode_frames({MessageType::deliver, kFlagPacked | kFlagCaughtUp, Lane::flash, SessionId(3), 77}, std::move(packed));
  return decode(frames.header, frames.payload);
}
void say_size(Bytes& packed, std::uint32_t size) {
  std::memcpy(packed.data(), &size, sizeof size);
}
Refusal refusal_of(const Bytes& packed) {
  const auto read = received(packed);
  return read ? Refusal{} : read.error();
}

TEST(Packing, WhatIsPackedIsReadBackAsTheDeliveryThatItWas) {
  Packer packer;
  for (const std::size_t size : {kMinPackBytes, std::size_t{48 * 1024}, kMaxSegmentBytes, kMaxDeliverBytes}) {
    const Bytes plain = text(size);
    const auto packed = packer.pack(plain);
    ASSERT_TRUE(packed) << size;
    EXPECT_LT(packed->size(), size * 7 / 8);
    EXPECT_EQ(unpack(*packed).value(), plain);
    const auto message = received(*packed);
    ASSERT_TRUE(message) << message.error().reason;
    EXPECT_EQ(std::get<Deliver>(*message), (Deliver{SessionId(3), Offset(77), true, plain}));
  }
}

TEST(Packing, WhatIsShortOrDoesNotShrinkStaysAsItIs) {
  Packer packer;
  EXPECT_FALSE(packer.pack(text(kMinPackBytes - 1)));
  EXPECT_FALSE(packer.pack(noise(2'000)));
  EXPECT_FALSE(packer.pack(noise(48 * 1024)));
  EXPECT_FALSE(packer.pack(text(kMaxDeliverBytes + 1)));
  EXPECT_TRUE(packer.pack(text(48 * 1024))) << "the one before has left nothing behind";
}

TEST(Packing, ASizeBeyondADeliverysBoundIsRefusedBeforeItIsTaken) {
  Bytes packed = Packer().pack(text(4'096)).value();
  say_size(packed, kMaxDeliverBytes + 1);
  EXPECT_EQ(refusal_of(packed).code, RefusalCode::oversize);
  say_size(packed, 0xffffffffU);
  EXPECT_EQ(refusal_of(packed).code, RefusalCode::oversize);
}

// Four megabytes of one byte are some hundred bytes packed.
TEST(Packing, ABombIsRefusedByTheSizeThatItSays) {
  Bytes bomb = Packer().pack(Bytes(kMaxDeliverBytes, 0)).value();
  ASSERT_LT(bomb.size(), 2'000U);
  for (const std::uint32_t said : {0U, 1U, 4'096U, static_cast<std::uint32_t>(kMaxDeliverBytes - 1)}) {
    say_size(bomb, said);
    EXPECT_EQ(refusal_of(bomb).code, RefusalCode::malformed) << said;
  }
  say_size(bomb, kMaxDeliverBytes);
  EXPECT_TRUE(received(bomb));
}

TEST(Packing, OneByteMoreOrLessThanIsSaidIsRefused) {
  Bytes packed = Packer().pack(text(4'096)).value();
  for (const std::uint32_t said : {4'095U, 4'097U, 0U}) {
    say_size(packed, said);
    const Refusal refusal = refusal_of(packed);
    EXPECT_EQ(refusal.code, RefusalCode::malformed) << said;
    EXPECT_EQ(refusal.field, "payload");
    EXPECT_FALSE(refusal.reason.empty());
  }
}

TEST(Packing, WhatIsCutAnywhereIsRefused) {
  const Bytes packed = Packer().pack(text(4'096)).value();
  for (std::size_t size = 0; size < packed.size(); ++size) {
    const auto read = unpack(BytesView(packed).first(size));
    ASSERT_FALSE(read) << size;
    EXPECT_EQ(read.error().code, RefusalCode::malformed);
  }
}

TEST(Packing, WhoDidNotAskForItRefusesIt) {
  const Frames frames =
      encode_frames({MessageType::deliver, kFlagPacked, Lane::flash, SessionId(3), 77}, Packer().pack(text(4'096)).value());
  const auto view = decode_deliver(frames.header, frames.payload);
  ASSERT_TRUE(view);
  ASSERT_FALSE(*view);
  EXPECT_EQ(view->error().field, "header.flags");
}

}  // namespace
}  // namespace lianxi
