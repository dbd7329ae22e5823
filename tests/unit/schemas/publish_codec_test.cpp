#include "schemas/codec/publish_codec.h"

#include <gtest/gtest.h>

#include "schemas/protocol.h"

namespace lianxi {
namespace {

Bytes run_of(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + size);
  return bytes;
}

Result<Message> through(const Publish& publish) {
  PublishView view{
      publish.session, publish.lane, publish.first_sequence, publish.answered_through, publish.peers, publish.deadline_ms, {}};
  for (const Bytes& event : publish.events) view.events.emplace_back(event);
  const Frames frames = encode(view);
  EXPECT_LE(frames.payload.size(), kMaxPublishBytes);
  return decode(frames.header, frames.payload, Speaker::client);
}

TEST(PublishCodec, WhatIsPackedInPlaceReadsAsThePublish) {
  Publish publish{SessionId{7}, Lane::bulk, Sequence{1'234}, Sequence{900}, 2, 1'500, {}};
  for (std::size_t size = 1; size <= 40; ++size) publish.events.push_back(run_of(size));
  for (const std::size_t size : {255U, 256U, 257U, 4'096U, 200'000U}) publish.events.push_back(run_of(size));
  const auto read = through(publish);
  ASSERT_TRUE(read) << read.error().reason;
  EXPECT_EQ(std::get<Publish>(*read), publish);
}

TEST(PublishCodec, OneEventAndTheMostEventsArePacked) {
  Publish publish{SessionId{1}, Lane::flash, Sequence{1}, Sequence{}, 0, 0, {run_of(8)}};
  EXPECT_EQ(std::get<Publish>(through(publish).value()), publish);
  publish.events.assign(kMaxPublishEvents, run_of(17));
  EXPECT_EQ(std::get<Publish>(through(publish).value()), publish);
}

TEST(PublishCodec, TheOverheadOfAnEventStaysWithinItsBound) {
  for (std::size_t size = 1; size <= 64; ++size) {
    const Bytes event = run_of(size);
    const PublishView view{
        SessionId{1}, Lane::normal, Sequence{1}, Sequence{}, 0, 0, std::vector<BytesView>(kMaxPublishEvents, BytesView(event))};
    EXPECT_LE(encode(view).payload.size(), kPublishBytesAround + kMaxPublishEvents * (size + kPublishBytesPerEvent)) << size;
  }
}

}  // namespace
}  // namespace lianxi
