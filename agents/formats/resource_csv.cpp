#include "agents/formats/resource_csv.h"

#include <array>
#include <cmath>
#include <map>
#include <set>

#include "agents/formats/csv.h"
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
constexpr std::array<Heading, 18> kHeadings = {{{"id", "编号"},
                                                {"type", "类型"},
                                                {"name", "名称"},
                                                {"owner", "所属单位"},
                                                {"place", "行政区划"},
                                                {"address", "地址"},
                                                {"lon", "经度"},
                                                {"lat", "纬度"},
                                                {"datum", "坐标系"},
                                                {"capabilities", "能力"},
                                                {"state", "状态"},
                                                {"quantity", "数量"},
                                                {"unit", "单位"},
                                                {"capacity", "容量"},
                                                {"occupancy", "在住人数"},
                                                {"supply_code", "物资编码"},
                                                {"contact", "联系人"},
                                                {"phone", "电话"}}};
constexpr std::array<std::string_view, 2> kAttribute = {"attr.", "属性."};
constexpr std::size_t kSupplyCodeDigits = 7;  // GB/T 38565
constexpr std::int64_t kMaxQuantityMilli = 1'000'000'000'000'000;

std::string all_headings() {
  std::string text;
  for (const Heading& heading : kHeadings) text += std::string(heading.english) + " " + std::string(heading.chinese) + ", ";
  return text + "attr.NAME";
}

// Columns by their English names; attributes as "attr.NAME".
Result<std::vector<std::string>, std::vector<Refusal>> read_headings(const CsvRow& row) {
  std::vector<std::string> columns;
  std::vector<Refusal> refusals;
  std::set<std::string> seen;
  for (const std::string& cell : row.cells) {
    const std::string_view word = trimmed(cell);
    std::string column;
    for (const Heading& heading : kHeadings) {
      if (word == heading.english || word == heading.chinese) column = heading.english;
    }
    for (const std::string_view prefix : kAttribute) {
      if (word.starts_with(prefix) && word.size() > prefix.size()) column = "attr." + std::string(word.substr(prefix.size()));
    }
    const std::string where = "row " + std::to_string(row.row) + ", column " + shortened(word);
    if (column.empty()) {
      refusals.push_back({RefusalCode::csv_row, where, "the heading is not known; known are " + all_headings(), 0});
    } else if (!seen.insert(column).second) {
      refusals.push_back({RefusalCode::csv_row, where, "the heading stands twice: keep one of the two columns", 0});
    }
    columns.push_back(std::move(column));
  }
  for (const char* needed : {"id", "type", "name"}) {
    if (seen.contains(needed)) continue;
    refusals.push_back(
        {RefusalCode::csv_row, "row " + std::to_string(row.row) + ", column " + needed, "the column is missing", 0});
  }
  if (!refusals.empty()) return tl::unexpected(std::move(refusals));
  return columns;
}

// English or Chinese word of a vocabulary.
template <class E, std::size_t N>
Result<E> word_of(std::string_view text, const std::array<E, N>& values) {
  for (const E value : values) {
    if (text == to_word(value) || text == to_chinese(value)) return value;
  }
  std::vector<std::string> known;
  for (const E value : values) known.push_back(std::string(to_word(value)) + " " + std::string(to_chinese(value)));
  return refuse(RefusalCode::csv_row, "", "\"" + shortened(text) + "\" is not one of " + listed(known));
}
constexpr std::array kTypes = {ResourceType::team,      ResourceType::expert,  ResourceType::supply,
                               ResourceType::equipment, ResourceType::shelter, ResourceType::site};
constexpr std::array kStates = {ResourceState::available,      ResourceState::reserved,  ResourceState::deployed,
                                ResourceState::out_of_service, ResourceState::committed, ResourceState::returning};

class RowReader {
 public:
  RowReader(const CsvRow& row, const std::vector<std::string>& columns, std::vector<Refusal>& refusals)
      : row_(row.row), refusals_(refusals) {
    for (std::size_t i = 0; i < columns.size(); ++i) cells_[columns[i]] = std::string(trimmed(row.cells[i]));
  }

  Event read(const ResourceCsvContext& context) {
    Event event;
    Resource resource;
    resource.name = required("name");
    const std::string id = required("id");
    resource.type = word(required("type"), "type", kTypes, ResourceType::team);
    resource.state = word(cell("state"), "state", kStates, ResourceState::available);
    resource.owner = cell("owner");
    resource.address = cell("address");
    resource.location = location(context.default_datum);
    resource.capabilities = capabilities();
    resource.quantity_milli = quantity();
    resource.unit = cell("unit");
    resource.capacity = persons("capacity");
    resource.occupancy = persons("occupancy");
    resource.supply_code = supply_code();
    resource.contact = cell("contact");
    resource.phone = cell("phone");
    for (const auto& [column, text] : cells_) {
      if (column.starts_with(kAttribute[0]) && !text.empty()) {
        resource.attributes.push_back({column.substr(kAttribute[0].size()), text});
      }
    }
    Envelope& envelope = event.envelope;
    envelope = {Kind::resource, entity(id, context.region), context.status, place(context.region), context.agency,
                Level::none,    context.audience,           context.now};
    event.body = std::move(resource);
    return event;
  }

  void bad(std::string_view column, std::string reason) {
    refusals_.push_back(
        {RefusalCode::csv_row, "row " + std::to_string(row_) + ", column " + std::string(column), std::move(reason), 0});
  }

 private:
  std::string cell(const std::string& column) const {
    const auto found = cells_.find(column);
    return found == cells_.end() ? std::string{} : found->second;
  }
  std::string required(const char* column) {
    std::string text = cell(column);
    if (text.empty()) bad(column, "the cell is empty: every resource needs it");
    return text;
  }
  template <class E, std::size_t N>
  E word(const std::string& text, const char* column, const std::array<E, N>& values, E otherwise) {
    if (text.empty()) return otherwise;
    const Result<E> value = word_of(text, values);
    if (!value) bad(column, value.error().reason);
    return value.value_or(otherwise);
  }
  std::string entity(const std::string& id, RegionCode region) {
    if (id.empty()) return {};
    std::string whole = id.find(':') == std::string::npos ? resource_entity(region, id) : id;
    const auto home = home_region(whole);
    if (!home) {
      bad("id", home.error().reason);
    } else if (*home != region) {
      bad("id", "the resource belongs to region " + to_text(*home) + "; this import is for " + to_text(region));
    }
    return whole;
  }
  PlaceCode place(RegionCode region) {
    const std::string text = cell("place");
    if (text.empty()) return PlaceCode::of(region);
    const Result<PlaceCode> code = PlaceCode::parse(text);
    if (!code) bad("place", code.error().reason);
    return code.value_or(PlaceCode::of(region));
  }
  std::optional<LonLat> location(std::optional<Datum> datum) {
    const std::string lon = cell("lon");
    const std::string lat = cell("lat");
    if (lon.empty() && lat.empty()) return std::nullopt;
    const auto x = number<double>(lon);
    const auto y = number<double>(lat);
    if (!x || std::abs(*x) > 180) bad("lon", "\"" + shortened(lon) + "\" is not a longitude in degrees such as 118.873");
    if (!y || std::abs(*y) > 90) bad("lat", "\"" + shortened(lat) + "\" is not a latitude in degrees such as 28.945");
    if (const std::string said = cell("datum"); !said.empty()) {
      const Result<Datum> parsed = parse_datum(said);
      if (!parsed) {
        bad("datum", parsed.error().reason);
        return std::nullopt;
      }
      datum = *parsed;
    }
    if (!datum) bad("datum", "the coordinate does not say its datum: write CGCS2000, WGS84 or GCJ02");
    if (!x || !y || !datum || std::abs(*x) > 180 || std::abs(*y) > 90) return std::nullopt;
    return to_cgcs2000({*x, *y}, *datum);
  }
  std::vector<std::string> capabilities() {
    std::string text = cell("capabilities");
    for (std::size_t at = text.find("；"); at != std::string::npos; at = text.find("；")) text.replace(at, 3, ";");
    std::vector<std::string> found;
    for (const std::string_view part : split(text, ';')) {
      const std::string word(trimmed(part));
      if (word.empty()) continue;
      if (word.find_first_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ ,") != std::string::npos) {
        bad("capabilities",
            "\"" + shortened(word) + "\" is not one lower-case word; part them with ';', e.g. hazmat;water-rescue");
      }
      found.push_back(word);
    }
    return found;
  }
  std::int64_t quantity() {
    const std::string text = cell("quantity");
    if (text.empty()) return 0;
    const std::size_t dot = std::min(text.find('.'), text.size());
    const std::string fraction = dot < text.size() ? text.substr(dot + 1) : "";
    const auto whole = number<std::int64_t>(text.substr(0, dot) + (fraction + "000").substr(0, 3));
    const bool form = all_digits(text.substr(0, dot)) && (dot == text.size() || (all_digits(fraction) && fraction.size() <= 3));
    if (!form || !whole || *whole > kMaxQuantityMilli) {
      bad("quantity", "\"" + shortened(text) + "\" is not a number from 0 with at most three decimals, without thousands signs");
      return 0;
    }
    return *whole;
  }
  std::optional<std::int32_t> persons(const char* column) {
    const std::string text = cell(column);
    if (text.empty()) return std::nullopt;
    const auto value = number<std::int32_t>(text);
    if (!value || *value < 0) bad(column, "\"" + shortened(text) + "\" is not a whole number of persons from 0");
    return value;
  }
  std::string supply_code() {
    std::string text = cell("supply_code");
    if (!text.empty() && (!all_digits(text) || text.size() > kSupplyCodeDigits)) {
      bad("supply_code", "\"" + shortened(text) + "\" is not a code of up to 7 digits (GB/T 38565)");
    }
    return text;
  }

  std::size_t row_;
  std::map<std::string, std::string> cells_;
  std::vector<Refusal>& refusals_;
};

}  // namespace

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

LonLat to_cgcs2000(LonLat point, Datum datum) {
  return datum == Datum::gcj02 ? from_gcj02(point) : point;
}

Result<std::vector<Event>, std::vector<Refusal>> read_resources_csv(std::string_view text, const ResourceCsvContext& context) {
  const auto one = [](Refusal refusal) { return tl::unexpected(std::vector<Refusal>{std::move(refusal)}); };
  if (text.size() > kMaxFileBytes) return one({RefusalCode::oversize, "", "the file is larger than 64 MiB: part it", 0});
  const auto rows = read_csv(text);
  if (!rows) return one(rows.error());
  if (rows->empty()) return one({RefusalCode::csv_row, "row 1", "the file has no heading row", 0});
  const auto columns = read_headings(rows->front());
  if (!columns) return tl::unexpected(columns.error());

  std::vector<Event> events;
  std::vector<Refusal> refusals;
  std::map<std::string, std::size_t> seen;
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const CsvRow& row = (*rows)[i];
    if (row.cells.size() != columns->size()) {
      refusals.push_back({RefusalCode::csv_row, "row " + std::to_string(row.row),
                          "it has " + std::to_string(row.cells.size()) + " cells where the heading has " +
                              std::to_string(columns->size()) + ": a comma inside a cell needs quotation marks",
                          0});
      continue;
    }
    const std::size_t before = refusals.size();
    RowReader reader(row, *columns, refusals);
    Event event = reader.read(context);
    const auto [first, fresh] = seen.emplace(event.envelope.entity, row.row);
    if (!fresh && !event.envelope.entity.empty()) reader.bad("id", "row " + std::to_string(first->second) + " has the same id");
    if (refusals.size() == before) {
      if (const auto checked = check_event(event); !checked) reader.bad(checked.error().field, checked.error().reason);
    }
    events.push_back(std::move(event));
  }
  if (!refusals.empty()) return tl::unexpected(std::move(refusals));
  return events;
}

}  // namespace lianxi::formats
