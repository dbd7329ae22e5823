// EventReader: the checks of decode_event on an event where its bytes lie.
#include <algorithm>
#include <cstring>
#include <variant>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/event_io.h"
#include "schemas/event_rules.h"
#include "schemas/limits.h"
#include "schemas/text.h"

namespace lianxi {

using codec::ValueReader;

struct EventReader::State {
  Envelope envelope;
  bool known = false;  // `envelope` is of an event that was read
  bool same_rights = false;
  bool has_body = false;
  Lane lane{};
  RegionCode home;
  std::size_t name_at = 0;  // in the entity, behind its region and kind
  std::variant<std::monostate, ReportView, ResourceView, Alert, Mobilisation, Retention> body;
  std::vector<NameValueView> name_values;
  std::vector<std::string_view> words, languages;
  std::vector<LonLat> ring;
  std::vector<OnCall> on_call;
  std::vector<std::uint64_t> copy;

  // FlatBuffers reads numbers where they lie.
  BytesView aligned(BytesView bytes) {
    const BytesView taken = bytes.first(std::min(bytes.size(), kMaxBodyBytes + 1));
    copy.resize(taken.size() / 8 + 1);
    std::memcpy(copy.data(), taken.data(), taken.size());
    return {reinterpret_cast<const std::uint8_t*>(copy.data()), taken.size()};
  }

  // True if place, agency and audience are those of the event before: they have been parsed then.
  [[nodiscard]] bool same_texts(std::string_view place, std::string_view agency, std::string_view audience) const {
    return known && place == envelope.place.text() && agency == envelope.agency && audience == envelope.audience.text();
  }

  Result<void> read_envelope(ValueReader& in, const wire::Event* from) {
    const std::string_view place = in.view(from->place());
    const std::string_view audience = in.view(from->audience());
    const std::string_view entity = in.view(from->entity());
    const std::string_view agency = in.view(from->agency());
    const auto kind = static_cast<Kind>(from->kind());
    const auto status = static_cast<Status>(from->status());
    const auto level = static_cast<Level>(from->level());
    const bool same = same_texts(place, agency, audience);
    same_rights = same && kind == envelope.kind && status == envelope.status && level == envelope.level;
    if (same_rights && same_form(entity, from->occurred_at())) {
      envelope.entity.replace(name_at, std::string::npos, entity.substr(name_at));
      envelope.occurred_at = from->occurred_at();
      return {};
    }
    known = false;
    if (!same) {
      auto parsed_place = PlaceCode::parse(place);
      if (!parsed_place) return tl::unexpected(std::move(parsed_place.error()));
      auto parsed_audience = Audience::parse(audience);
      if (!parsed_audience) return tl::unexpected(std::move(parsed_audience.error()));
      envelope.place = std::move(*parsed_place);
      envelope.audience = std::move(*parsed_audience);
      envelope.agency = agency;
    }
    envelope.kind = kind;
    envelope.entity = entity;
    envelope.status = status;
    envelope.level = level;
    envelope.occurred_at = from->occurred_at();
    if (auto checked = check_envelope(envelope); !checked) return checked;
    home = home_of(envelope.entity);
    name_at = entity.find(':', entity.find(':') + 1) + 1;
    return {};
  }

  // What check_envelope would look at anew, when all else is as it was.
  [[nodiscard]] bool same_form(std::string_view entity, TimeMs occurred_at) const {
    return entity.size() > name_at && entity.size() <= kMaxEntityBytes &&
           entity.substr(0, name_at) == std::string_view(envelope.entity).substr(0, name_at) && is_line(entity.substr(name_at)) &&
           occurred_at >= kMinTimeMs && occurred_at <= kMaxTimeMs;
  }

  // Of an entity that was checked: its first six digits.
  static RegionCode home_of(std::string_view entity) {
    constexpr std::size_t kDigits = 6;
    std::uint32_t code = 0;
    for (const char digit : entity.substr(0, kDigits)) code = code * 10 + static_cast<std::uint32_t>(digit - '0');
    return RegionCode(code);
  }

  std::span<const NameValueView> pairs(ValueReader& in, const flatbuffers::Vector<flatbuffers::Offset<wire::NameValue>>* from) {
    name_values.clear();
    const auto n = in.count(from);
    for (flatbuffers::uoffset_t i = 0; i < n; ++i)
      name_values.push_back({in.view(from->Get(i)->name()), in.view(from->Get(i)->value())});
    return name_values;
  }

  static std::span<const std::string_view> views(ValueReader& in,
                                                 const flatbuffers::Vector<flatbuffers::Offset<flatbuffers::String>>* from,
                                                 std::vector<std::string_view>& into) {
    into.clear();
    const auto n = in.count(from);
    for (flatbuffers::uoffset_t i = 0; i < n; ++i) into.push_back(in.view(from->Get(i)));
    return into;
  }

  ReportView report(ValueReader& in, const wire::IncidentReport* from) {
    ReportView report;
    report.case_reference = in.view(from->case_reference());
    report.report_type = static_cast<ReportType>(from->report_type());
    report.incident_class = static_cast<IncidentClass>(from->incident_class());
    report.state = static_cast<IncidentState>(from->state());
    report.event_code = in.view(from->event_code());
    report.title = in.view(from->title());
    report.text = in.view(from->text());
    report.address = in.view(from->address());
    report.location = codec::read_point(from->location());
    const auto number = [](const auto& value) {
      return value ? std::optional<std::int32_t>(*value) : std::optional<std::int32_t>();
    };
    report.deaths = number(from->deaths());
    report.missing = number(from->missing());
    report.injured = number(from->injured());
    report.trapped = number(from->trapped());
    report.affected = number(from->affected());
    report.own_reference = in.view(from->own_reference());
    report.reporter = in.view(from->reporter());
    report.fields = pairs(in, from->fields());
    return report;
  }

  ResourceView resource(ValueReader& in, const wire::Resource* from) {
    ResourceView resource;
    resource.change = static_cast<ResourceChange>(from->change());
    resource.type = static_cast<ResourceType>(from->type());
    resource.name = in.view(from->name());
    resource.owner = in.view(from->owner());
    resource.address = in.view(from->address());
    resource.location = codec::read_point(from->location());
    resource.capabilities = views(in, from->capabilities(), words);
    resource.state = static_cast<ResourceState>(from->state());
    resource.quantity_milli = from->quantity_milli();
    resource.unit = in.view(from->unit());
    if (from->capacity()) resource.capacity = *from->capacity();
    if (from->occupancy()) resource.occupancy = *from->occupancy();
    resource.supply_code = in.view(from->supply_code());
    resource.contact = in.view(from->contact());
    resource.phone = in.view(from->phone());
    resource.attributes = pairs(in, from->attributes());
    resource.as_of = Offset(from->as_of());
    resource.answerable = in.view(from->answerable());
    resource.answerable_phone = in.view(from->answerable_phone());
    if (from->valid_from()) resource.valid_from = *from->valid_from();
    if (from->valid_until()) resource.valid_until = *from->valid_until();
    ring.clear();
    const auto points = in.count(from->area());
    for (flatbuffers::uoffset_t i = 0; i < points; ++i)
      ring.push_back({from->area()->Get(i)->lon(), from->area()->Get(i)->lat()});
    resource.area = ring;
    resource.languages = views(in, from->languages(), languages);
    on_call.clear();
    const auto times = in.count(from->on_call());
    for (flatbuffers::uoffset_t i = 0; i < times; ++i) {
      const wire::OnCall* time = from->on_call()->Get(i);
      on_call.push_back({time->days(), time->from_minute(), time->to_minute()});
    }
    resource.on_call = on_call;
    resource.keeps = {from->keeps()};
    return resource;
  }

  // The body that the envelope's kind names, or none.
  Result<void> read_body(ValueReader& in, const wire::Event* from, BytesView bytes) {
    has_body = from->body_type() != wire::Body::NONE;
    lane = lane_of(envelope.kind, ResourceChange::upsert);
    const auto shared = [&]() -> Result<void> {
      if (in.overdrawn()) return codec::too_much_shared();
      return {};
    };
    if (from->body_type() == wire::Body::IncidentReport) {
      const ReportView& view = body.emplace<ReportView>(report(in, from->body_as_IncidentReport()));
      if (auto fits = shared(); !fits) return fits;
      return check_body(envelope, view);
    }
    if (from->body_type() == wire::Body::Resource) {
      const ResourceView& view = body.emplace<ResourceView>(resource(in, from->body_as_Resource()));
      if (auto fits = shared(); !fits) return fits;
      lane = lane_of(envelope.kind, view.change);
      return check_body(envelope, view);
    }
    auto event = decode_event(bytes);
    if (!event) return tl::unexpected(std::move(event.error()));
    has_body = !std::holds_alternative<std::monostate>(event->body);
    lane = lane_of(*event);
    if (auto* alert = std::get_if<Alert>(&event->body)) body = std::move(*alert);
    if (auto* mobilisation = std::get_if<Mobilisation>(&event->body)) body = std::move(*mobilisation);
    if (const auto* retention = std::get_if<Retention>(&event->body)) body = *retention;
    return {};
  }
};

EventReader::EventReader() : state_(std::make_unique<State>()) {}
EventReader::~EventReader() = default;

Result<void> EventReader::read(BytesView bytes) {
  State& state = *state_;
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 != 0) bytes = state.aligned(bytes);
  const auto from = codec::verified_event(bytes);
  if (!from) return tl::unexpected(from.error());
  ValueReader in(bytes.size());
  state.body.emplace<std::monostate>();
  if (auto read = state.read_envelope(in, *from); !read) return read;
  if (auto fits = codec::check_body_type(*from); !fits) return fits;
  if (auto read = state.read_body(in, *from, bytes); !read) return read;
  state.known = true;
  return {};
}

const Envelope& EventReader::envelope() const {
  return state_->envelope;
}
bool EventReader::same_rights() const {
  return state_->same_rights;
}
bool EventReader::has_body() const {
  return state_->has_body;
}
Lane EventReader::lane() const {
  return state_->lane;
}
RegionCode EventReader::home() const {
  return state_->home;
}
const ReportView* EventReader::report() const {
  return std::get_if<ReportView>(&state_->body);
}
const ResourceView* EventReader::resource() const {
  return std::get_if<ResourceView>(&state_->body);
}
const Alert* EventReader::alert() const {
  return std::get_if<Alert>(&state_->body);
}
const Mobilisation* EventReader::mobilisation() const {
  return std::get_if<Mobilisation>(&state_->body);
}
const Retention* EventReader::retention() const {
  return std::get_if<Retention>(&state_->body);
}

}  // namespace lianxi
