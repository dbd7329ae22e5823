#include <chrono>
#include <nlohmann/json.hpp>
#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/words.h"

namespace lianxi::cli {
namespace {

using nlohmann::ordered_json;

std::string standing_word(Standing standing, const Say& say) {
  switch (standing) {
    case Standing::member:
      return say("member", "成员");
    case Standing::not_yet:
      return say("not yet", "尚未加入");
    case Standing::retired:
      return say("retired", "已退出");
    case Standing::stranger:
      break;
  }
  return say("stranger", "非成员");
}

// What an officer does next, and how it is seen that it has worked.
void say_next(const MembersFile& file, const Console& console) {
  const Say& say = console.say();
  console.out() << say("the file is now version ", "文件现为版本 ") << to_text(file.version()) << "\n"
                << say("next: copy this file, as it is, to the node of every member; each node takes it in within seconds,\n"
                       "or at once by `systemctl reload lianxi-broker` (SIGHUP), and says its version in its log (\"members\").\n"
                       "A node that refuses it says why, counts an alarm reload_refused, and keeps the file it had.\n"
                       "Compare by phone: `lianxi member list --members FILE --node` says the same version at every city.\n",
                       "下一步:把此文件原样复制到每个成员的节点;节点数秒内自动读入,\n"
                       "或用 `systemctl reload lianxi-broker`(SIGHUP)立即读入,并在日志 “members” 中写明版本。\n"
                       "节点若拒绝,会说明原因、计入告警 reload_refused,并继续使用原文件。\n"
                       "电话核对:各城市的 `lianxi member list --members 文件 --node` 应显示同一版本。\n");
}

Exit written(const MembersFile& file, RegionCode region, const char* change, const Console& console) {
  if (auto kept = write_members_file(file); !kept) return console.refused(kept.error());
  const MemberEntry& entry = *file.find(region);
  if (console.json()) {
    const ordered_json to{{"change", change},     {"region", to_text(region)}, {"since", entry.since},
                          {"until", entry.until}, {"file", file.path},         {"version", to_text(file.version())}};
    console.out() << to.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
    return Exit::done;
  }
  const Say& say = console.say();
  console.out() << to_text(region) << ' ' << printable(say.chinese() || entry.name_en.empty() ? entry.name_zh : entry.name_en);
  if (entry.until.empty()) {
    console.out() << say(" is added", " 已加入") << (entry.since.empty() ? "" : say(", a member from ", ",自此起为成员:"))
                  << entry.since;
  } else {
    console.out() << say(" is a member until ", " 为成员至 ") << entry.until;
  }
  console.out() << '\n';
  say_next(file, console);
  return Exit::done;
}

// A node that learns of an end when it has passed has told its agents "accepted" of what nobody else will take.
void warn_of_haste(const std::string& until, const Console& console) {
  constexpr TimeMs kTimeToCopyMs = 600'000;
  const auto end = parse_bound(until, Bound::until);
  if (!end || *end >= wall_ms() + kTimeToCopyMs) return;
  console.err() << console.say()(
      "this end is less than ten minutes away: what its node accepts behind it, before it has this file, is "
      "taken by nobody else\n",
      "距该时间不足十分钟:其节点在收到此文件之前、该时间之后接收的内容,其他节点一律不收\n");
}

// --- list ---

struct NodeSide {
  StatusReport status;
  [[nodiscard]] MembersVersion of(RegionCode region) const {
    if (region == status.region) return status.members;
    for (const LinkRow& link : status.links)
      if (link.region == region && link.members.value != 0) return link.members;
    return {};
  }
  [[nodiscard]] std::string link(RegionCode region, const Say& say) const {
    if (region == status.region) return say("this node", "本节点");
    std::string text;
    for (const LinkRow& link : status.links)
      if (link.region == region) text += (text.empty() ? "" : ", ") + link.lanes + " " + link.state;
    return text.empty() ? say("none", "无") : text;
  }
};

void list_json(const MembersFile& file, const std::optional<NodeSide>& node, const Console& console) {
  ordered_json to{{"version", to_text(file.version())}, {"members", ordered_json::array()}, {"groups", ordered_json::array()}};
  for (const MemberEntry& entry : file.members) {
    ordered_json row{{"region", to_text(entry.region)},
                     {"name_zh", entry.name_zh},
                     {"name_en", entry.name_en},
                     {"since", entry.since},
                     {"until", entry.until},
                     {"standing", to_word(standing_of(entry.window, wall_ms()))}};
    if (node) {
      row["version"] = to_text(node->of(entry.region));
      row["links"] = ordered_json::array();
      for (const LinkRow& link : node->status.links)
        if (link.region == entry.region)
          row["links"].push_back({{"lanes", link.lanes}, {"state", link.state}, {"reason", link.reason}});
    }
    to["members"].push_back(std::move(row));
  }
  for (const GroupEntry& group : file.groups)
    to["groups"].push_back({{"name", group.name}, {"members", group.members}, {"since", group.since}, {"until", group.until}});
  if (node) to["node"] = {{"region", to_text(node->status.region)}, {"version", to_text(node->status.members)}};
  console.out() << to.dump(-1, ' ', false, ordered_json::error_handler_t::replace) << '\n';
}

// Whoever runs another file is named: two conferences that each take themselves for the whole must be seen.
void say_versions(const MembersFile& file, const NodeSide& node, const Console& console) {
  const Say& say = console.say();
  for (const MemberEntry& entry : file.members) {
    const MembersVersion runs = node.of(entry.region);
    if (runs.value == 0 || runs == file.version()) continue;
    console.out() << to_text(entry.region) << say(" runs another members file: ", " 使用的是另一份成员文件:") << to_text(runs)
                  << '\n';
  }
}

void list_table(const MembersFile& file, const std::optional<NodeSide>& node, const Console& console) {
  const Say& say = console.say();
  console.out() << say("members file ", "成员文件 ") << printable(file.path) << say(", version ", ",版本 ")
                << to_text(file.version()) << '\n';
  std::vector<Column> columns{
      {say("region", "区划代码")}, {say("name", "名称")}, {say("since", "起")}, {say("until", "止")}, {say("state", "状态")}};
  if (node) {
    columns.push_back({say("links", "链路")});
    columns.push_back({say("runs version", "使用版本")});
  }
  Table table(std::move(columns));
  for (const MemberEntry& entry : file.members) {
    const Standing standing = standing_of(entry.window, wall_ms());
    std::vector<Cell> row{{to_text(entry.region)},
                          {say.chinese() || entry.name_en.empty() ? entry.name_zh : entry.name_en},
                          {entry.since.empty() ? "-" : entry.since},
                          {entry.until.empty() ? "-" : entry.until},
                          {standing_word(standing, say), standing == Standing::member ? Style::plain : Style::faint}};
    if (node) {
      const MembersVersion runs = node->of(entry.region);
      row.push_back({node->link(entry.region, say)});
      row.push_back({to_text(runs), runs.value == 0 || runs == file.version() ? Style::plain : Style::red});
    }
    table.add(std::move(row));
  }
  console.table(table);
  for (const GroupEntry& group : file.groups) {
    console.out() << say("group ", "组 ") << printable(group.name) << ':';
    for (const std::string& member : group.members) console.out() << ' ' << printable(member);
    if (!group.since.empty()) console.out() << say(" since ", " 起 ") << printable(group.since);
    if (!group.until.empty()) console.out() << say(" until ", " 止 ") << printable(group.until);
    console.out() << '\n';
  }
  if (node) say_versions(file, *node, console);
}

}  // namespace

Exit run_member_add(const Common&, const MemberAddCommand& command, const Console& console) {
  const auto file = read_members_file(command.file);
  if (!file) return console.refused(file.error());
  MemberEntry entry = command.entry;
  if (!command.keys.empty()) {
    const auto keys = read_node_key_file(command.keys);
    if (!keys) return console.refused(keys.error());
    if (keys->id != to_text(entry.region) + ".broker.node")
      return console.refused({RefusalCode::conflict, "keys",
                              command.keys + ": is of \"" + keys->id + "\", not of " + to_text(entry.region) + ".broker.node",
                              0});
    if (keys->seal_key.empty())
      return console.refused(
          {RefusalCode::missing_field, "keys", command.keys + ": has no seal_key; make the keys with --seal", 0});
    entry.curve_key = keys->curve_key;
    entry.seal_key = keys->seal_key;
  }
  const auto changed = with_member(*file, entry);
  if (!changed) return console.refused(changed.error());
  return written(*changed, entry.region, "add", console);
}

Exit run_member_retire(const Common&, const MemberRetireCommand& command, const Console& console) {
  const auto file = read_members_file(command.file);
  if (!file) return console.refused(file.error());
  const auto changed = with_until(*file, command.region, command.until);
  if (!changed) return console.refused(changed.error());
  const Exit exit = written(*changed, command.region, "retire", console);
  if (exit == Exit::done) warn_of_haste(command.until, console);
  return exit;
}

Exit run_member_list(const Common& common, const MemberListCommand& command, const Console& console) {
  const auto file = read_members_file(command.file);
  if (!file) return console.refused(file.error());
  std::optional<NodeSide> node;
  if (command.node) {
    auto status = ask<StatusReport>(common, console, AskStatus{});
    if (!status) return status.error();
    node = NodeSide{std::move(*status)};
  }
  console.json() ? list_json(*file, node, console) : list_table(*file, node, console);
  return Exit::done;
}

}  // namespace lianxi::cli
