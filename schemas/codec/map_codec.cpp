// Questions to the map and their answers.
#include <cmath>

#include "schemas/codec/explain_io.h"
#include "schemas/codec/map_io.h"
#include "schemas/map_cursor.h"

namespace lianxi::codec {
namespace {

using FbVoid = flatbuffers::Offset<void>;
template <class T>
using Written = flatbuffers::Offset<T>;
template <class T>
using Structs = flatbuffers::Offset<flatbuffers::Vector<const T*>>;

// --- writing ---

Structs<wire::LonLat> write_points(Builder& out, const std::vector<LonLat>& points) {
  if (points.empty()) return {};
  std::vector<wire::LonLat> list;
  list.reserve(points.size());
  for (const LonLat& point : points) list.emplace_back(point.lon, point.lat);
  return out.CreateVectorOfStructs(list);
}

Structs<wire::OnCall> write_times(Builder& out, const std::vector<OnCall>& times) {
  if (times.empty()) return {};
  std::vector<wire::OnCall> list;
  for (const OnCall& time : times) list.emplace_back(time.days, time.from_minute, time.to_minute);
  return out.CreateVectorOfStructs(list);
}

Written<wire::ResourceRow> write(Builder& out, const ResourceRow& row) {
  const auto id = write_required(out, row.id);
  const auto audience = write_text(out, row.audience.text());
  const auto name = write_text(out, row.name);
  const auto place = write_text(out, row.place.text());
  const auto capabilities = write_texts(out, row.capabilities);
  const auto unit = write_text(out, row.unit);
  const auto owner = write_text(out, row.owner);
  const auto address = write_text(out, row.address);
  const auto contact = write_text(out, row.contact);
  const auto phone = write_text(out, row.phone);
  const auto supply_code = write_text(out, row.supply_code);
  const auto attributes = row.attributes.empty() ? 0 : write_name_values(out, row.attributes);
  const auto answerable = write_text(out, row.answerable);
  const auto answerable_phone = write_text(out, row.answerable_phone);
  const auto languages = write_texts(out, row.languages);
  const auto on_call = write_times(out, row.on_call);
  const auto area = write_points(out, row.area);
  const PointWriter location(row.location);
  return wire::CreateResourceRow(out, id, audience, number(row.status), number(row.type), name, row.region.value, place,
                                 location.get(), row.distance_m, capabilities, number(row.state), row.quantity_milli, unit,
                                 row.capacity, row.occupancy, owner, address, contact, phone, row.updated_at, row.free_milli,
                                 row.held_milli, supply_code, attributes, answerable, answerable_phone, row.valid_from,
                                 row.valid_until, languages, on_call, area);
}

Written<wire::TotalRow> write(Builder& out, const TotalRow& row) {
  const auto place = write_text(out, row.place.text());
  const auto by_state = write_numbers<std::uint64_t>(out, row.by_state);
  return wire::CreateTotalRow(out, place, number(row.type), row.count, by_state, row.capacity, row.occupancy);
}

// --- reading ---

using FbPoints = flatbuffers::Vector<const wire::LonLat*>;

std::vector<LonLat> read_points(MessageReader& in, std::string_view field, const FbPoints* from) {
  return in.list<LonLat>(from, [&](const wire::LonLat* item) { return in.point(field, item).value_or(LonLat{}); });
}

std::vector<LonLat> read_ring(MessageReader& in, std::string_view field, const FbPoints* from) {
  in.bounded(field, from, kMaxAreaPoints);
  if (in.failed()) return {};
  std::vector<LonLat> ring = read_points(in, field, from);
  if (from != nullptr && ring.size() < 4)
    in.invalid(field, fmt::format("a polygon has at least 4 points, this one {}", ring.size()));
  if (!ring.empty() && ring.front() != ring.back()) in.invalid(field, "a polygon is closed: repeat its first point at its end");
  return ring;
}

std::optional<LonLatBox> read_box(MessageReader& in, const wire::LonLatBox* from) {
  if (from == nullptr) return std::nullopt;
  const LonLatBox box{from->west(), from->south(), from->east(), from->north()};
  const bool on_earth =
      std::abs(box.west) <= 180 && std::abs(box.east) <= 180 && std::abs(box.south) <= 90 && std::abs(box.north) <= 90;
  if (!on_earth || box.west > box.east || box.south > box.north)
    in.invalid("box", "write west, south, east, north in degrees: west is not east of east, and south not north of north");
  return box;
}

std::optional<TimeMs> read_time(MessageReader& in, std::string_view field, const flatbuffers::Optional<std::int64_t>& from) {
  if (!from) return std::nullopt;
  if (*from < kMinTimeMs || *from > kMaxTimeMs) in.invalid(field, "the time is outside the years 1 to 9999");
  return *from;
}

std::string read_alert(MessageReader& in, const flatbuffers::String* from) {
  std::string alert = in.line("alert", from);
  if (alert.empty()) return alert;
  if (const auto home = home_region(alert); !home || alert.find(":alert:") != 6)
    in.invalid("alert", "write an alert's entity, <home region>:alert:<name>, as `lianxi alerts` shows it");
  return alert;
}

std::string read_query_text(MessageReader& in, const flatbuffers::String* from) {
  std::string text = in.line("text", from);
  if (text.size() > kMaxQueryTextBytes)
    in.fail(RefusalCode::oversize, "text", fmt::format("{} bytes; it may have {}", text.size(), kMaxQueryTextBytes));
  return text;
}

std::string read_after(MessageReader& in, const flatbuffers::String* from, bool by_distance) {
  std::string after = in.text(from);
  if (after.empty()) return after;
  const auto cursor = parse_map_cursor(after);
  if (!cursor) {
    in.invalid("after", cursor.error().reason);
  } else if (cursor->distance_m.has_value() != by_distance) {
    in.invalid("after", "this cursor is of an answer in another order; ask the same question as before");
  }
  return after;
}

template <class E>
std::vector<E> read_known(MessageReader& in, std::string_view field, const flatbuffers::Vector<std::uint8_t>* from) {
  return in.list<E>(from, [&](std::uint8_t value) { return in.known<E>(field, value); });
}

ResourceRow read(MessageReader& in, const wire::ResourceRow* from) {
  ResourceRow row;
  row.id = in.text(from->id());
  row.audience = in.audience("audience", from->audience());
  row.status = in.known<Status>("status", from->status());
  row.type = in.known<ResourceType>("type", from->type());
  row.name = in.text(from->name());
  row.region = RegionCode(from->region());
  row.place = in.place("place", from->place());
  row.location = in.point("location", from->location());
  row.distance_m = from->distance_m();
  if (row.distance_m && !std::isfinite(*row.distance_m)) in.invalid("distance_m", "it must be a finite number");
  row.capabilities = in.texts(from->capabilities());
  row.state = in.known<ResourceState>("state", from->state());
  row.quantity_milli = from->quantity_milli();
  row.unit = in.text(from->unit());
  row.capacity = from->capacity();
  row.occupancy = from->occupancy();
  row.owner = in.text(from->owner());
  row.address = in.text(from->address());
  row.contact = in.text(from->contact());
  row.phone = in.text(from->phone());
  row.updated_at = from->updated_at();
  row.free_milli = from->free_milli();
  row.held_milli = from->held_milli();
  row.supply_code = in.text(from->supply_code());
  row.attributes = in.name_values(from->attributes());
  row.answerable = in.text(from->answerable());
  row.answerable_phone = in.text(from->answerable_phone());
  row.valid_from = from->valid_from();
  row.valid_until = from->valid_until();
  row.languages = in.texts(from->languages());
  row.on_call = in.list<OnCall>(from->on_call(), [](const wire::OnCall* time) {
    return OnCall{time->days(), time->from_minute(), time->to_minute()};
  });
  row.area = read_points(in, "area", from->area());
  return row;
}

TotalRow read(MessageReader& in, const wire::TotalRow* from) {
  TotalRow row;
  row.place = in.place("place", from->place());
  row.type = in.known<ResourceType>("type", from->type());
  row.count = from->count();
  row.by_state = in.list<std::uint64_t>(from->by_state(), [](std::uint64_t count) { return count; });
  row.capacity = from->capacity();
  row.occupancy = from->occupancy();
  return row;
}

}  // namespace

std::optional<PlaceCode> read_place(MessageReader& in, const flatbuffers::String* from) {
  PlaceCode place = in.place("place", from);
  if (place.text().empty()) return std::nullopt;
  return place;
}

std::uint32_t read_limit(MessageReader& in, std::uint32_t limit) {
  if (limit > kMaxQueryLimit) in.invalid("limit", fmt::format("{} rows; at most {} are answered", limit, kMaxQueryLimit));
  return limit;
}

FbVoid write_map(Builder& out, const AskResources& ask) {
  const auto types = write_numbers<std::uint8_t>(out, ask.types);
  const auto capability = write_text(out, ask.capability);
  const auto place = write_text(out, ask.place ? ask.place->text() : "");
  const auto polygon = write_points(out, ask.polygon);
  const auto alert = write_text(out, ask.alert);
  const auto text = write_text(out, ask.text);
  const auto states = write_numbers<std::uint8_t>(out, ask.states);
  const auto languages = write_texts(out, ask.languages);
  const auto after = write_text(out, ask.after);
  const PointWriter near(ask.near);
  const wire::LonLatBox box =
      ask.box ? wire::LonLatBox(ask.box->west, ask.box->south, ask.box->east, ask.box->north) : wire::LonLatBox();
  return wire::CreateAskResources(out, near.get(), ask.within_m, types, capability, place, ask.available, ask.limit, polygon,
                                  ask.box ? &box : nullptr, alert, text, states, ask.at_least_milli, languages, ask.reachable_at,
                                  after, ask.valid_at, ask.any_time)
      .Union();
}

FbVoid write_map(Builder& out, const AskTotals& ask) {
  const auto place = write_text(out, ask.place ? ask.place->text() : "");
  const auto types = write_numbers<std::uint8_t>(out, ask.types);
  return wire::CreateAskTotals(out, place, types, write_text(out, ask.capability)).Union();
}

FbVoid write_map(Builder& out, const ResourceRows& rows) {
  const auto list =
      write_list<Written<wire::ResourceRow>>(out, rows.rows, [&](const ResourceRow& row) { return write(out, row); });
  return wire::CreateResourceRows(out, list, rows.truncated, write_text(out, rows.next)).Union();
}

FbVoid write_map(Builder& out, const TotalRows& rows) {
  const auto list = write_list<Written<wire::TotalRow>>(out, rows.rows, [&](const TotalRow& row) { return write(out, row); });
  return wire::CreateTotalRows(out, list, rows.truncated).Union();
}

AskResources read_map(MessageReader& in, const wire::AskResources* from) {
  AskResources ask;
  in.bounded("types", from->types(), kMaxQueryItems);
  in.bounded("states", from->states(), kMaxQueryItems);
  in.bounded("languages", from->languages(), kMaxQueryItems);
  if (in.failed()) return ask;
  ask.near = in.point("near", from->near());
  ask.within_m = from->within_m();
  if (ask.within_m && !(std::isfinite(*ask.within_m) && *ask.within_m >= 0)) {
    in.invalid("within_m", "it must be a number of metres, not negative");
  }
  if (ask.within_m && !ask.near) in.fail(RefusalCode::missing_field, "near", "within needs the place it is measured from");
  ask.types = read_known<ResourceType>(in, "types", from->types());
  ask.capability = in.line("capability", from->capability());
  ask.place = read_place(in, from->place());
  ask.available = from->available();
  ask.limit = read_limit(in, from->limit());
  ask.polygon = read_ring(in, "polygon", from->polygon());
  ask.box = read_box(in, from->box());
  ask.alert = read_alert(in, from->alert());
  ask.text = read_query_text(in, from->text());
  ask.states = read_known<ResourceState>(in, "states", from->states());
  ask.at_least_milli = from->at_least();
  if (ask.at_least_milli < 0) in.invalid("at_least", "a quantity must not be negative");
  ask.languages =
      in.list<std::string>(from->languages(), [&](const flatbuffers::String* item) { return in.line("languages", item); });
  ask.reachable_at = read_time(in, "reachable_at", from->reachable_at());
  ask.after = read_after(in, from->after(), ask.near.has_value());
  ask.valid_at = read_time(in, "valid_at", from->valid_at());
  ask.any_time = from->any_time();
  return ask;
}

AskTotals read_map(MessageReader& in, const wire::AskTotals* from) {
  AskTotals ask;
  in.bounded("types", from->types(), kMaxQueryItems);
  if (in.failed()) return ask;
  ask.place = read_place(in, from->place());
  ask.types = read_known<ResourceType>(in, "types", from->types());
  ask.capability = in.line("capability", from->capability());
  return ask;
}

ResourceRows read_map(MessageReader& in, const wire::ResourceRows* from) {
  auto rows = in.list<ResourceRow>(from->rows(), [&](const wire::ResourceRow* item) { return read(in, item); });
  return {std::move(rows), from->truncated(), in.text(from->next())};
}

TotalRows read_map(MessageReader& in, const wire::TotalRows* from) {
  return {in.list<TotalRow>(from->rows(), [&](const wire::TotalRow* item) { return read(in, item); }), from->truncated()};
}

}  // namespace lianxi::codec
