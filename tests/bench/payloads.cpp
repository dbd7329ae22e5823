#include "tests/bench/payloads.h"

#include <charconv>
#include <cstdio>
#include <stdexcept>

#include "schemas/codec/event_codec.h"
#include "schemas/event_rules.h"
#include "tests/support/sample_events.h"

namespace lianxi::bench {
namespace {

constexpr int kEntities = 1'000;
constexpr std::size_t kPublisherDigits = 2;
constexpr std::size_t kNumberDigits = 12;
constexpr std::size_t kTagBytes = kPublisherDigits + 1 + kNumberDigits;
const RegionCode kRegion{330800};

void put_number(char* at, std::uint64_t number) {
  for (std::size_t i = kNumberDigits; i-- > 0; number /= 10) at[i] = static_cast<char>('0' + number % 10);
}

std::string tag_of(std::size_t publisher) {
  char text[kTagBytes + 1];
  std::snprintf(text, sizeof text, "%02zu-%012d", publisher, 0);
  return text;
}

// Where the tag stands in an event.
std::string& tag_in(Event& event) {
  if (auto* report = std::get_if<IncidentReport>(&event.body)) return report->own_reference;
  return std::get<Resource>(event.body).address;
}

std::string_view tag_in(const EventReader& event) {
  if (const ReportView* report = event.report()) return report->own_reference;
  if (const ResourceView* resource = event.resource()) return resource->address;
  return {};
}

Event light_event(int entity, PayloadKind kind, const std::string& tag, std::size_t padding) {
  Resource body;
  body.change = kind == PayloadKind::bulk ? ResourceChange::quantity : ResourceChange::state;
  body.state = entity % 2 == 0 ? ResourceState::deployed : ResourceState::available;
  if (kind == PayloadKind::bulk) body.quantity_milli = 1'000 * (entity + 1);
  body.address = tag + std::string(padding, 'x');
  Event event;
  event.envelope = {Kind::resource,
                    resource_entity(kRegion, "bench-" + std::to_string(1'000 + entity)),
                    Status::Actual,
                    PlaceCode::parse("330803").value(),
                    "emergency",
                    Level::none,
                    Audience::conference(),
                    test::kNoon};
  event.body = std::move(body);
  return event;
}

Event incident_event(int entity, const std::string& tag) {
  Event event = test::full_report();
  auto& report = std::get<IncidentReport>(event.body);
  report.case_reference = "QZ-2020-" + std::to_string(1'000 + entity);
  report.own_reference = tag;
  event.envelope.entity = incident_entity(kRegion, report.case_reference);
  event.envelope.status = Status::Actual;
  event.envelope.agency = "emergency";  // whose agents publish here
  return event;
}

std::string encoded(const Event& event) {
  const Bytes bytes = encode_event(event);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::size_t padding_for(PayloadKind kind, const std::string& tag, std::size_t bytes) {
  std::size_t padding = 0;
  while (encode_event(light_event(0, kind, tag, padding)).size() < bytes) ++padding;
  if (encode_event(light_event(0, kind, tag, padding)).size() != bytes)
    throw std::runtime_error("no event has exactly " + std::to_string(bytes) + " bytes; the least has " +
                             std::to_string(encode_event(light_event(0, kind, tag, 0)).size()));
  return padding;
}

}  // namespace

Payloads::Payloads(PayloadKind kind, std::size_t publisher, std::size_t bytes) : publisher_(publisher) {
  const std::string tag = tag_of(publisher_);
  const std::size_t padding = kind == PayloadKind::incident ? 0 : padding_for(kind, tag, bytes);
  for (int entity = 0; entity < kEntities; ++entity) {
    events_.push_back(kind == PayloadKind::incident ? incident_event(entity, tag) : light_event(entity, kind, tag, padding));
    encoded_.push_back(encoded(events_.back()));
    const std::size_t at = encoded_.back().find(tag);
    if (at == std::string::npos) throw std::runtime_error("an encoded event does not show its number");
    number_at_.push_back(at + kPublisherDigits + 1);
  }
}

const Event& Payloads::event(std::uint64_t number) {
  Event& event = events_[number % kEntities];
  put_number(tag_in(event).data() + kPublisherDigits + 1, number);
  return event;
}

std::string_view Payloads::bytes(std::uint64_t number) {
  std::string& bytes = encoded_[number % kEntities];
  put_number(bytes.data() + number_at_[number % kEntities], number);
  return bytes;
}

void Checker::check(std::string_view bytes) {
  const auto read = reader_.read(BytesView(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  check(read ? Result<const EventReader*>(&reader_) : tl::unexpected(read.error()));
}

void Checker::check(const Result<const EventReader*>& event) {
  if (!event) throw std::runtime_error("a follower got an event that cannot be read: " + event.error().reason);
  const std::string_view tag = tag_in(**event);
  std::size_t publisher = 0;
  std::uint64_t number = 0;
  if (tag.size() < kTagBytes) throw std::runtime_error("a follower got an event without its number");
  std::from_chars(tag.data(), tag.data() + kPublisherDigits, publisher);
  std::from_chars(tag.data() + kPublisherDigits + 1, tag.data() + kTagBytes, number);
  if (publisher >= kMaxPublishers || next_[publisher] != number)
    throw std::runtime_error("a follower got event " + std::string(tag.substr(0, kTagBytes)) + " and not number " +
                             std::to_string(publisher < kMaxPublishers ? next_[publisher] : 0));
  ++next_[publisher];
  received_.fetch_add(1, std::memory_order_relaxed);
}

void Checker::fail(std::string why) {
  if (failed_) return;
  failure_ = std::move(why);
  failed_ = true;
}

}  // namespace lianxi::bench
