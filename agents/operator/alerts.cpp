#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {

Exit run_alerts(const Common& common, const AlertsCommand& command, const Console& console) {
  auto rows = ask<AlertRows>(common, console, command.ask);
  if (!rows) return rows.error();
  if (!command.ask.all) std::erase_if(rows->rows, [](const AlertRow& row) { return row.status != Status::Actual; });
  if (console.json()) {
    console.out() << to_json(*rows) << std::endl;
    note_cut(rows->truncated, rows->rows.size(), console);
    return Exit::done;
  }
  const Say& say = console.say();
  Table table({{say("level", "级别")},
               {say("state", "状态")},
               {say("sent (Beijing)", "发布时间")},
               {say("event", "事件"), false, 24},
               {say("headline", "标题"), false, 48},
               {say("area", "区域"), false, 24},
               {say("region", "地市")},
               {say("expires", "失效时间")},
               {say("sender", "发布单位"), false, 28}});
  for (const AlertRow& row : rows->rows) {
    const std::string mark = drill_mark(row.status, say);
    const auto state = static_cast<AlertState>(row.state);
    const bool live = state == AlertState::active && mark.empty();
    table.add({{word(row.level, say), live ? style_of(row.level) : Style::faint},
               {word(state, say), live ? Style::plain : Style::faint},
               {short_time(row.sent)},
               {mark + row.event, mark.empty() ? Style::plain : Style::loud},
               {row.headline},
               {row.area},
               {to_text(row.region)},
               {row.expires ? short_time(*row.expires) : "-"},
               {row.sender}});
  }
  if (table.empty()) {
    console.out() << (command.ask.all ? say("no alerts", "没有预警") : say("no active alerts", "没有生效中的预警")) << '\n';
    return Exit::done;
  }
  console.table(table);
  note_cut(rows->truncated, rows->rows.size(), console);
  return Exit::done;
}

}  // namespace lianxi::cli
