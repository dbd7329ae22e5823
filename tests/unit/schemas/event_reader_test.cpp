// EventReader must judge as decode_event does: what one takes the other takes, and they refuse in the same words.
#include <gtest/gtest.h>

#include <random>

#include "schemas/codec/event_codec.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

void expect_same(EventReader& reader, BytesView bytes) {
  const auto event = decode_event(bytes);
  const auto read = reader.read(bytes);
  ASSERT_EQ(event.has_value(), read.has_value());
  if (!event) {
    ASSERT_EQ(event.error().code, read.error().code);
    ASSERT_EQ(event.error().field, read.error().field);
    ASSERT_EQ(event.error().reason, read.error().reason);
    return;
  }
  ASSERT_EQ(reader.envelope(), event->envelope);
  ASSERT_EQ(reader.lane(), lane_of(*event));
  ASSERT_EQ(reader.has_body(), !std::holds_alternative<std::monostate>(event->body));
}

std::vector<Bytes> samples() {
  std::vector<Bytes> all;
  for (const Event& event : {test::full_report(), test::full_alert(), test::full_resource(), test::small_event(1)})
    all.push_back(encode_event(event));
  return all;
}

TEST(EventReader, ReadsWhatDecodeEventReads) {
  EventReader reader;
  for (const Bytes& bytes : samples()) expect_same(reader, bytes);
}

TEST(EventReader, JudgesDamagedEventsAsDecodeEventDoes) {
  EventReader reader;
  std::mt19937 random(7);
  const std::vector<Bytes> good = samples();
  for (int round = 0; round < 20'000; ++round) {
    Bytes bytes = good[random() % good.size()];
    for (auto left = random() % 4; left > 0; --left) bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    expect_same(reader, bytes);
    if (HasFatalFailure()) return;
  }
}

TEST(EventReader, ReadsAtEveryAlignment) {
  EventReader reader;
  for (const Bytes& bytes : samples()) {
    for (std::size_t shift = 1; shift < 8; ++shift) {
      Bytes shifted(bytes.size() + shift);
      std::copy(bytes.begin(), bytes.end(), shifted.begin() + static_cast<std::ptrdiff_t>(shift));
      expect_same(reader, BytesView(shifted).subspan(shift));
    }
  }
}

TEST(EventReader, SaysWhetherRightsLookAtTheSameAsBefore) {
  EventReader reader;
  Event event = test::small_event(1);
  const auto same = [&] {
    EXPECT_TRUE(reader.read(encode_event(event)).has_value());
    return reader.same_rights();
  };
  EXPECT_FALSE(same()) << "nothing came before";
  EXPECT_TRUE(same());
  event.envelope.occurred_at += 1;
  EXPECT_TRUE(same());
  event.envelope.place = PlaceCode::parse("330881").value();
  EXPECT_FALSE(same());
  event.envelope.status = Status::Actual;
  EXPECT_FALSE(same());
  event.envelope.level = Level::blue;
  EXPECT_FALSE(same());
  event.envelope.agency = "water";
  EXPECT_FALSE(same());
  event.envelope.audience = Audience::local();
  EXPECT_FALSE(same());
  EXPECT_TRUE(same());
  EXPECT_FALSE(reader.read(Bytes(64)).has_value());
  EXPECT_TRUE(same()) << "what cannot be read changes nothing";
}

}  // namespace
}  // namespace lianxi
