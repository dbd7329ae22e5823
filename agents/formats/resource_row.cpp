#include "agents/formats/resource_row.h"

#include <cmath>

#include "agents/formats/resource_words.h"
#include "agents/formats/text.h"
#include "schemas/codec/event_codec.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {
namespace {

struct Heading {
  std::string_view english;
  std::string_view chinese;
};
constexpr std::array<Heading, kColumns> kHeadings = {{{"id", "编号"},
                                                      {"type", "类型"},
                                                      {"name", "名称"},
                                                      {"owner", "所属单位"},
                                                      {"place", "行政区划"},
                                                      {"address", "地址"},
                                                      {"lon", "经度"},
                                                      {"lat", "纬度"},
                                                      {"datum", "坐标系"},
                                                      {"area", "范围"},
                                                      {"capabilities", "能力"},
                                                      {"state", "状态"},
                                                      {"quantity", "数量"},
                                                      {"unit", "单位"},
                                                      {"capacity", "容量"},
                                                      {"occupancy", "在住人数"},
                                                      {"supply_code", "物资编码"},
                                                      {"contact", "联系人"},
                                                      {"phone", "电话"},
                                                      {"answerable", "包保责任人"},
                                                      {"answerable_phone", "包保责任人电话"},
                                                      {"valid_from", "有效期起"},
                                                      {"valid_until", "有效期止"},
                                                      {"languages", "语言"},
                                                      {"on_call", "值班时间"},
                                                      {"attributes", "属性"}}};
constexpr std::array<std::string_view, 2> kAttribute = {"attr.", "属性."};

constexpr std::array kTypes = {ResourceType::team,      ResourceType::expert,  ResourceType::supply,
                               ResourceType::equipment, ResourceType::shelter, ResourceType::site};
constexpr std::array kStates = {ResourceState::available,      ResourceState::reserved,  ResourceState::deployed,
                                ResourceState::out_of_service, ResourceState::committed, ResourceState::returning};
constexpr std::size_t kSupplyCodeDigits = 7;  // GB/T 38565

std::span<const Column> columns_of(ResourceGroup group) {
  using enum Column;
  static constexpr std::array kState = {state};
  static constexpr std::array kQuantity = {quantity, capacity, occupancy};
  static constexpr std::array kPlace = {place, address, lon, lat, area};
  static constexpr std::array kContact = {contact, phone};
  switch (group) {
    case ResourceGroup::state:
      return kState;
    case ResourceGroup::quantity:
      return kQuantity;
    case ResourceGroup::place:
      return kPlace;
    case ResourceGroup::contact:
      return kContact;
  }
  return {};
}

ResourceGroups without_column(const Columns& there) {
  ResourceGroups groups;
  for (std::size_t i = 0; i < kResourceGroups; ++i) {
    if (const auto group = static_cast<ResourceGroup>(i); !there.any_of(columns_of(group))) groups.add(group);
  }
  return groups;
}

class RowReader {
 public:
  RowReader(const ResourceCells& cells, const ResourceFileContext& context, Event& event, const BadCell& bad)
      : cells_(cells), context_(context), event_(event), bad_(bad) {
    if (!std::holds_alternative<Resource>(event.body)) event.body.emplace<Resource>();
  }

  bool read() {
    Resource& resource = std::get<Resource>(event_.body);
    resource.change = ResourceChange::upsert;
    resource.keeps = without_column(cells_.there);
    if (cells_.at(Column::state).empty()) resource.keeps.add(ResourceGroup::state);
    resource.name = required(Column::name);
    const std::string_view id = required(Column::id);
    resource.type = word(required(Column::type), Column::type, kTypes, ResourceType::team);
    resource.state = word(cells_.at(Column::state), Column::state, kStates, ResourceState::available);
    resource.owner = cells_.at(Column::owner);
    resource.address = cells_.at(Column::address);
    places(resource);
    capabilities(resource.capabilities);
    resource.quantity_milli = quantity();
    resource.unit = cells_.at(Column::unit);
    resource.capacity = persons(Column::capacity);
    resource.occupancy = persons(Column::occupancy);
    resource.supply_code = supply_code();
    resource.contact = cells_.at(Column::contact);
    resource.phone = cells_.at(Column::phone);
    resource.answerable = cells_.at(Column::answerable);
    resource.answerable_phone = cells_.at(Column::answerable_phone);
    resource.valid_from = day(Column::valid_from, false);
    resource.valid_until = day(Column::valid_until, true);
    languages(resource.languages);
    resource.on_call = parsed(Column::on_call, read_on_call);
    resource.attributes = parsed(Column::attributes, read_attributes);
    for (const auto& [name, text] : cells_.attributes) {
      if (!text.empty()) resource.attributes.push_back({std::string(trimmed(name)), std::string(text)});
    }
    envelope(id);
    if (!good_) return false;
    if (const auto checked = check_event(event_); !checked) bad(checked.error().field, checked.error().reason);
    return good_;
  }

 private:
  void bad(std::string_view column, std::string reason) {
    good_ = false;
    bad_(column, std::move(reason));
  }
  void bad(Column column, std::string reason) { bad(heading_of(column), std::move(reason)); }

  std::string_view required(Column column) {
    const std::string_view text = cells_.at(column);
    if (text.empty()) bad(column, "the cell is empty: every resource needs it");
    return text;
  }

  // English or Chinese word of a vocabulary.
  template <class E, std::size_t N>
  E word(std::string_view text, Column column, const std::array<E, N>& values, E otherwise) {
    if (text.empty()) return otherwise;
    for (const E value : values) {
      if (text == to_word(value) || text == to_chinese(value)) return value;
    }
    std::vector<std::string> known;
    for (const E value : values) known.push_back(std::string(to_word(value)) + " " + std::string(to_chinese(value)));
    bad(column, "\"" + shortened(text) + "\" is not one of " + listed(known));
    return otherwise;
  }

  void envelope(std::string_view id) {
    Envelope& envelope = event_.envelope;
    envelope.kind = Kind::resource;
    envelope.entity =
        id.empty() || id.find(':') != std::string_view::npos ? std::string(id) : resource_entity(context_.region, id);
    const auto home = home_region(envelope.entity);
    if (!id.empty() && !home) {
      bad(Column::id, home.error().reason);
    } else if (!id.empty() && *home != context_.region) {
      bad(Column::id, "the resource belongs to region " + to_text(*home) + "; this import is for " + to_text(context_.region));
    }
    envelope.status = context_.status;
    envelope.place = PlaceCode::of(context_.region);
    if (const std::string_view text = cells_.at(Column::place); !text.empty()) {
      const Result<PlaceCode> code = PlaceCode::parse(text);
      if (!code) bad(Column::place, code.error().reason);
      if (code) envelope.place = *code;
    }
    envelope.agency = context_.agency;
    envelope.level = Level::none;
    envelope.audience = context_.audience;
    envelope.occurred_at = context_.now;
  }

  std::optional<Datum> datum() {
    const std::string_view said = cells_.at(Column::datum);
    if (said.empty()) {
      if (!context_.default_datum) bad(Column::datum, "the coordinate does not say its datum: write CGCS2000, WGS84 or GCJ02");
      return context_.default_datum;
    }
    const Result<Datum> parsed = parse_datum(said);
    if (!parsed) bad(Column::datum, parsed.error().reason);
    return parsed ? std::optional(*parsed) : std::nullopt;
  }

  void places(Resource& resource) {
    resource.location = cells_.point;
    resource.area = cells_.ring;
    const std::string_view lon = cells_.at(Column::lon), lat = cells_.at(Column::lat), area = cells_.at(Column::area);
    if (lon.empty() && lat.empty() && area.empty()) return;
    std::optional<LonLat> point;
    if (!lon.empty() || !lat.empty()) {
      const auto x = number<double>(lon);
      const auto y = number<double>(lat);
      const bool good_x = x && std::abs(*x) <= 180, good_y = y && std::abs(*y) <= 90;
      if (!good_x) bad(Column::lon, "\"" + shortened(lon) + "\" is not a longitude in degrees such as 118.873");
      if (!good_y) bad(Column::lat, "\"" + shortened(lat) + "\" is not a latitude in degrees such as 28.945");
      if (good_x && good_y) point = LonLat{*x, *y};
    }
    std::vector<LonLat> ring = parsed(Column::area, read_area);
    const auto said = datum();
    if (!said) return;
    if (point) resource.location = to_cgcs2000(*point, *said);
    for (LonLat& each : ring) each = to_cgcs2000(each, *said);
    if (!ring.empty()) resource.area = std::move(ring);
  }

  template <class Read>
  auto parsed(Column column, Read read_text) -> std::decay_t<decltype(*read_text(std::string_view{}))> {
    const std::string_view text = cells_.at(column);
    if (text.empty()) return {};
    auto value = read_text(text);
    if (!value) {
      bad(column, value.error().reason);
      return {};
    }
    return std::move(*value);
  }

  // Calls `each` for the words of a cell, which ';' parts, a wide one as well.
  template <class Each>
  static void parts_of(std::string_view text, Each each) {
    constexpr std::string_view kWide = "；";
    while (!text.empty()) {
      const std::size_t plain = std::min(text.find(';'), text.size());
      const std::size_t wide = std::min(text.find(kWide), text.size());
      const std::size_t end = std::min(plain, wide);
      if (const std::string_view part = trimmed(text.substr(0, end)); !part.empty()) each(part);
      text.remove_prefix(std::min(text.size(), end + (wide < plain ? kWide.size() : 1)));
    }
  }

  void capabilities(std::vector<std::string>& into) {
    into.clear();
    parts_of(cells_.at(Column::capabilities), [&](std::string_view part) {
      if (const auto word = context_.words == nullptr ? std::nullopt : context_.words->word_of(part)) {
        into.emplace_back(*word);
        return;
      }
      const bool one_word = part.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string_view::npos;
      if (!one_word) {
        bad(Column::capabilities,
            "\"" + shortened(part) + "\" is not one lower-case word" +
                (context_.words == nullptr ? ": part them with ';', e.g. hazmat;water-rescue; for Chinese names hand in "
                                             "the list of capabilities"
                                           : ", nor a name of the list of capabilities; part them with ';'"));
        return;
      }
      into.emplace_back(part);
    });
  }

  void languages(std::vector<std::string>& into) {
    into.clear();
    parts_of(cells_.at(Column::languages), [&](std::string_view part) { into.emplace_back(part); });
  }

  std::int64_t quantity() {
    const std::string_view text = cells_.at(Column::quantity);
    if (text.empty()) return 0;
    const auto value = thousandths(text);
    if (!value)
      bad(Column::quantity,
          "\"" + shortened(text) + "\" is not a number from 0 with at most three decimals, without thousands signs");
    return value.value_or(0);
  }

  std::optional<std::int32_t> persons(Column column) {
    const std::string_view text = cells_.at(column);
    if (text.empty()) return std::nullopt;
    const auto value = number<std::int32_t>(text);
    if (!value || *value < 0) bad(column, "\"" + shortened(text) + "\" is not a whole number of persons from 0");
    return value;
  }

  std::string_view supply_code() {
    const std::string_view text = cells_.at(Column::supply_code);
    if (!text.empty() && (!all_digits(text) || text.size() > kSupplyCodeDigits))
      bad(Column::supply_code, "\"" + shortened(text) + "\" is not a code of up to 7 digits (GB/T 38565)");
    return text;
  }

  std::optional<TimeMs> day(Column column, bool up_to_its_end) {
    const std::string_view text = cells_.at(column);
    if (text.empty()) return std::nullopt;
    const auto time = read_day(text, up_to_its_end);
    if (!time) bad(column, time.error().reason);
    return time ? std::optional(*time) : std::nullopt;
  }

  const ResourceCells& cells_;
  const ResourceFileContext& context_;
  Event& event_;
  const BadCell& bad_;
  bool good_ = true;
};

}  // namespace

std::string_view heading_of(Column column) {
  return kHeadings[static_cast<std::size_t>(column)].english;
}

std::optional<Column> column_named(std::string_view heading) {
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (heading == kHeadings[i].english || heading == kHeadings[i].chinese) return static_cast<Column>(i);
  }
  return std::nullopt;
}

std::optional<std::string_view> attribute_named(std::string_view heading) {
  for (const std::string_view prefix : kAttribute) {
    if (heading.starts_with(prefix) && heading.size() > prefix.size()) return heading.substr(prefix.size());
  }
  return std::nullopt;
}

std::string all_headings() {
  std::string text;
  for (const Heading& heading : kHeadings) text += std::string(heading.english) + " " + std::string(heading.chinese) + ", ";
  return text + "attr.NAME";
}

Unsaid unsaid_by(const Columns& columns) {
  Unsaid unsaid;
  Columns settled = columns;  // there, required, or of a group that is kept
  for (const Column column : {Column::id, Column::type, Column::name, Column::datum}) settled.add(column);
  const ResourceGroups kept = without_column(columns);
  for (std::size_t i = 0; i < kResourceGroups; ++i) {
    if (!kept.has(static_cast<ResourceGroup>(i))) continue;
    for (const Column column : columns_of(static_cast<ResourceGroup>(i))) {
      unsaid.kept.push_back(heading_of(column));
      settled.add(column);
    }
  }
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (const auto column = static_cast<Column>(i); !settled.has(column)) unsaid.emptied.push_back(heading_of(column));
  }
  return unsaid;
}

bool read_resource(const ResourceCells& cells, const ResourceFileContext& context, Event& event, const BadCell& bad) {
  return RowReader(cells, context, event, bad).read();
}

void RowProblems::add(Refusal refusal) {
  ++all;
  if (first.size() < kMaxRowProblems) first.push_back(std::move(refusal));
}

Result<Datum> parse_datum(std::string_view word) {
  std::string plain;
  for (const char c : trimmed(word)) {
    if (c != '-' && c != ' ') plain += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  if (plain == "CGCS2000") return Datum::cgcs2000;
  if (plain == "WGS84") return Datum::wgs84;
  if (plain == "GCJ02") return Datum::gcj02;
  return refuse(RefusalCode::invalid_field, "datum", "\"" + shortened(word) + "\" is not one of CGCS2000, WGS84, GCJ02");
}

}  // namespace lianxi::formats
