// EventReader must judge as decode_event does: what one takes the other takes, and they refuse in the same words.
#include <gtest/gtest.h>

#include <random>

#include "schemas/codec/event_codec.h"
#include "schemas/event_rules.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

std::vector<NameValue> owned(std::span<const NameValueView> views) {
  std::vector<NameValue> all;
  for (const NameValueView& view : views) all.push_back({std::string(view.name), std::string(view.value)});
  return all;
}

IncidentReport owned(const ReportView& v) {
  const auto text = [](std::string_view view) { return std::string(view); };
  return {text(v.case_reference), v.report_type,    v.incident_class, v.state,   text(v.event_code), text(v.title), text(v.text),
          text(v.address),        v.location,       v.deaths,         v.missing, v.injured,          v.trapped,     v.affected,
          text(v.own_reference),  text(v.reporter), owned(v.fields)};
}

Resource owned(const ResourceView& v) {
  const auto text = [](std::string_view view) { return std::string(view); };
  return {v.change,
          v.type,
          text(v.name),
          text(v.owner),
          text(v.address),
          v.location,
          std::vector<std::string>(v.capabilities.begin(), v.capabilities.end()),
          v.state,
          v.quantity_milli,
          text(v.unit),
          v.capacity,
          v.occupancy,
          text(v.supply_code),
          text(v.contact),
          text(v.phone),
          owned(v.attributes),
          v.as_of,
          text(v.answerable),
          text(v.answerable_phone),
          v.valid_from,
          v.valid_until,
          {v.area.begin(), v.area.end()},
          {v.languages.begin(), v.languages.end()},
          {v.on_call.begin(), v.on_call.end()},
          v.keeps};
}

Body body_of(const EventReader& reader) {
  if (reader.report() != nullptr) return owned(*reader.report());
  if (reader.resource() != nullptr) return owned(*reader.resource());
  if (reader.alert() != nullptr) return *reader.alert();
  if (reader.mobilisation() != nullptr) return *reader.mobilisation();
  return {};
}

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
  ASSERT_EQ(reader.home(), home_region(event->envelope.entity).value());
  ASSERT_TRUE(body_of(reader) == event->body);
  ASSERT_EQ(reader.has_body(), !std::holds_alternative<std::monostate>(event->body));
}

std::vector<Bytes> samples() {
  std::vector<Bytes> all;
  for (const Event& event : {test::full_report(), test::full_alert(), test::full_resource(), test::full_site(),
                             test::kept_resource(), test::full_mobilisation(), test::small_event(1)})
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
