#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

std::string holding_word(Holding holding, const Say& say) {
  switch (holding) {
    case Holding::holds:
      return say("has it", "已持有");
    case Holding::behind:
      return say("not yet", "尚未持有");
    case Holding::outside:
      return say("never", "不接收");
    case Holding::unknown:
      break;
  }
  return say("not known here", "本节点不知");
}

std::string name_of(const ReceiverRow& row, const Say& say) {
  return say.chinese() || row.name_en.empty() ? row.name_zh : row.name_en;
}

void say_event(const ExplainReport& report, const Console& console) {
  const Say& say = console.say();
  const FeedId& feed = report.feed.feed;
  console.out() << drill_mark(report.status, say) << kind_word(report.kind, say) << ' ' << printable(report.entity) << '\n'
                << say("event ", "事件 ") << to_text(feed) << '/' << report.feed.head.sequence.value << say(", offset ", ",位置 ")
                << report.offset.value << ", " << short_time(report.time) << say(", by ", ",发布者 ")
                << printable(report.publisher) << '\n';
  if (report.redacted) console.out() << say("its content was redacted by law\n", "其内容已依法删除\n");
  console.out() << say("lane ", "通道 ") << to_word(feed.lane) << say(", level ", ",级别 ") << word(report.level, say)
                << say(", place ", ",地点 ") << report.place.text() << say(", agency ", ",部门 ")
                << agency_word(report.agency, say) << '\n'
                << say("audience ", "受众 ") << feed.audience.text() << ": ";
  if (feed.audience.is_local())
    console.out() << say("it never leaves the node of ", "不离开该节点:") << to_text(feed.region);
  else if (feed.audience == Audience::conference())
    console.out() << say("every member", "全体成员");
  else
    console.out() << say("the members of this group", "该组成员");
  console.out() << "\n\n";
}

void say_receivers(const ExplainReport& report, const Console& console) {
  const Say& say = console.say();
  Table table({{say("member", "成员")},
               {say("name", "名称")},
               {say("holds it", "是否持有")},
               {say("as of", "截至")},
               {say("link", "链路")},
               {say("last contact", "最后联系")},
               {say("why", "原因"), false, 72}});
  for (const ReceiverRow& row : report.receivers) {
    const bool late = row.holding == Holding::behind;
    table.add({{to_text(row.region)},
               {name_of(row, say)},
               {holding_word(row.holding, say), late ? Style::red : Style::plain},
               {row.seen ? short_time(*row.seen) : "-"},
               {row.link.empty() ? "-" : row.link, row.link == "down" || row.link == "refused" ? Style::red : Style::plain},
               {row.last_contact ? short_time(*row.last_contact) : "-"},
               {row.reason}});
  }
  console.table(table);
}

void say_rights(const ExplainReport& report, const Console& console) {
  if (report.rights.empty()) return;
  const Say& say = console.say();
  const auto yes = [&](bool admitted) { return std::string(admitted ? say("yes", "是") : say("no", "否")); };
  Table table({{say("agent of this node", "本节点的代理")},
               {say("follow", "可跟踪")},
               {say("by", "依据"), false, 48},
               {say("query", "可查询")},
               {say("by", "依据"), false, 48}});
  for (const RightRow& row : report.rights)
    table.add({{row.agent}, {yes(row.follow)}, {row.follow_why}, {yes(row.query)}, {row.query_why}});
  console.out() << '\n';
  console.table(table);
  if (report.rights_left_out > 0)
    console.out() << say("and agents left out: ", "未列出的代理数:") << report.rights_left_out << '\n';
}

void say_rest(const ExplainReport& report, const Console& console) {
  const Say& say = console.say();
  console.out() << '\n' << say("live topics:", "live 主题:");
  for (const std::string& topic : report.topics) console.out() << ' ' << printable(topic);
  console.out() << '\n'
                << say("kept: this node holds its journal from offset ", "保存:本节点日志自位置 ") << report.kept_from.value
                << say(" on\n", " 起\n");
  if (report.others.empty()) return;
  console.out() << say("other events of it, by offset:", "其它相关事件(位置):");
  for (const Offset other : report.others) console.out() << ' ' << other.value;
  console.out() << '\n';
}

}  // namespace

Exit run_explain(const Common& common, const ExplainCommand& command, const Console& console) {
  const auto report = ask<ExplainReport>(common, console, command.ask);
  if (!report) return report.error();
  if (console.json()) {
    console.out() << to_json(*report) << '\n';
    return Exit::done;
  }
  say_event(*report, console);
  say_receivers(*report, console);
  say_rights(*report, console);
  say_rest(*report, console);
  return Exit::done;
}

}  // namespace lianxi::cli
