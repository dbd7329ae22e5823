// policy.toml: who may publish, follow and query what. Nothing is allowed that no grant allows.
#include <algorithm>
#include <array>

#include "broker/app/config_words.h"
#include "schemas/limits.h"

namespace lianxi::app {
namespace {

using Need = TableReader::Need;
using Text = TableReader::Text;

std::optional<std::array<std::string_view, 3>> parts_of(std::string_view id) {
  const std::size_t first = id.find('.');
  const std::size_t second = first == std::string_view::npos ? first : id.find('.', first + 1);
  if (second == std::string_view::npos || id.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  return std::array<std::string_view, 3>{id.substr(0, first), id.substr(first + 1, second - first - 1), id.substr(second + 1)};
}

// A pattern is an id in which parts may be '*'.
bool is_pattern(std::string_view pattern) {
  const auto parts = parts_of(pattern);
  if (!parts) return false;
  const std::string region((*parts)[0] == "*" ? "330800" : (*parts)[0]);
  const std::string agency((*parts)[1] == "*" ? "x" : (*parts)[1]);
  const std::string name((*parts)[2] == "*" ? "x" : (*parts)[2]);
  return AgentId::parse(region + "." + agency + "." + name).has_value();
}

bool matches(std::string_view pattern, std::string_view id) {
  const auto want = parts_of(pattern);
  const auto have = parts_of(id);
  if (!want || !have) return false;
  for (std::size_t i = 0; i < want->size(); ++i) {
    if ((*want)[i] != "*" && (*want)[i] != (*have)[i]) return false;
  }
  return true;
}

bool is_agency(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAgencyBytes &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string_view::npos;
}

core::Rule read_rule(TableReader& table, const core::Members& members) {
  core::Rule rule;
  rule.line = table.line();
  for (const Text& at : table.texts("kinds")) {
    if (const std::optional<Kind> kind = read_word(table, at, Kind::alert, kLastKind)) {
      rule.kinds.push_back(*kind);
      rule.kind_words.emplace_back(to_word(*kind));
    }
  }
  for (const Text& at : table.texts("places")) {
    if (std::optional<PlaceCode> place = accept(table, at, PlaceCode::parse(at.value))) rule.places.push_back(*place);
  }
  for (const Text& at : table.texts("agencies")) {
    if (!is_agency(at.value)) {
      table.error(at, "'" + at.value + "' is not an agency", "write lower case letters, digits and '-', e.g. \"fire\"");
    }
    rule.agencies.push_back(at.value);
  }
  for (const Text& at : table.texts("levels")) {
    if (const std::optional<Level> level = read_word(table, at, Level::none, Level::blue)) rule.levels.push_back(*level);
  }
  for (const Text& at : table.texts("audiences")) {
    const std::optional<Audience> audience = accept(table, at, Audience::parse(at.value));
    if (!audience) continue;
    if (!audience->is_local() && *audience != Audience::conference() && !members.is_audience(*audience)) {
      table.error(at, "'" + at.value + "' is not an audience",
                  "write local, conference or the name of a group in the members file");
    }
    rule.audiences.push_back(*audience);
  }
  table.close();
  return rule;
}

}  // namespace

core::PublishRates read_rates(TableReader& table, core::PublishRates rates) {
  constexpr std::int64_t kMaxRate = 1'000'000'000'000;
  const std::array<std::pair<std::string_view, std::uint64_t*>, 4> keys{{{"events_per_s", &rates.rest.events_per_s},
                                                                         {"bytes_per_s", &rates.rest.bytes_per_s},
                                                                         {"flash_events_per_s", &rates.flash.events_per_s},
                                                                         {"flash_bytes_per_s", &rates.flash.bytes_per_s}}};
  for (const auto& [key, target] : keys)
    if (const auto value = table.integer(key, 0, kMaxRate)) *target = static_cast<std::uint64_t>(*value);
  table.close();
  return rates;
}

namespace {

core::Grant read_grant(TableReader& table, const core::Members& members, const std::vector<AgentKey>& agents) {
  core::Grant grant;
  if (const std::optional<Text> at = table.text("agents", Need::required, "*.police.*")) {
    grant.agents = at->value;
    if (!is_pattern(at->value)) {
      table.error(*at, "'" + at->value + "' fits no agent",
                  "write region.agency.name, where '*' stands for one whole part, e.g. \"*.police.*\"");
    } else if (std::none_of(agents.begin(), agents.end(),
                            [&](const AgentKey& key) { return matches(at->value, key.agent.id.text()); })) {
      table.warn(at->line, at->field, "no agent with a key is meant by '" + at->value + "'",
                 "add the agent's public file to the key folder, or remove the grant");
    }
  }
  const std::array<std::pair<std::string_view, std::vector<core::Rule>*>, 3> rights{
      {{"publish", &grant.publish}, {"follow", &grant.follow}, {"query", &grant.query}}};
  bool any = false;
  for (const auto& [key, target] : rights) {
    for (TableReader& rule : table.tables(key)) target->push_back(read_rule(rule, members));
    any = any || !target->empty();
  }
  if (std::optional<TableReader> rate = table.table("rate")) {
    grant.rates = read_rates(*rate, {});
    any = true;
  }
  if (!any)
    table.warn(table.line(), "", "a grant that grants nothing", "add [[grant.publish]], [[grant.follow]] or [[grant.query]]");
  table.close();
  return grant;
}

}  // namespace

Reading<core::Policy> read_policy(const std::string& path, const core::Members& members, const std::vector<AgentKey>& agents) {
  Reading<core::Policy> out;
  const std::optional<TomlNode> tree = read_toml(path, out.findings);
  if (!tree) return out;
  TableReader root(*tree, path, "", out.findings);
  std::vector<core::Grant> grants;
  for (TableReader& table : root.tables("grant")) grants.push_back(read_grant(table, members, agents));
  root.close();
  if (grants.empty()) root.warn(0, "grant", "there is none: nobody may do anything", "add a [[grant]]");
  if (!has_errors(out.findings)) out.value.emplace(std::move(grants));
  return out;
}

}  // namespace lianxi::app
