#include "schemas/codec/event_codec.h"

#include <fmt/format.h>
#include <cstdlib>

#include "schemas/codec/blake2b_many.h"
#include "schemas/codec/event_io.h"
#include "schemas/codec/mobilisation_io.h"
#include "schemas/codec/sodium.h"
#include "schemas/event_rules.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

using codec::Builder;
using codec::ValueReader;
using flatbuffers::Offset;

// --- writing ---

Offset<wire::AlertArea> write(Builder& out, const AlertArea& area) {
  const auto description = codec::write_required(out, area.description);
  const auto polygons = codec::write_list<Offset<wire::Polygon>>(out, area.polygons, [&](const std::vector<LonLat>& polygon) {
    std::vector<wire::LonLat> points;
    points.reserve(polygon.size());
    for (const LonLat& point : polygon) points.emplace_back(point.lon, point.lat);
    return wire::CreatePolygon(out, out.CreateVectorOfStructs(points));
  });
  std::vector<wire::Circle> circles;
  circles.reserve(area.circles.size());
  for (const Circle& circle : area.circles) circles.emplace_back(circle.centre.lon, circle.centre.lat, circle.radius_m);
  const auto circle_list =
      circles.empty() ? Offset<flatbuffers::Vector<const wire::Circle*>>() : out.CreateVectorOfStructs(circles);
  const auto geocodes = codec::write_name_values(out, area.geocodes);
  return wire::CreateAlertArea(out, description, polygons, circle_list, geocodes, area.altitude_ft, area.ceiling_ft);
}

Offset<wire::AlertResource> write(Builder& out, const AlertResource& resource) {
  const auto description = codec::write_required(out, resource.description);
  const auto mime_type = codec::write_text(out, resource.mime_type);
  const auto uri = codec::write_text(out, resource.uri);
  const auto digest = codec::write_text(out, resource.digest);
  return wire::CreateAlertResource(out, description, mime_type, resource.size_bytes, uri, digest);
}

Offset<wire::AlertInfo> write(Builder& out, const AlertInfo& info) {
  const auto language = codec::write_text(out, info.language);
  const auto categories = codec::write_numbers<std::uint8_t>(out, info.categories);
  const auto event = codec::write_required(out, info.event);
  const auto response_types = codec::write_numbers<std::uint8_t>(out, info.response_types);
  const auto audience_text = codec::write_text(out, info.audience_text);
  const auto event_codes = codec::write_name_values(out, info.event_codes);
  const auto sender_name = codec::write_text(out, info.sender_name);
  const auto headline = codec::write_text(out, info.headline);
  const auto description = codec::write_text(out, info.description);
  const auto instruction = codec::write_text(out, info.instruction);
  const auto web = codec::write_text(out, info.web);
  const auto contact = codec::write_text(out, info.contact);
  const auto parameters = codec::write_name_values(out, info.parameters);
  const auto resources = codec::write_list<Offset<wire::AlertResource>>(
      out, info.resources, [&](const AlertResource& resource) { return write(out, resource); });
  const auto areas =
      codec::write_list<Offset<wire::AlertArea>>(out, info.areas, [&](const AlertArea& area) { return write(out, area); });
  return wire::CreateAlertInfo(out, language, categories, event, response_types, static_cast<std::uint8_t>(info.urgency),
                               static_cast<std::uint8_t>(info.severity), static_cast<std::uint8_t>(info.certainty), audience_text,
                               event_codes, info.effective, info.onset, info.expires, sender_name, headline, description,
                               instruction, web, contact, parameters, resources, areas);
}

Offset<void> write(Builder& out, const Alert& alert) {
  const auto identifier = codec::write_required(out, alert.identifier);
  const auto sender = codec::write_required(out, alert.sender);
  const auto source = codec::write_text(out, alert.source);
  const auto restriction = codec::write_text(out, alert.restriction);
  const auto addresses = codec::write_texts(out, alert.addresses);
  const auto codes = codec::write_texts(out, alert.codes);
  const auto note = codec::write_text(out, alert.note);
  const auto references =
      codec::write_list<Offset<wire::AlertReference>>(out, alert.references, [&](const AlertReference& reference) {
        const auto reference_sender = codec::write_required(out, reference.sender);
        const auto reference_identifier = codec::write_required(out, reference.identifier);
        return wire::CreateAlertReference(out, reference_sender, reference_identifier, reference.sent);
      });
  const auto incidents = codec::write_texts(out, alert.incidents);
  const auto infos =
      codec::write_list<Offset<wire::AlertInfo>>(out, alert.infos, [&](const AlertInfo& info) { return write(out, info); });
  return wire::CreateAlert(out, identifier, sender, alert.sent, static_cast<std::uint8_t>(alert.msg_type),
                           static_cast<std::uint8_t>(alert.scope), source, restriction, addresses, codes, note, references,
                           incidents, infos)
      .Union();
}

Offset<void> write(Builder& out, const IncidentReport& report) {
  const auto case_reference = codec::write_required(out, report.case_reference);
  const auto event_code = codec::write_text(out, report.event_code);
  const auto title = codec::write_text(out, report.title);
  const auto text = codec::write_text(out, report.text);
  const auto address = codec::write_text(out, report.address);
  const auto own_reference = codec::write_text(out, report.own_reference);
  const auto reporter = codec::write_text(out, report.reporter);
  const auto fields = codec::write_name_values(out, report.fields);
  const codec::PointWriter location(report.location);
  return wire::CreateIncidentReport(out, case_reference, static_cast<std::uint8_t>(report.report_type),
                                    static_cast<std::uint8_t>(report.incident_class), static_cast<std::uint8_t>(report.state),
                                    event_code, title, text, address, location.get(), report.deaths, report.missing,
                                    report.injured, report.trapped, report.affected, own_reference, reporter, fields)
      .Union();
}

Offset<void> write(Builder& out, const Resource& resource) {
  const auto name = codec::write_text(out, resource.name);
  const auto owner = codec::write_text(out, resource.owner);
  const auto address = codec::write_text(out, resource.address);
  const auto capabilities = codec::write_texts(out, resource.capabilities);
  const auto unit = codec::write_text(out, resource.unit);
  const auto supply_code = codec::write_text(out, resource.supply_code);
  const auto contact = codec::write_text(out, resource.contact);
  const auto phone = codec::write_text(out, resource.phone);
  const auto attributes = codec::write_name_values(out, resource.attributes);
  const auto answerable = codec::write_text(out, resource.answerable);
  const auto answerable_phone = codec::write_text(out, resource.answerable_phone);
  std::vector<wire::LonLat> ring;
  for (const LonLat& point : resource.area) ring.emplace_back(point.lon, point.lat);
  const auto area = ring.empty() ? Offset<flatbuffers::Vector<const wire::LonLat*>>() : out.CreateVectorOfStructs(ring);
  const auto languages = codec::write_texts(out, resource.languages);
  std::vector<wire::OnCall> times;
  for (const OnCall& time : resource.on_call) times.emplace_back(time.days, time.from_minute, time.to_minute);
  const auto on_call = times.empty() ? Offset<flatbuffers::Vector<const wire::OnCall*>>() : out.CreateVectorOfStructs(times);
  const codec::PointWriter location(resource.location);
  return wire::CreateResource(out, static_cast<std::uint8_t>(resource.change), static_cast<std::uint8_t>(resource.type), name,
                              owner, address, location.get(), capabilities, static_cast<std::uint8_t>(resource.state),
                              resource.quantity_milli, unit, resource.capacity, resource.occupancy, supply_code, contact, phone,
                              attributes, resource.as_of.value, answerable, answerable_phone, resource.valid_from,
                              resource.valid_until, area, languages, on_call, resource.keeps.bits)
      .Union();
}

Offset<void> write(Builder& out, const Mobilisation& mobilisation) {
  return codec::write_mobilisation(out, mobilisation).Union();
}

Offset<void> write(Builder& out, const Retention& retention) {
  const auto hash = codec::write_bytes(out, retention.through.hash);
  const auto digest = codec::write_bytes(out, retention.digest);
  return wire::CreateRetention(out, retention.epoch.value, static_cast<std::uint8_t>(retention.lane),
                               retention.through.sequence.value, hash, retention.ordinal.value, retention.before,
                               retention.position.value, digest)
      .Union();
}

Offset<void> write(Builder& out, const Override& order) {
  const auto reason = codec::write_required(out, order.reason);
  return wire::CreateOverride(out, static_cast<std::uint8_t>(order.what), reason).Union();
}

Offset<void> write(Builder& /*out*/, const std::monostate& /*none*/) {
  return {};
}

// --- reading ---

Circle read(const wire::Circle* from) {
  return Circle{{from->lon(), from->lat()}, from->radius_m()};
}

AlertArea read(ValueReader& in, const wire::AlertArea* from) {
  AlertArea area;
  area.description = in.text(from->description());
  area.polygons = in.list<std::vector<LonLat>>(from->polygons(), [&](const wire::Polygon* polygon) {
    return in.list<LonLat>(polygon->points(), [](const wire::LonLat* point) { return LonLat{point->lon(), point->lat()}; });
  });
  area.circles = in.list<Circle>(from->circles(), [](const wire::Circle* circle) { return read(circle); });
  area.geocodes = in.name_values(from->geocodes());
  area.altitude_ft = from->altitude_ft();
  area.ceiling_ft = from->ceiling_ft();
  return area;
}

AlertResource read(ValueReader& in, const wire::AlertResource* from) {
  return AlertResource{in.text(from->description()), in.text(from->mime_type()), from->size_bytes(), in.text(from->uri()),
                       in.text(from->digest())};
}

AlertInfo read(ValueReader& in, const wire::AlertInfo* from) {
  AlertInfo info;
  if (from->language() != nullptr) info.language = in.text(from->language());
  info.categories = in.enums<Category>(from->categories());
  info.event = in.text(from->event());
  info.response_types = in.enums<ResponseType>(from->response_types());
  info.urgency = static_cast<Urgency>(from->urgency());
  info.severity = static_cast<Severity>(from->severity());
  info.certainty = static_cast<Certainty>(from->certainty());
  info.audience_text = in.text(from->audience_text());
  info.event_codes = in.name_values(from->event_codes());
  info.effective = from->effective();
  info.onset = from->onset();
  info.expires = from->expires();
  info.sender_name = in.text(from->sender_name());
  info.headline = in.text(from->headline());
  info.description = in.text(from->description());
  info.instruction = in.text(from->instruction());
  info.web = in.text(from->web());
  info.contact = in.text(from->contact());
  info.parameters = in.name_values(from->parameters());
  info.resources = in.list<AlertResource>(from->resources(), [&](const wire::AlertResource* item) { return read(in, item); });
  info.areas = in.list<AlertArea>(from->areas(), [&](const wire::AlertArea* item) { return read(in, item); });
  return info;
}

Alert read(ValueReader& in, const wire::Alert* from) {
  Alert alert;
  alert.identifier = in.text(from->identifier());
  alert.sender = in.text(from->sender());
  alert.sent = from->sent();
  alert.msg_type = static_cast<MsgType>(from->msg_type());
  alert.scope = static_cast<Scope>(from->scope());
  alert.source = in.text(from->source());
  alert.restriction = in.text(from->restriction());
  alert.addresses = in.texts(from->addresses());
  alert.codes = in.texts(from->codes());
  alert.note = in.text(from->note());
  alert.references = in.list<AlertReference>(from->references(), [&](const wire::AlertReference* item) {
    return AlertReference{in.text(item->sender()), in.text(item->identifier()), item->sent()};
  });
  alert.incidents = in.texts(from->incidents());
  alert.infos = in.list<AlertInfo>(from->infos(), [&](const wire::AlertInfo* item) { return read(in, item); });
  return alert;
}

IncidentReport read(ValueReader& in, const wire::IncidentReport* from) {
  IncidentReport report;
  report.case_reference = in.text(from->case_reference());
  report.report_type = static_cast<ReportType>(from->report_type());
  report.incident_class = static_cast<IncidentClass>(from->incident_class());
  report.state = static_cast<IncidentState>(from->state());
  report.event_code = in.text(from->event_code());
  report.title = in.text(from->title());
  report.text = in.text(from->text());
  report.address = in.text(from->address());
  report.location = codec::read_point(from->location());
  report.deaths = from->deaths();
  report.missing = from->missing();
  report.injured = from->injured();
  report.trapped = from->trapped();
  report.affected = from->affected();
  report.own_reference = in.text(from->own_reference());
  report.reporter = in.text(from->reporter());
  report.fields = in.name_values(from->fields());
  return report;
}

Resource read(ValueReader& in, const wire::Resource* from) {
  Resource resource;
  resource.change = static_cast<ResourceChange>(from->change());
  resource.type = static_cast<ResourceType>(from->type());
  resource.name = in.text(from->name());
  resource.owner = in.text(from->owner());
  resource.address = in.text(from->address());
  resource.location = codec::read_point(from->location());
  resource.capabilities = in.texts(from->capabilities());
  resource.state = static_cast<ResourceState>(from->state());
  resource.quantity_milli = from->quantity_milli();
  resource.unit = in.text(from->unit());
  resource.capacity = from->capacity();
  resource.occupancy = from->occupancy();
  resource.supply_code = in.text(from->supply_code());
  resource.contact = in.text(from->contact());
  resource.phone = in.text(from->phone());
  resource.attributes = in.name_values(from->attributes());
  resource.as_of = lianxi::Offset(from->as_of());
  resource.answerable = in.text(from->answerable());
  resource.answerable_phone = in.text(from->answerable_phone());
  resource.valid_from = from->valid_from();
  resource.valid_until = from->valid_until();
  resource.area = in.list<LonLat>(from->area(), [](const wire::LonLat* point) { return LonLat{point->lon(), point->lat()}; });
  resource.languages = in.texts(from->languages());
  resource.on_call = in.list<OnCall>(from->on_call(), [](const wire::OnCall* time) {
    return OnCall{time->days(), time->from_minute(), time->to_minute()};
  });
  resource.keeps = {from->keeps()};
  return resource;
}

// A hash of another size than ours reads as none, which no rule admits.
Hash read_hash(ValueReader& in, const flatbuffers::Vector<std::uint8_t>* from) {
  Hash hash{};
  if (in.count(from) == hash.size()) std::copy(from->begin(), from->end(), hash.begin());
  return hash;
}

Retention read(ValueReader& in, const wire::Retention* from) {
  Retention retention;
  retention.epoch = Epoch(from->epoch());
  retention.lane = static_cast<Lane>(from->lane());
  retention.through = {Sequence(from->through()), read_hash(in, from->hash())};
  retention.ordinal = Ordinal(from->ordinal());
  retention.before = from->before();
  retention.position = Sequence(from->position());
  retention.digest = read_hash(in, from->digest());
  return retention;
}

Override read(ValueReader& in, const wire::Override* from) {
  return Override{static_cast<Overridden>(from->what()), in.text(from->reason())};
}

Result<Envelope> read_envelope(ValueReader& in, const wire::Event* from) {
  Envelope envelope;
  auto place = PlaceCode::parse(in.text(from->place()));
  if (!place) return tl::unexpected(std::move(place.error()));
  auto audience = Audience::parse(in.text(from->audience()));
  if (!audience) return tl::unexpected(std::move(audience.error()));
  envelope.kind = static_cast<Kind>(from->kind());
  envelope.entity = in.text(from->entity());
  envelope.status = static_cast<Status>(from->status());
  envelope.place = std::move(*place);
  envelope.agency = in.text(from->agency());
  envelope.level = static_cast<Level>(from->level());
  envelope.audience = std::move(*audience);
  envelope.occurred_at = from->occurred_at();
  if (auto checked = check_envelope(envelope); !checked) return tl::unexpected(std::move(checked.error()));
  return envelope;
}

}  // namespace

namespace codec {

// Flat: the verifier is a hundred small functions, called for every event.
[[gnu::flatten]] Result<const wire::Event*> verified_event(BytesView aligned) {
  if (aligned.size() > kMaxBodyBytes) {
    return refuse(RefusalCode::oversize, "event",
                  fmt::format("{} bytes; an event has at most {}", aligned.size(), kMaxBodyBytes));
  }
  auto verifier = verifier_of(aligned, kMaxTables);
  if (!wire::VerifyEventBuffer(verifier)) {
    return refuse(RefusalCode::malformed, "event", "the bytes are not an Event of schemas/wire/envelope.fbs");
  }
  return wire::GetEvent(aligned.data());
}

namespace {

bool has_table(std::uint16_t kind) {
  switch (static_cast<wire::Body>(kind)) {
    case wire::Body::Alert:
    case wire::Body::IncidentReport:
    case wire::Body::Resource:
    case wire::Body::Mobilisation:
    case wire::Body::Retention:
    case wire::Body::Override:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<void> check_body_type(const wire::Event* from) {
  const auto kind = static_cast<std::uint16_t>(from->kind());
  const auto body = static_cast<std::uint16_t>(from->body_type());
  // The verifier admits a union's number without its table.
  if (kind == body && from->body() != nullptr) return {};
  if (body == 0 || kind == body) {
    if (!has_table(from->kind())) return {};
    return refuse(RefusalCode::missing_field, "body", fmt::format("a {} needs its body", to_word(static_cast<Kind>(kind))));
  }
  return refuse(RefusalCode::invalid_field, "body", fmt::format("kind {} came with the body of kind {}", kind, body));
}

tl::unexpected<Refusal> too_much_shared() {
  return refuse(RefusalCode::malformed, "event", "its fields share bytes far beyond what a writer makes");
}

}  // namespace codec

namespace {

wire::Body number_of(const Body& body) {
  if (std::holds_alternative<Retention>(body)) return wire::Body::Retention;
  if (std::holds_alternative<Override>(body)) return wire::Body::Override;
  return static_cast<wire::Body>(body.index());
}

void write_event(Builder& out, const Event& event) {
  const Envelope& envelope = event.envelope;
  const auto entity = codec::write_required(out, envelope.entity);
  const auto place = codec::write_required(out, envelope.place.text());
  const auto agency = codec::write_required(out, envelope.agency);
  const auto audience = codec::write_required(out, envelope.audience.text());
  const auto body = std::visit([&](const auto& value) { return write(out, value); }, event.body);
  const auto body_type = number_of(event.body);
  wire::FinishEventBuffer(
      out,
      wire::CreateEvent(out, static_cast<std::uint16_t>(envelope.kind), entity, static_cast<std::uint8_t>(envelope.status), place,
                        agency, static_cast<std::uint8_t>(envelope.level), audience, envelope.occurred_at, body_type, body));
}

}  // namespace

struct EventEncoder::Buffer {
  Builder out{1024};
};
EventEncoder::EventEncoder() : buffer_(std::make_unique<Buffer>()) {}
EventEncoder::~EventEncoder() = default;

BytesView EventEncoder::encode(const Event& event) {
  buffer_->out.Clear();
  write_event(buffer_->out, event);
  return {buffer_->out.GetBufferPointer(), buffer_->out.GetSize()};
}

Bytes encode_event(const Event& event) {
  Builder out(1024);
  write_event(out, event);
  return codec::finished(out);
}
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(wire::Body::Alert), Body>, Alert>);
static_assert(
    std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(wire::Body::IncidentReport), Body>, IncidentReport>);
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(wire::Body::Resource), Body>, Resource>);
static_assert(std::is_same_v<std::variant_alternative_t<static_cast<std::size_t>(wire::Body::Mobilisation), Body>, Mobilisation>);

Result<Event> decode_event(BytesView bytes) {
  const codec::AlignedBytes aligned(bytes.first(std::min(bytes.size(), kMaxBodyBytes + 1)));
  const auto from = codec::verified_event(aligned.view());
  if (!from) return tl::unexpected(from.error());
  ValueReader in(bytes.size());
  auto envelope = read_envelope(in, *from);
  if (!envelope) return tl::unexpected(std::move(envelope.error()));
  if (auto fits = codec::check_body_type(*from); !fits) return tl::unexpected(std::move(fits.error()));
  Event event{std::move(*envelope), {}};
  switch ((*from)->body_type()) {
    case wire::Body::Alert:
      event.body = read(in, (*from)->body_as_Alert());
      break;
    case wire::Body::IncidentReport:
      event.body = read(in, (*from)->body_as_IncidentReport());
      break;
    case wire::Body::Resource:
      event.body = read(in, (*from)->body_as_Resource());
      break;
    case wire::Body::Mobilisation:
      event.body = codec::read_mobilisation(in, (*from)->body_as_Mobilisation());
      break;
    case wire::Body::Retention:
      event.body = read(in, (*from)->body_as_Retention());
      break;
    case wire::Body::Override:
      event.body = read(in, (*from)->body_as_Override());
      break;
    default:
      break;
  }
  if (in.overdrawn()) return codec::too_much_shared();
  if (auto checked = check_body(event); !checked) return tl::unexpected(std::move(checked.error()));
  return event;
}

Result<Envelope> decode_envelope(BytesView bytes) {
  const codec::AlignedBytes aligned(bytes.first(std::min(bytes.size(), kMaxBodyBytes + 1)));
  const auto from = codec::verified_event(aligned.view());
  if (!from) return tl::unexpected(from.error());
  if (auto fits = codec::check_body_type(*from); !fits) return tl::unexpected(std::move(fits.error()));
  ValueReader in(bytes.size());
  return read_envelope(in, *from);
}

Result<void> check_event(const Event& event) {
  if (auto checked = check_envelope(event.envelope); !checked) return checked;
  return check_body(event);
}

BodyHash body_hash(BytesView event_bytes) {
  codec::start_sodium();
  BodyHash out{};
  if (crypto_generichash(out.data(), out.size(), event_bytes.data(), event_bytes.size(), nullptr, 0) != 0) std::abort();
  return out;
}

void body_hashes(std::span<const BytesView> events, std::span<BodyHash> hashes) {
  static_assert(sizeof(BodyHash) == 16);
  if (hashes.size() != events.size()) std::abort();
  codec::blake2b_many({sizeof(BodyHash), {}}, {}, events, reinterpret_cast<std::uint8_t*>(hashes.data()));
}

}  // namespace lianxi
