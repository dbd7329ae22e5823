// Mobilisations as tables: those that are open, and one with all that was said.
#include <algorithm>
#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/mobilise_thread.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

Style style_of(MobilisationState state) {
  switch (state) {
    case MobilisationState::requested:
    case MobilisationState::return_requested:
      return Style::red;
    case MobilisationState::offered:
    case MobilisationState::provisional:
    case MobilisationState::requisitioned:
      return Style::yellow;
    case MobilisationState::returned:
    case MobilisationState::declined:
    case MobilisationState::recalled:
      return Style::faint;
    default:
      return Style::plain;
  }
}

std::string time_text(const std::optional<TimeMs>& time) {
  return time ? short_time(*time) : "-";
}

std::string what_of(const NeedRow& need) {
  const std::string what = !need.capability.empty() ? need.capability : need.name;
  return (what.empty() ? std::string("?") : what) + " " + quantity_text(need.quantity_milli, need.unit);
}

std::string needs_text(const MobilisationRow& row) {
  std::string text;
  for (const NeedRow& need : row.needs) text += (text.empty() ? "" : ", ") + what_of(need);
  return text;
}

std::string answers_text(const MobilisationRow& row, const Say& say) {
  std::string waiting, unknown;
  for (const AddresseeRow& member : row.members) {
    if (member.state == Answering::waiting) waiting += " " + to_text(member.region);
    if (member.state == Answering::answer_unknown) unknown += " " + to_text(member.region);
  }
  std::string text;
  if (!waiting.empty()) text += say("waits for", "等待") + waiting;
  if (!unknown.empty()) text += (text.empty() ? "" : "; ") + std::string(say("answer unknown:", "答复未知:")) + unknown;
  return text.empty() ? say("all answered", "均已答复") : text;
}

void print_head(const MobilisationRow& row, const Console& console) {
  const Say& say = console.say();
  const std::string mark = drill_mark(row.status, say);
  console.out() << styled(mark, Style::loud, console.colour()) << (mark.empty() ? "" : " ")
                << styled(word(row.level, say), cli::style_of(row.level), console.colour()) << "  "
                << styled(word(row.state, say), style_of(row.state), console.colour()) << "  " << printable(row.description)
                << '\n'
                << "  " << printable(row.id) << '\n'
                << "  " << say("asked by ", "发起:") << to_text(row.region) << say(", for ", ",地点:") << row.place.text() << ", "
                << short_time(row.sent);
  if (row.answer_by) console.out() << say(", answer by ", ",答复期限 ") << short_time(*row.answer_by);
  if (!row.incident.empty()) console.out() << '\n' << "  " << say("incident ", "突发事件 ") << printable(row.incident);
  console.out() << "\n\n";
}

void print_needs(const MobilisationRow& row, const Console& console) {
  const Say& say = console.say();
  Table table({{say("item", "项")},
               {say("needed", "需求"), false, 40},
               {say("offered", "已提供"), true},
               {say("provisional", "暂定"), true},
               {say("committed", "已承诺"), true},
               {say("deployed", "已出动"), true},
               {say("returned", "已归还"), true},
               {say("lacking", "缺口"), true}});
  for (const NeedRow& need : row.needs) {
    const std::int64_t covered = need.committed_milli + need.deployed_milli + need.returned_milli;
    const std::int64_t lacking = std::max<std::int64_t>(0, need.quantity_milli - covered);
    const auto number = [&](std::int64_t milli) { return milli == 0 ? std::string("-") : quantity_text(milli, need.unit); };
    table.add({{need.id},
               {what_of(need)},
               {number(need.offered_milli)},
               {number(need.provisional_milli)},
               {number(need.committed_milli)},
               {number(need.deployed_milli)},
               {number(need.returned_milli)},
               {number(lacking), lacking > 0 && row.open ? Style::red : Style::plain}});
  }
  if (!table.empty()) console.table(table, "  ");
}

void print_members(const MobilisationRow& row, const Console& console) {
  const Say& say = console.say();
  Table table({{say("member", "成员")}, {say("answer", "答复")}, {say("since", "自")}, {say("reason", "理由"), false, 48}});
  for (const AddresseeRow& member : row.members) {
    const bool open = member.state == Answering::waiting || member.state == Answering::answer_unknown;
    table.add({{to_text(member.region)},
               {word(member.state, say), open ? Style::yellow : Style::plain},
               {time_text(member.since)},
               {member.reason}});
  }
  if (table.empty()) return;
  console.out() << '\n';
  console.table(table, "  ");
}

void print_holdings(const MobilisationRow& row, const Console& console) {
  const Say& say = console.say();
  Table table({{say("owner", "所属")},
               {say("resource", "资源"), false, 40},
               {say("item", "项")},
               {say("state", "状态")},
               {say("quantity", "数量"), true},
               {say("arrival", "到达")},
               {say("until", "可用至")},
               {say("changed", "更新")}});
  for (const HoldingRow& holding : row.holdings) {
    table.add({{to_text(holding.region)},
               {holding.name.empty() ? holding.resource : holding.name},
               {holding.item},
               {word(holding.state, say), style_of(holding.state)},
               {quantity_text(holding.quantity_milli, holding.unit)},
               {time_text(holding.eta)},
               {time_text(holding.until)},
               {short_time(holding.updated_at)}});
  }
  if (table.empty()) return;
  console.out() << '\n';
  console.table(table, "  ");
}

std::string items_text(const Mobilisation& message, const Say& say) {
  std::string text;
  for (const MobilisationItem& item : message.items) {
    if (!text.empty()) text += "; ";
    if (item.response) text += word(*item.response, say) + " ";
    if (item.deployment != Deployment::none) text += word(item.deployment, say) + " ";
    const std::string& what = !item.name.empty() ? item.name : !item.capability.empty() ? item.capability : item.resource;
    text += what;
    if (item.quantity_milli > 0) text += " " + quantity_text(item.quantity_milli, item.unit);
    if (!item.reason.empty()) text += " (" + item.reason + ")";
  }
  if (message.recall) text = std::string(say("recalls ", "撤回 ")) + message.recalled_id + (text.empty() ? "" : "; " + text);
  return text.empty() ? message.description : text;
}

void print_messages(const MobilisationRow& row, const Console& console) {
  const Say& say = console.say();
  Table table({{say("at", "时间")},
               {say("by", "发布者"), false, 28},
               {say("message", "消息"), false, 44},
               {say("what", "内容"), false, 72},
               {say("id", "编号")}});
  for (const ThreadMessageRow& message : row.messages) {
    table.add({{short_time(message.received_at)},
               {message.publisher},
               {word(message.message.message, say)},
               {items_text(message.message, say)},
               {message.message.message_id, Style::faint}});
  }
  if (table.empty()) return;
  console.out() << '\n';
  console.table(table, "  ");
}

}  // namespace

Exit run_mobilisations(const Common& common, const MobilisationsCommand& command, const Console& console) {
  const auto rows = ask<MobilisationRows>(common, console, command.ask);
  if (!rows) return rows.error();
  if (console.json()) {
    console.out() << to_json(*rows) << std::endl;
    note_cut(rows->truncated, rows->rows.size(), console);
    return Exit::done;
  }
  const Say& say = console.say();
  if (rows->rows.empty()) {
    console.out() << (command.ask.open ? say("no mobilisation is open", "没有进行中的资源调度")
                                       : say("no mobilisation", "没有资源调度"))
                  << '\n';
    return Exit::done;
  }
  Table table({{say("state", "状态")},
               {say("needed", "需求"), false, 40},
               {say("asked by", "发起")},
               {say("place", "地点")},
               {say("sent", "发出时间")},
               {say("answer by", "答复期限")},
               {say("answers", "答复"), false, 40},
               {say("id", "编号")}});
  for (const MobilisationRow& row : rows->rows) {
    const std::string mark = drill_mark(row.status, say);
    table.add({{mark.empty() ? word(row.state, say) : mark + " " + word(row.state, say), style_of(row.state)},
               {needs_text(row)},
               {to_text(row.region)},
               {row.place.text()},
               {short_time(row.sent)},
               {time_text(row.answer_by)},
               {answers_text(row, say)},
               {row.id.substr(row.id.find(':', 7) + 1)}});
  }
  console.table(table);
  note_cut(rows->truncated, rows->rows.size(), console);
  return Exit::done;
}

Exit run_mobilisation(const Common& common, const MobilisationCommand& command, const Console& console) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  const auto row = find_thread(**client, common, console, command.thread, command.status);
  if (!row) return row.error();
  if (console.json()) {
    console.out() << to_json(MobilisationRows{{*row}, false}) << std::endl;
    return Exit::done;
  }
  print_head(*row, console);
  print_needs(*row, console);
  print_members(*row, console);
  print_holdings(*row, console);
  print_messages(*row, console);
  return Exit::done;
}

}  // namespace lianxi::cli
