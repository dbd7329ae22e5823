// members.toml: who belongs to the conference, and the groups within it.
#include <algorithm>
#include <array>
#include <set>

#include "broker/app/config_words.h"

namespace lianxi::app {
namespace {

using Need = TableReader::Need;
using Text = TableReader::Text;

struct Taken {  // what may stand in one member only
  std::set<RegionCode> regions;
  std::set<std::string> curve_keys;
  std::set<SealPublicKey> seal_keys;
  std::vector<std::string> endpoints;
};

void read_member_endpoints(TableReader& table, core::Member& member, Taken& taken) {
  const std::array<std::pair<std::string_view, std::string*>, 5> sockets{{{"flash", &member.flash},
                                                                          {"data", &member.data},
                                                                          {"follow", &member.follow},
                                                                          {"query", &member.query},
                                                                          {"live", &member.live}}};
  for (const auto& [key, target] : sockets) {
    const std::optional<Text> at = table.text(key, Need::required, "tcp://host:port");
    const std::optional<std::string> endpoint = at ? read_endpoint(table, *at, false) : std::nullopt;
    if (!endpoint) continue;
    *target = *endpoint;
    const bool clash = std::any_of(taken.endpoints.begin(), taken.endpoints.end(),
                                   [&](const std::string& other) { return endpoints_clash(other, *endpoint); });
    if (clash) table.error(*at, *endpoint + " stands in this file already", "give every endpoint an address of its own");
    taken.endpoints.push_back(*endpoint);
  }
}

// `since` and `until`: a date, or an instant.
Window read_window(TableReader& table) {
  Window window;
  const auto read = [&](std::string_view key, Bound bound, std::optional<TimeMs>& into) {
    std::optional<Text> at = table.text(key, Need::optional, "2026-12-31");
    if (!at) return at;
    Result<TimeMs> time = parse_bound(at->value, bound);
    if (time) {
      into = *time;
    } else {
      table.error(*at, "'" + at->value + "' is neither a date nor an instant",
                  "write \"2026-12-31\" (in Beijing time, the whole day) or \"2026-12-31T18:00:00+08:00\"");
    }
    return at;
  };
  (void)read("since", Bound::since, window.since);
  const std::optional<Text> until = read("until", Bound::until, window.until);
  if (window.since && window.until && *window.until <= *window.since)
    table.error(*until, "ends before it begins", "write an `until` behind `since`, or leave one out");
  return window;
}

core::Member read_member(TableReader& table, Taken& taken) {
  core::Member member;
  if (const std::optional<Text> at = table.text("region", Need::required, "330800")) {
    if (const std::optional<RegionCode> region = read_region(table, *at)) {
      member.region = *region;
      if (!taken.regions.insert(*region).second) {
        table.error(*at, at->value + " stands in this file twice", "keep one [[member]] a region");
      }
    }
  }
  if (const std::optional<Text> at = table.text("name_zh", Need::optional)) member.name_zh = at->value;
  if (const std::optional<Text> at = table.text("name_en", Need::optional)) member.name_en = at->value;
  if (const std::optional<Text> at = table.text("seal_key")) {
    if (read_hex(table, *at, member.seal_key) && !taken.seal_keys.insert(member.seal_key).second) {
      table.error(*at, "is another member's key", "every node makes its own by `lianxi keys new NAME --seal`");
    }
  }
  if (const std::optional<Text> at = table.text("curve_key")) {
    if (const std::optional<std::string> key = read_z85_key(table, *at)) {
      member.curve_key = *key;
      if (!taken.curve_keys.insert(*key).second) {
        table.error(*at, "is another member's key", "every node makes its own by `lianxi keys new NAME --seal`");
      }
    }
  }
  read_member_endpoints(table, member, taken);
  member.window = read_window(table);
  table.close();
  return member;
}

std::optional<core::Group> read_group(TableReader& table, const std::set<RegionCode>& regions, std::set<Audience>& names) {
  core::Group group;
  if (const std::optional<Text> at = table.text("name")) {
    if (std::optional<Audience> name = accept(table, *at, Audience::parse(at->value))) {
      group.audience = *name;
      if (*name == Audience::local() || *name == Audience::conference()) {
        table.error(*at, "'" + at->value + "' is an audience of every conference", "give the group another name");
      } else if (!names.insert(*name).second) {
        table.error(*at, "'" + at->value + "' names two groups", "give each group a name of its own");
      }
    }
  }
  for (const Text& at : table.texts("members", Need::required)) {
    const std::optional<RegionCode> region = read_region(table, at);
    if (!region) continue;
    if (regions.count(*region) == 0) table.error(at, at.value + " is not a member", "add a [[member]] with this region");
    group.members.push_back(*region);
  }
  group.window = read_window(table);
  table.close();
  return group;
}

}  // namespace

Reading<core::Members> read_members(const std::string& path) {
  Reading<core::Members> out;
  std::string text;
  const std::optional<TomlNode> tree = read_toml(path, out.findings, &text);
  if (!tree) return out;
  TableReader root(*tree, path, "", out.findings);
  Taken taken;
  std::vector<core::Member> members;
  for (TableReader& table : root.tables("member")) members.push_back(read_member(table, taken));
  std::set<Audience> names;
  std::vector<core::Group> groups;
  for (TableReader& table : root.tables("group")) {
    if (std::optional<core::Group> group = read_group(table, taken.regions, names)) groups.push_back(std::move(*group));
  }
  root.close();
  if (members.empty()) root.error(0, "member", "there is none", "add a [[member]] for each city of the conference");
  if (!has_errors(out.findings)) out.value.emplace(std::move(members), std::move(groups), members_version(text));
  return out;
}

std::string cannot_follow(const core::Members& before, const core::Members& next, bool asked) {
  for (const core::Group& group : before.groups()) {
    const core::Group* now = next.group(group.audience);
    std::vector<RegionCode> was = group.members, is = now == nullptr ? was : now->members;
    std::sort(was.begin(), was.end());
    std::sort(is.begin(), is.end());
    if (was != is)
      return "the group \"" + group.audience.text() +
             "\" has another set of members: what was published to it would reach others; give the new set a name of its own";
    if (now == nullptr && !asked)
      return "the group \"" + group.audience.text() + "\" is gone: give it an `until` instead, or say that it is meant by SIGHUP";
  }
  for (const core::Member& member : before.all()) {
    const core::Member* now = next.find(member.region);
    if (now != nullptr && now->seal_key != member.seal_key && !asked)
      return to_text(member.region) +
             " has another seal key: what it sealed before would be proven no more; say that it is meant by SIGHUP";
    if (now == nullptr && !asked)
      return to_text(member.region) +
             " is gone: give it an `until` (lianxi member retire), so that what it published stays "
             "proven, or say that it is meant by SIGHUP";
  }
  return {};
}

}  // namespace lianxi::app
