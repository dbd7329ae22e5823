#include "tests/bench/map_data.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace lianxi::bench {
namespace {

struct County {
  const char* code;
  const char* name;
  double lon, lat;
};
constexpr std::array<County, 20> kCounties{
    {{"330802", "柯城区", 118.873, 28.945}, {"330803", "衢江区", 118.958, 28.973}, {"330822", "常山县", 118.522, 28.900},
     {"330824", "开化县", 118.414, 29.137}, {"330881", "江山市", 118.628, 28.735}, {"341002", "屯溪区", 118.317, 29.709},
     {"341003", "黄山区", 118.137, 30.295}, {"341021", "歙县", 118.428, 29.868},   {"341022", "休宁县", 118.189, 29.789},
     {"341024", "祁门县", 117.717, 29.853}, {"350702", "延平区", 118.179, 26.636}, {"350703", "建阳区", 118.123, 27.332},
     {"350722", "浦城县", 118.537, 27.920}, {"350781", "邵武市", 117.492, 27.338}, {"350782", "武夷山市", 118.033, 27.752},
     {"361102", "信州区", 117.971, 28.445}, {"361103", "广丰区", 118.190, 28.440}, {"361128", "鄱阳县", 116.674, 28.993},
     {"361130", "婺源县", 117.862, 29.254}, {"361181", "德兴市", 117.579, 28.945}}};
constexpr std::array<const char*, 19> kWords{
    "hazmat",         "decontamination", "fire",       "foam",        "forest-fire", "flood", "water-rescue",
    "pump",           "mountain-rescue", "collapse",   "mine-rescue", "medical",     "road",  "power",
    "communications", "drone",           "evacuation", "monitoring",  "volunteer"};
constexpr std::array<const char*, 6> kKinds{"救援队", "专家", "物资储备点", "抢险装备", "避灾安置点", "隐患点"};
constexpr std::array<const char*, 24> kFirst{"青", "石", "峡", "莲", "全", "大", "后", "廿", "高", "杜", "上", "球",
                                             "辉", "芳", "华", "桐", "杨", "苏", "齐", "村", "马", "池", "湖", "詹"};
constexpr std::array<const char*, 24> kSecond{"阳", "溪", "川", "花", "旺", "洲", "埠", "里", "家", "泽", "方", "梁",
                                              "镇", "招", "贤", "湾", "塘", "岭", "庄", "头", "坪", "坑", "源", "口"};
constexpr std::array<const char*, 10> kTrades{"化工", "建材", "水库", "林场", "园区", "医院", "学校", "码头", "矿业", "社区"};

// The same numbers on every machine.
class Draw {
 public:
  explicit Draw(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15U + 0x1234567) {}
  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31U);
  }
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  double unit() { return static_cast<double>(next() >> 11U) / 9007199254740992.0; }
  double around() { return unit() + unit() + unit() + unit() - 2; }  // near 0, within 2

 private:
  std::uint64_t state_;
};

LonLat spot(Draw& draw, const County& county) {
  const auto rounded = [](double degrees) { return std::round(degrees * 1e7) / 1e7; };
  return {rounded(county.lon + draw.around() * 0.2), rounded(county.lat + draw.around() * 0.17)};
}

std::string village(Draw& draw) {
  return std::string(kFirst[draw.below(kFirst.size())]) + kSecond[draw.below(kSecond.size())];
}

}  // namespace

const char* to_text(MapKind kind) {
  constexpr std::array<const char*, 4> kNames{"nearest", "radius", "polygon", "text"};
  return kNames[static_cast<std::size_t>(kind)];
}

MapResource map_resource(std::uint64_t number) {
  Draw draw(number + 1);
  const County& county = kCounties[draw.below(kCounties.size())];
  MapResource resource;
  char local[24];
  std::snprintf(local, sizeof local, "r%07llu", static_cast<unsigned long long>(number));
  resource.id = resource_entity(RegionCode{330800}, local);
  resource.type = static_cast<ResourceType>(draw.below(kKinds.size()));
  resource.state = draw.below(10) < 7 ? ResourceState::available : ResourceState::deployed;
  resource.location = spot(draw, county);
  resource.capabilities = {kWords[draw.below(kWords.size())]};
  if (draw.below(3) == 0) {
    std::string more = kWords[draw.below(kWords.size())];
    if (more != resource.capabilities[0]) resource.capabilities.push_back(std::move(more));
  }
  const std::string named = village(draw) + kTrades[draw.below(kTrades.size())];
  resource.name = county.name + named + kKinds[static_cast<std::size_t>(resource.type)];
  resource.owner = std::string(county.name) + "应急管理局";
  resource.address = std::string(county.name) + village(draw) + "路" + std::to_string(draw.below(300) + 1) + "号";
  resource.place = county.code;
  resource.agency = "emergency";  // whoever loads them speaks for no other
  resource.quantity_milli = static_cast<std::int64_t>(draw.below(400) + 1) * 1'000;
  return resource;
}

Event event_of(const MapResource& from) {
  Resource body;
  body.type = from.type;
  body.name = from.name;
  body.owner = from.owner;
  body.address = from.address;
  body.location = from.location;
  body.capabilities = from.capabilities;
  body.state = from.state;
  body.quantity_milli = from.quantity_milli;
  body.unit = "件";
  Event event;
  event.envelope = {Kind::resource, from.id,     Status::Actual,         PlaceCode::parse(from.place).value(),
                    from.agency,    Level::none, Audience::conference(), 1'604'894'400'000};
  event.body = std::move(body);
  return event;
}

MapChange map_change(std::uint64_t number, std::uint64_t resources) {
  Draw draw(number + 0xC0FFEE);
  const std::uint64_t resource = draw.below(resources);
  return {resource, draw.below(10) < 7 ? ResourceState::available : ResourceState::deployed};
}

Event event_of(const MapChange& change) {
  const MapResource of = map_resource(change.resource);
  Resource body;
  body.change = ResourceChange::state;
  body.type = of.type;
  body.state = change.state;
  Event event;
  event.envelope = {Kind::resource, of.id,       Status::Actual,         PlaceCode::parse(of.place).value(),
                    of.agency,      Level::none, Audience::conference(), 1'604'894'400'000};
  event.body = std::move(body);
  return event;
}

MapAsk map_ask(MapKind kind, std::uint64_t number) {
  Draw draw(number + 0xBEEF);
  const County& county = kCounties[draw.below(kCounties.size())];
  MapAsk ask;
  ask.kind = kind;
  ask.at = spot(draw, county);
  ask.capability = kWords[draw.below(kWords.size())];
  ask.within_m = 1'000 + draw.unit() * 4'000;
  if (kind == MapKind::radius) ask.limit = 50;
  if (kind == MapKind::polygon) {
    ask.limit = 100;
    constexpr int kSides = 6;
    for (int side = 0; side < kSides; ++side) {
      const double angle = side * 2 * 3.14159265358979 / kSides, reach = 0.01 + draw.unit() * 0.03;
      ask.ring.push_back({ask.at.lon + reach * std::cos(angle), ask.at.lat + reach * std::sin(angle)});
    }
    ask.ring.push_back(ask.ring.front());
  }
  if (kind == MapKind::text) ask.text = village(draw) + kTrades[draw.below(kTrades.size())];
  return ask;
}

}  // namespace lianxi::bench
