// Who must be called: the sites and shelters that an alert covers with the person answerable for each, and the experts on call.
#include <fmt/format.h>

#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

std::string name_of(const ResourceRow& row) {
  return row.name.empty() ? row.id : row.name;
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "-" : text;
}

// "Mon-Fri 08:00-18:00", as the week repeats it; Beijing time.
std::string days_text(std::uint8_t days, const Say& say) {
  static constexpr const char* kEnglish[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  static constexpr const char* kChinese[] = {"周一", "周二", "周三", "周四", "周五", "周六", "周日"};
  if (days == 0x7F) return say("daily", "每日");
  const auto name = [&](int day) { return std::string(say.chinese() ? kChinese[day] : kEnglish[day]); };
  std::string text;
  for (int day = 0; day < 7; ++day) {
    if ((days >> day & 1) == 0) continue;
    int last = day;
    while (last + 1 < 7 && (days >> (last + 1) & 1) != 0) ++last;
    text += (text.empty() ? "" : ",") + name(day) + (last > day ? (say.chinese() ? "至" : "-") + name(last) : "");
    day = last;
  }
  return text;
}

std::string on_call_text(const ResourceRow& row, const Say& say) {
  if (row.on_call.empty()) return say("at any time", "随时");
  std::string text;
  for (const OnCall& time : row.on_call) {
    text += fmt::format("{}{} {:02}:{:02}-{:02}:{:02}", text.empty() ? "" : "; ", days_text(time.days, say),
                        time.from_minute / 60, time.from_minute % 60, time.to_minute / 60, time.to_minute % 60);
  }
  return text;
}

}  // namespace

Exit run_sites(const Common& common, const SitesCommand& command, const Console& console) {
  auto rows = ask<ResourceRows>(common, console, command.ask);
  if (!rows) return rows.error();
  if (said_as_json(*rows, console)) return Exit::done;
  const Say& say = console.say();
  if (rows->rows.empty()) {
    console.out() << say("the alert covers no site that you may see", "该预警范围内没有您可查看的风险点或安置场所") << '\n';
    return Exit::done;
  }
  Table table({{say("site", "名称"), false, 36},
               {say("kind", "类别")},
               {say("answerable", "责任人")},
               {say("phone", "电话")},
               {say("place", "区划")},
               {say("persons", "人数"), true},
               {say("owner", "单位"), false, 28},
               {say("address", "地址"), false, 32}});
  std::size_t nobody = 0;
  for (const ResourceRow& row : rows->rows) {
    const bool missing = row.answerable.empty() && row.contact.empty();
    nobody += missing ? 1U : 0U;
    const std::string persons =
        row.capacity ? std::to_string(row.occupancy.value_or(0)) + "/" + std::to_string(*row.capacity) : std::string("-");
    table.add({{name_of(row)},
               {word(row.type, say)},
               {missing                  ? say("nobody named", "未登记")
                : row.answerable.empty() ? row.contact
                                         : row.answerable,
                missing ? Style::red : Style::plain},
               {row.answerable_phone.empty() ? row.phone : row.answerable_phone},
               {row.place.text()},
               {persons},
               {row.owner},
               {row.address}});
  }
  console.table(table);
  console.out() << rows->rows.size() << say(" to call", " 处须叫应");
  if (nobody > 0) console.out() << say(", nobody named for ", ",未登记责任人 ") << nobody;
  console.out() << '\n';
  note_cut(rows->truncated, rows->rows.size(), console, rows->next);
  return Exit::done;
}

Exit run_roster(const Common& common, const RosterCommand& command, const Console& console) {
  auto rows = ask<ResourceRows>(common, console, command.ask);
  if (!rows) return rows.error();
  if (said_as_json(*rows, console)) return Exit::done;
  const Say& say = console.say();
  if (rows->rows.empty()) {
    console.out() << (command.ask.reachable_at ? say("no such expert can be reached now; see all with --all",
                                                     "当前没有可联系的此类专家;加 --all 查看全部")
                                               : say("no such expert", "没有此类专家"))
                  << '\n';
    return Exit::done;
  }
  std::vector<Column> columns{{say("name", "姓名"), false, 28}, {say("specialities", "专长"), false, 30},
                              {say("languages", "语言")},       {say("on call", "可联系时间"), false, 40},
                              {say("phone", "电话")},           {say("organisation", "单位"), false, 28},
                              {say("place", "区划")},           {say("state", "状态")}};
  if (command.ask.near) columns.insert(columns.begin() + 1, Column{say("distance", "距离"), true});
  Table table(columns);
  for (const ResourceRow& row : rows->rows) {
    std::vector<Cell> cells{
        {name_of(row)}, {listed(row.capabilities)}, {listed(row.languages)}, {on_call_text(row, say)}, {row.phone},
        {row.owner},    {row.place.text()},         {word(row.state, say)}};
    if (command.ask.near) cells.insert(cells.begin() + 1, Cell{distance_text(row.distance_m)});
    table.add(std::move(cells));
  }
  console.table(table);
  note_cut(rows->truncated, rows->rows.size(), console, rows->next);
  return Exit::done;
}

Exit run_totals(const Common& common, const TotalsCommand& command, const Console& console) {
  const auto rows = ask<TotalRows>(common, console, command.ask);
  if (!rows) return rows.error();
  if (console.json()) {
    console.out() << to_json(*rows) << std::endl;
    return Exit::done;
  }
  const Say& say = console.say();
  const auto count = [](const TotalRow& row, ResourceState state) {
    const auto at = static_cast<std::size_t>(state);
    return at < row.by_state.size() ? row.by_state[at] : 0;
  };
  Table table({{say("place", "区划")},
               {say("kind", "类别")},
               {say("all", "总数"), true},
               {say("available", "可用"), true},
               {say("reserved", "已预留"), true},
               {say("committed", "已承诺"), true},
               {say("deployed", "已出动"), true},
               {say("returning", "返程中"), true},
               {say("out of service", "停用"), true},
               {say("persons", "人数"), true}});
  for (const TotalRow& row : rows->rows) {
    std::vector<Cell> cells{{row.place.text()}, {word(row.type, say)}, {std::to_string(row.count)}};
    for (const ResourceState state : {ResourceState::available, ResourceState::reserved, ResourceState::committed,
                                      ResourceState::deployed, ResourceState::returning, ResourceState::out_of_service}) {
      const auto n = count(row, state);
      cells.push_back({n == 0 ? "-" : std::to_string(n)});
    }
    cells.push_back({row.capacity > 0 ? std::to_string(row.occupancy) + "/" + std::to_string(row.capacity) : "-"});
    table.add(std::move(cells));
  }
  if (table.empty())
    console.out() << say("no such resource", "没有符合条件的资源") << '\n';
  else
    console.table(table);
  return Exit::done;
}

}  // namespace lianxi::cli
