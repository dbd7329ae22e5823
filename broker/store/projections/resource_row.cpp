#include "broker/store/projections/resource_row.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "broker/store/map_text.h"

namespace lianxi::store {

std::int64_t whole_milli(ResourceType type, std::int64_t quantity_milli) {
  constexpr std::int64_t kOne = 1'000;
  const bool counts_itself = type == ResourceType::team || type == ResourceType::expert || type == ResourceType::equipment;
  return quantity_milli == 0 && counts_itself ? kOne : quantity_milli;
}

ResourceState effective_state(ResourceState stated, std::int64_t whole_milli, const Holdings& held) {
  const bool taken = held.milli > 0 && held.milli >= whole_milli;
  return stated == ResourceState::available && taken && held.state ? *held.state : stated;
}

std::int64_t free_milli(ResourceState stated, std::int64_t whole_milli, const Holdings& held) {
  return stated == ResourceState::available ? std::max<std::int64_t>(0, whole_milli - held.milli) : 0;
}

std::string join_lines(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += '\n';
    text += word;
  }
  return text;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    words.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

namespace {

// A value may have several lines; a line of the column is one attribute.
void add_escaped(std::string& to, std::string_view text) {
  for (const char c : text) {
    if (c == '\\')
      to += "\\\\";
    else if (c == '\n')
      to += "\\n";
    else if (c == '\t')
      to += "\\t";
    else
      to += c;
  }
}

std::string unescaped(std::string_view text) {
  std::string to;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      to += text[i];
      continue;
    }
    const char next = text[++i];
    to += next == 'n' ? '\n' : next == 't' ? '\t' : next;
  }
  return to;
}

}  // namespace

std::string attributes_text(std::span<const NameValueView> attributes) {
  std::string text;
  for (const NameValueView& attribute : attributes) {
    if (!text.empty()) text += '\n';
    add_escaped(text, attribute.name);
    text += '\t';
    add_escaped(text, attribute.value);
  }
  return text;
}

std::vector<NameValue> attributes_of(std::string_view text) {
  std::vector<NameValue> attributes;
  for (const std::string& line : split_lines(text)) {
    const std::size_t tab = std::min(line.find('\t'), line.size());
    const std::string_view view = line;
    attributes.push_back({unescaped(view.substr(0, tab)), tab == line.size() ? std::string() : unescaped(view.substr(tab + 1))});
  }
  return attributes;
}

std::string on_call_text(std::span<const OnCall> times) {
  std::string text;
  for (const OnCall& time : times) {
    if (!text.empty()) text += '\n';
    text += fmt::format("{} {} {}", time.days, time.from_minute, time.to_minute);
  }
  return text;
}

std::vector<OnCall> on_call_of(const std::string& text) {
  std::vector<OnCall> times;
  for (const std::string& line : split_lines(text)) {
    unsigned days = 0, from = 0, to = 0;
    if (std::sscanf(line.c_str(), "%u %u %u", &days, &from, &to) != 3) fail(StoreError::corrupt, "a time on call cannot be read");
    times.push_back({static_cast<std::uint8_t>(days), static_cast<std::uint16_t>(from), static_cast<std::uint16_t>(to)});
  }
  return times;
}

std::string area_text(std::span<const LonLat> ring) {
  std::string text;
  for (const LonLat& point : ring) {
    if (!text.empty()) text += '\n';
    text += fmt::format("{} {}", point.lon, point.lat);  // reads back as it was
  }
  return text;
}

std::vector<LonLat> area_of(const std::string& text) {
  std::vector<LonLat> ring;
  for (const std::string& line : split_lines(text)) {
    LonLat point;
    if (std::sscanf(line.c_str(), "%lf %lf", &point.lon, &point.lat) != 2) fail(StoreError::corrupt, "an area cannot be read");
    ring.push_back(point);
  }
  return ring;
}

ResourceRecord::Seen ResourceRecord::seen(bool actual) const {
  return {removed, record, place_version, contact_version, actual && visible() ? text() : std::string()};
}

std::string searchable(std::string_view attributes) {
  if (attributes.find('\\') == std::string_view::npos) return std::string(attributes);
  std::string text;
  for (const NameValue& attribute : attributes_of(attributes)) text += attribute.name + '\n' + attribute.value + '\n';
  return text;
}

std::string ResourceRecord::text() const {
  return indexed_text({name, owner, address, searchable(attributes)}, split_lines(capabilities));
}

std::string ResourceRecord::home_place() const {
  return PlaceCode::of(region).text();
}

Version ResourceRecord::last_bulk() const {
  return std::max({removed, record, quantity_version, place_version, contact_version});
}

// Groups are kept apart by lane, and each is what its last event says: so what a retention takes out of one lane is the same
// whether or not the events before it ever came.
void ResourceRecord::take(const Envelope& envelope, const ResourceView& resource, Version version, TimeMs received_at) {
  if (resource.change == ResourceChange::state) {
    if (version <= state_version) return;
    state_version = version;
    changed_state = static_cast<std::int64_t>(resource.state);
    state_at = received_at;
    return;
  }
  if (version > last_bulk()) bulk_at = received_at;
  if (resource.change == ResourceChange::remove) {
    removed = std::max(removed, version);
    return;
  }
  take_bulk(envelope, resource, version);
}

void ResourceRecord::take_bulk(const Envelope& envelope, const ResourceView& resource, Version version) {
  if (resource.change == ResourceChange::upsert && version > record) take_record(envelope, resource, version);
  if (states(resource, ResourceGroup::state) && version > record_state_version) {
    record_state_version = version;
    record_state = static_cast<std::int64_t>(resource.state);
  }
  if (states(resource, ResourceGroup::quantity) && version > quantity_version) {
    quantity_version = version;
    quantity_milli = resource.quantity_milli;
    capacity = resource.capacity;
    occupancy = resource.occupancy;
  }
  if (states(resource, ResourceGroup::place) && version > place_version) {
    place_version = version;
    place = envelope.place.text();
    address = resource.address;
    lon = resource.location ? std::optional(resource.location->lon) : std::nullopt;
    lat = resource.location ? std::optional(resource.location->lat) : std::nullopt;
    area = area_text(resource.area);
  }
  if (states(resource, ResourceGroup::contact) && version > contact_version) {
    contact_version = version;
    contact = resource.contact;
    phone = resource.phone;
    contact_place = envelope.place.text();
    contact_agency = envelope.agency;
    contact_level = static_cast<std::int64_t>(envelope.level);
  }
}

void ResourceRecord::take_record(const Envelope& envelope, const ResourceView& resource, Version version) {
  record = version;
  type = static_cast<std::int64_t>(resource.type);
  level = static_cast<std::int64_t>(envelope.level);
  agency = envelope.agency;
  name = resource.name;
  owner = resource.owner;
  capabilities = join_lines(resource.capabilities);
  unit = resource.unit;
  supply_code = resource.supply_code;
  attributes = attributes_text(resource.attributes);
  answerable = resource.answerable;
  answerable_phone = resource.answerable_phone;
  languages = join_lines(resource.languages);
  on_call = on_call_text(resource.on_call);
  valid_from = resource.valid_from;
  valid_until = resource.valid_until;
}

void ResourceRecord::drop(Lane lane, Version cut) {
  if (lane == lane_of(Kind::resource, ResourceChange::state)) {
    if (state_version > cut) return;
    state_version = changed_state = state_at = 0;
    return;
  }
  if (removed <= cut) removed = 0;
  if (record <= cut) {
    record = type = level = 0;
    for (std::string* text : {&agency, &name, &owner, &capabilities, &unit, &supply_code, &attributes, &answerable,
                              &answerable_phone, &languages, &on_call})
      text->clear();
    valid_from = valid_until = std::nullopt;
  }
  if (record_state_version <= cut) record_state_version = record_state = 0;
  if (quantity_version <= cut) {
    quantity_version = quantity_milli = 0;
    capacity = occupancy = std::nullopt;
  }
  if (place_version <= cut) {
    place_version = 0;
    place = home_place();
    address.clear();
    lon = lat = std::nullopt;
    area.clear();
  }
  if (contact_version <= cut) {
    contact_version = contact_level = 0;
    for (std::string* text : {&contact, &phone, &contact_place, &contact_agency}) text->clear();
  }
  if (last_bulk() == 0) bulk_at = 0;
}

Hash ResourceRecord::content_hash(const RowKey& key) const {
  RowHasher row("resource");
  row.text(key.entity)
      .text(audience->name)
      .number(static_cast<std::int64_t>(key.status))
      .number(removed)
      .number(record)
      .number(type)
      .number(level);
  for (const std::string* text : {&agency, &name, &owner, &capabilities, &unit, &supply_code, &attributes, &answerable,
                                  &answerable_phone, &languages, &on_call})
    row.text(*text);
  row.number(valid_from ? 1 : 0).number(valid_from.value_or(0)).number(valid_until ? 1 : 0).number(valid_until.value_or(0));
  row.number(record_state_version).number(record_state).number(state_version).number(changed_state);
  row.number(quantity_version).number(quantity_milli).maybe(capacity).maybe(occupancy);
  row.number(place_version).text(place).text(address).real(lon).real(lat).text(area);
  row.number(contact_version).text(contact).text(phone).text(contact_place).text(contact_agency).number(contact_level);
  return row.number(updated_at()).finish();
}

MapEntry ResourceRecord::entry(const RowKey& key) const {
  MapEntry entry;
  entry.id = id;
  entry.entity = key.entity;
  entry.audience = key.audience;
  entry.visible = visible();
  entry.contact = has_contact();
  entry.place = entry.visible ? place : contact_place;
  entry.agency = entry.visible ? agency : contact_agency;
  entry.card = MapCard({.region = region,
                        .quantity_milli = quantity_milli,
                        .held_milli = held.milli,
                        .capacity = capacity,
                        .occupancy = occupancy,
                        .updated_at = updated_at(),
                        .name = name,
                        .capabilities = capabilities,
                        .unit = unit,
                        .supply_code = supply_code,
                        .owner = owner,
                        .address = address,
                        .contact = contact,
                        .phone = phone,
                        .attributes = attributes,
                        .answerable = answerable,
                        .answerable_phone = answerable_phone},
                       visible(), has_contact());
  entry.level = static_cast<Level>(entry.visible ? level : contact_level);
  if (!entry.visible) return entry;
  entry.type = static_cast<ResourceType>(type);
  entry.state = static_cast<ResourceState>(state());
  entry.capabilities = split_lines(capabilities);
  if (lon && lat) entry.location = LonLat{*lon, *lat};
  entry.area = area_of(area);
  entry.free_milli = free();
  entry.capacity = capacity;
  entry.occupancy = occupancy;
  entry.valid_from = valid_from;
  entry.valid_until = valid_until;
  entry.languages = split_lines(languages);
  entry.on_call = on_call_of(on_call);
  return entry;
}

}  // namespace lianxi::store
