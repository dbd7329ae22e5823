#include "tests/sim/story.h"

#include "schemas/codec/event_codec.h"

namespace lianxi::sim {
namespace {

constexpr std::uint64_t kResourcesPerRegion = 8;
constexpr std::uint64_t kCases = 6;

}  // namespace

Envelope Story::envelope(RegionCode home, const std::string& agency) {
  Prng& random = random_;
  Envelope out;
  out.status = random.chance(10) ? Status::Exercise : Status::Actual;
  out.place = PlaceCode::of(home);
  out.agency = agency;
  out.level = static_cast<Level>(random.below(5));
  out.audience = Audience::conference();
  if (random.chance(15)) out.audience = Audience::local();
  // The group holds the first two regions only.
  if ((home == regions_[0] || home == regions_[1]) && random.chance(12)) out.audience = *Audience::parse("inner");
  out.occurred_at = world_.now();
  return out;
}

Event Story::alert(Envelope envelope, RegionCode home) {
  Prng& random = random_;
  Alert body;
  body.identifier = "A" + std::to_string(serial_);
  body.sender = "alerts@" + to_text(home);
  body.sent = world_.now() - random.between(0, 60'000);
  if (!alerts_.empty() && random.chance(45)) {
    // Mostly its own region's alerts; another's cannot be changed from here, and is to stay as it is.
    body.msg_type = random.chance(60) ? MsgType::Update : MsgType::Cancel;
    for (int attempt = 0; attempt < 4 && body.references.empty(); ++attempt) {
      const auto& [region, reference] = random.pick(alerts_);
      if (region == home || attempt == 3) body.references.push_back(reference);
    }
  }
  AlertInfo info;
  info.categories = {Category::Met};
  info.event = "rainstorm";
  info.severity = Severity::Severe;
  info.headline = "headline " + std::to_string(serial_);
  info.areas.push_back({"area", {}, {}, {{"GB2260", envelope.place.text()}}, {}, {}});
  if (random.chance(50)) info.expires = world_.now() + random.between(-10'000, 600'000);
  body.infos.push_back(info);
  alerts_.push_back({home, {body.sender, body.identifier, body.sent}});
  envelope.kind = Kind::alert;
  envelope.entity = alert_entity(home, body.sender, body.identifier, body.sent);
  return {envelope, body};
}

Event Story::report(Envelope envelope, RegionCode home) {
  Prng& random = random_;
  const RegionCode of = random.chance(70) ? home : random.pick(regions_);
  IncidentReport body;
  body.case_reference = "case-" + std::to_string(random.below(kCases));
  body.report_type = static_cast<ReportType>(random.below(3));
  body.incident_class = IncidentClass::accident;
  body.state = static_cast<IncidentState>(random.below(5));
  body.title = "report " + std::to_string(serial_);
  body.text = std::string(static_cast<std::size_t>(random.below(300)), 'x');
  if (random.chance(30)) body.injured = static_cast<std::int32_t>(random.below(20));
  envelope.kind = Kind::incident;
  envelope.entity = incident_entity(of, body.case_reference);
  return {envelope, body};
}

Event Story::resource(Envelope envelope, RegionCode home) {
  Prng& random = random_;
  Resource body;
  constexpr ResourceChange kChanges[] = {ResourceChange::upsert, ResourceChange::upsert,   ResourceChange::state,
                                         ResourceChange::state,  ResourceChange::quantity, ResourceChange::place,
                                         ResourceChange::remove};
  body.change = kChanges[random.below(std::size(kChanges))];
  const std::uint64_t number = random.below(kResourcesPerRegion);
  body.type = static_cast<ResourceType>(number % 6);
  body.name = "resource " + std::to_string(serial_);
  body.location =
      LonLat{118.0 + static_cast<double>(random.below(1000)) / 1000.0, 28.0 + static_cast<double>(random.below(1000)) / 1000.0};
  body.capabilities = {"hazmat"};
  body.state = static_cast<ResourceState>(random.below(4));
  body.quantity_milli = static_cast<std::int64_t>(random.below(100'000));
  body.unit = "piece";
  body.attributes = {{"serial", std::to_string(serial_)}};
  envelope.kind = Kind::resource;
  envelope.entity = resource_entity(home, "r" + std::to_string(number));
  return {envelope, body};
}

Event Story::next(RegionCode home, const std::string& agency) {
  ++serial_;
  const Envelope about = envelope(home, agency);
  switch (random_.below(races_ ? 5 : 3)) {
    case 0:
      return alert(about, home);
    case 1:
      return report(about, home);
    case 2:
      return resource(about, home);
    default:
      return race_.next(about, home);
  }
}

Bytes Story::bad(RegionCode home, const std::string& agency, Lane& lane) {
  ++serial_;
  Prng& random = random_;
  Event event = next(home, agency);
  lane = lane_of(event);
  switch (random.below(5)) {
    case 0: {  // not an event
      Bytes bytes = encode_event(event);
      bytes.resize(bytes.size() / 2);
      bytes.push_back(static_cast<std::uint8_t>(serial_));
      return bytes;
    }
    case 1:  // outside the rights: the policy lets no agent publish for this county
      event.envelope.place = *PlaceCode::parse("990101");
      break;
    case 2:  // about a resource of another region, which that region alone decides on
      event = resource(envelope(home, agency), home);
      event.envelope.entity = resource_entity(regions_.size() > 1 && home == regions_[0] ? regions_[1] : regions_[0], "r1");
      lane = lane_of(event);
      if (home == regions_[0] && regions_.size() == 1) event.envelope.agency = "nobody";
      break;
    case 3:  // for another agency
      event.envelope.agency = "nobody";
      break;
    default:  // on another lane
      lane = lane == Lane::flash ? Lane::normal : Lane::flash;
      break;
  }
  return encode_event(event);
}

}  // namespace lianxi::sim
