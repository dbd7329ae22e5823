#include "tests/unit/store/map_model.h"

#include <algorithm>
#include <cmath>

#include "broker/store/map_card.h"

namespace lianxi::store::test {

namespace {

template <class T>
const T& one_of(std::mt19937& random, const std::vector<T>& values) {
  return values[random() % values.size()];
}

int width(const Audience& audience) {
  return audience.is_local() ? 0 : audience == Audience::conference() ? 2 : 1;
}

// A winding number, not the index's even-odd count; borders belong to it.
bool inside(const std::vector<LonLat>& ring, LonLat p) {
  double turned = 0;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    const double ax = ring[i].lon - p.lon, ay = ring[i].lat - p.lat, bx = ring[i + 1].lon - p.lon, by = ring[i + 1].lat - p.lat;
    const double cross = ax * by - ay * bx, dot = ax * bx + ay * by;
    if (cross == 0 && dot <= 0) return true;
    turned += std::atan2(cross, dot);
  }
  return std::abs(turned) > 1;
}

std::vector<LonLat> ring_of(const LonLatBox& b) {
  return {{b.west, b.south}, {b.east, b.south}, {b.east, b.north}, {b.west, b.north}, {b.west, b.south}};
}

bool crosses(LonLat a, LonLat b, LonLat c, LonLat d) {
  const auto side = [](LonLat p, LonLat q, LonLat r) {
    return (q.lon - p.lon) * (r.lat - p.lat) - (q.lat - p.lat) * (r.lon - p.lon);
  };
  return side(a, b, c) * side(a, b, d) <= 0 && side(c, d, a) * side(c, d, b) <= 0;
}

bool overlaps(const std::vector<LonLat>& one, const std::vector<LonLat>& other) {
  if (other.empty()) return false;
  for (const LonLat& p : other)
    if (inside(one, p)) return true;
  for (const LonLat& p : one)
    if (inside(other, p)) return true;
  for (std::size_t i = 0; i + 1 < one.size(); ++i)
    for (std::size_t j = 0; j + 1 < other.size(); ++j)
      if (crosses(one[i], one[i + 1], other[j], other[j + 1])) return true;
  return false;
}

bool in_area(const Resource& resource, const std::vector<LonLat>& ring) {
  return (resource.location && inside(ring, *resource.location)) || overlaps(ring, resource.area);
}

}  // namespace

void MapModel::take(const Event& event) {
  const auto& resource = std::get<Resource>(event.body);
  if (event.envelope.status != Status::Actual) return;
  const std::pair key(event.envelope.entity, event.envelope.audience.text());
  if (resource.change == ResourceChange::remove) {
    rows_.erase(key);
  } else if (resource.change == ResourceChange::state) {
    if (const auto found = rows_.find(key); found != rows_.end()) found->second.resource.state = resource.state;
  } else {
    rows_[key] = {event.envelope, resource};
  }
}

bool MapModel::fits(const Row& row, const AskResources& ask, TimeMs now, const MapNames& names) {
  const Resource& r = row.resource;
  const auto any = [](const auto& list, auto test) { return std::any_of(list.begin(), list.end(), test); };
  if (!ask.types.empty() && !any(ask.types, [&](auto type) { return type == r.type; })) return false;
  if (!ask.states.empty() && !any(ask.states, [&](auto state) { return state == r.state; })) return false;
  if (ask.available && r.state != ResourceState::available) return false;
  if (!ask.capability.empty()) {
    const auto words = names.words_of(ask.capability);
    if (!any(r.capabilities, [&](const auto& have) { return any(words, [&](const auto& word) { return word == have; }); }))
      return false;
  }
  if (ask.place && !any(names.places_of(*ask.place), [&](const PlaceCode& p) { return p.covers(row.envelope.place); }))
    return false;
  const TimeMs at = ask.valid_at.value_or(now);
  if (!ask.any_time && ((r.valid_from && at < *r.valid_from) || (r.valid_until && at >= *r.valid_until))) return false;
  const bool counts = r.type == ResourceType::team || r.type == ResourceType::expert || r.type == ResourceType::equipment;
  const std::int64_t whole = r.quantity_milli == 0 && counts ? 1'000 : r.quantity_milli;
  if ((r.state == ResourceState::available ? whole : 0) < ask.at_least_milli) return false;
  if (!ask.polygon.empty() && !in_area(r, ask.polygon)) return false;
  if (ask.box && !in_area(r, ring_of(*ask.box))) return false;
  if (!ask.languages.empty() && !any(ask.languages, [&](const auto& l) {
        return any(r.languages, [&](const auto& have) { return have == l || have.starts_with(l + "-"); });
      }))
    return false;
  std::string text = r.name + " " + r.owner + " " + r.address;
  for (const auto& attribute : r.attributes) text += " " + attribute.name + " " + attribute.value;
  for (const auto& word : r.capabilities) {
    text += " " + word;
    if (const auto found = names.capabilities.find(word); found != names.capabilities.end())
      for (const auto& name : found->second) text += " " + name;
  }
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (std::size_t from = 0; from < ask.text.size();) {
    const std::size_t end = std::min(ask.text.find(' ', from), ask.text.size());
    if (text.find(ask.text.substr(from, end - from)) == std::string::npos) return false;
    from = end + 1;
  }
  return !ask.near || (r.location && geodesic_m(*ask.near, *r.location) <= ask.within_m.value_or(1e9));
}

std::vector<std::string> MapModel::answer(const AskResources& ask, TimeMs now, const MapNames& names,
                                          const ReadView::Admits& admits) const {
  std::map<std::string, const Row*> shown;
  for (const auto& [key, row] : rows_) {
    if (!admits(row.envelope)) continue;
    const Row*& best = shown[key.first];
    const auto rank = [](const Row& r) { return std::pair(width(r.envelope.audience), r.envelope.audience.text()); };
    if (best == nullptr || rank(row) < rank(*best)) best = &row;
  }
  std::vector<std::pair<double, std::string>> found;
  for (const auto& [entity, row] : shown)
    if (fits(*row, ask, now, names)) found.emplace_back(ask.near ? geodesic_m(*ask.near, *row->resource.location) : 0, entity);
  std::sort(found.begin(), found.end());
  std::vector<std::string> ids;
  for (const auto& [distance, id] : found) ids.push_back(id);
  return ids;
}

MapNames some_names() {
  MapNames names;
  names.aliases["330821"] = {PlaceCode::parse("330802").value(), PlaceCode::parse("330803").value()};
  names.aliases["361121"] = {PlaceCode::parse("361104").value()};
  names.capabilities["hazmat"] = {"危化品处置", "Hazardous materials", "化工"};
  names.capabilities["fire"] = {"灭火", "Fire fighting"};
  names.capabilities["boat"] = {"水域救援", "Water rescue"};
  return names;
}

Event random_resource(std::mt19937& random, int entities) {
  const auto unit = [&] { return static_cast<double>(random() % 1'000'000) / 1e6; };
  static const std::vector<std::string> kPlaces{"330802", "330803", "330803101", "330881",
                                                "341002", "361104", "361121",    "350700"};
  static const std::vector<std::vector<std::string>> kWords{{}, {"hazmat"}, {"fire", "hazmat"}, {"boat"}, {"fire"}, {"diving"}};
  static const std::vector<std::string> kNames{"衢州危化品专业队", "消防一队",         "water 水域队",
                                               "化工园仓库",       "北门消防 station", "念化路"};
  ResourceOf of;
  of.name = "r" + std::to_string(random() % static_cast<unsigned>(entities));
  of.change = random() % 12 == 0 ? ResourceChange::remove : random() % 6 == 0 ? ResourceChange::state : ResourceChange::upsert;
  of.type = static_cast<ResourceType>(random() % 6);
  of.state = static_cast<ResourceState>(random() % 6);
  if (random() % 3 != 0) of.state = ResourceState::available;
  // Many at one spot, many in clusters, some far away.
  if (random() % 8 != 0) of.location = LonLat{118 + unit() * 2, 28 + unit() * 2};
  if (random() % 10 == 0) of.location = LonLat{118.5, 28.5};
  if (random() % 40 == 0) of.location = LonLat{-180 + unit() * 360, -90 + unit() * 180};
  of.capabilities = one_of(random, kWords);
  of.quantity_milli = static_cast<std::int64_t>(random() % 5) * 1'000;
  of.place = one_of(random, kPlaces);
  of.audience = one_of<std::string>(random, {"conference", "conference", "conference", "three-cities", "local"});
  of.status = random() % 10 == 0 ? Status::Exercise : Status::Actual;
  const std::string name = one_of(random, kNames) + std::to_string(random() % 10);
  const unsigned kind = static_cast<unsigned>(random() % 8);
  const auto many = static_cast<std::int32_t>(random() % 300);  // their bits in one byte or two
  of.more = [=](Resource& resource) {
    resource.name = name;
    resource.unit = many % 2 == 0 ? "件" : "";
    resource.contact = std::string(static_cast<std::size_t>(many), 'a');
    resource.phone = std::to_string(many);
    resource.supply_code = many % 3 == 0 ? "10301" : "";
    if (many % 4 != 0) resource.capacity = many;
    if (many % 5 != 0) resource.occupancy = many % 7;
    if (many % 6 == 0) resource.answerable = "郑建国", resource.answerable_phone = "13800000000";
    if (kind == 0) resource.area = {{118.2, 28.2}, {118.4, 28.2}, {118.4, 28.5}, {118.2, 28.2}};
    if (kind == 1) resource.valid_from = kNoon + 10;
    if (kind == 2) resource.valid_until = kNoon + 10;
    if (kind == 3) resource.languages = {"zh", "en-GB"};
    if (kind == 4) resource.attributes = {{"备注", "夜间\n值班 pump"}};
    if (kind == 5) resource.owner = "危化中心";
    if (kind == 7) resource.attributes = {{"large", std::string(kMaxCardBytes, 'l') + " pump"}};
    if (kind == 6) resource.address = "念化路" + std::to_string(many) + "号";
  };
  Event event = resource_event(of);
  event.envelope.entity = resource_id(of.name);
  return event;
}

AskResources random_question(std::mt19937& random) {
  const auto unit = [&] { return static_cast<double>(random() % 1'000'000) / 1e6; };
  const auto maybe = [&](unsigned n) { return random() % n == 0; };
  AskResources ask;
  if (!maybe(3)) ask.near = LonLat{118 + unit() * 2, 28 + unit() * 2};
  if (maybe(20)) ask.near = LonLat{118.5, 28.5};
  if (ask.near && maybe(2)) ask.within_m = maybe(8) ? 1e7 : unit() * 100'000;
  if (maybe(3)) ask.types = {static_cast<ResourceType>(random() % 6), static_cast<ResourceType>(random() % 6)};
  if (maybe(3)) ask.capability = one_of<std::string>(random, {"hazmat", "化工", "WATER RESCUE", "diving", "nothing"});
  if (maybe(4))
    ask.place = PlaceCode::parse(one_of<std::string>(random, {"3308", "330821", "361104", "330803101", "33", "45"})).value();
  ask.available = maybe(3);
  ask.limit = one_of<std::uint32_t>(random, {1, 3, 10, 1'000});
  if (maybe(4)) {
    const LonLat c{118.2 + unit() * 1.5, 28.2 + unit() * 1.5};
    ask.polygon = {{c.lon - unit(), c.lat}, {c.lon, c.lat - unit()}, {c.lon + unit(), c.lat}, {c.lon, c.lat + unit()}};
    ask.polygon.push_back(ask.polygon.front());
  }
  if (maybe(5)) ask.box = LonLatBox{118 + unit(), 28 + unit(), 119.2 + unit(), 29.2 + unit()};
  if (maybe(3))
    ask.text = one_of<std::string>(
        random, {"危化", "消防", "队", "化工园", "水域救援", "念化路", "water", "pump", "消防 st", "危化品专业"});
  if (maybe(6)) ask.states = {static_cast<ResourceState>(random() % 6), ResourceState::available};
  if (maybe(5)) ask.at_least_milli = static_cast<std::int64_t>(random() % 4) * 1'000;
  if (maybe(10)) ask.languages = {one_of<std::string>(random, {"en", "zh", "fr"})};
  if (maybe(4)) ask.valid_at = kNoon + 20;
  ask.any_time = maybe(6);
  return ask;
}

}  // namespace lianxi::store::test
