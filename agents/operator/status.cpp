#include <ostream>

#include "agents/operator/arguments.h"
#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/links.h"
#include "agents/operator/reasons.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

constexpr std::size_t kShownHashDigits = 16;

std::string short_hash(const Hash& hash) {
  return to_hex(hash).substr(0, kShownHashDigits);
}

void print_feeds(const StatusReport& status, const Console& console) {
  const Say& say = console.say();
  Table table({{say("feed", "流")}, {say("sequence", "序号"), true}, {say("head", "链头")}});
  for (const FeedPosition& feed : status.feeds) {
    table.add({{to_text(feed.feed)}, {std::to_string(feed.head.sequence.value)}, {short_hash(feed.head.hash)}});
  }
  if (!table.empty()) console.table(table);
}

void print_digests(const StatusReport& status, const Console& console) {
  const Say& say = console.say();
  Table table(
      {{say("audience", "受众")}, {say("digest", "摘要")}, {say("feeds", "流数"), true}, {say("events", "事件数"), true}});
  for (const DigestRow& row : status.digests) {
    std::uint64_t events = 0;
    for (const FeedPosition& feed : row.vector) events += feed.head.sequence.value;
    table.add({{row.audience.text()}, {short_hash(row.digest)}, {std::to_string(row.vector.size())}, {std::to_string(events)}});
  }
  if (!table.empty()) console.out() << '\n', console.table(table);
}

void print_standing(const StatusReport& status, const Console& console) {
  const Say& say = console.say();
  if (status.fence) {
    std::string missing;
    for (const RegionCode region : status.fence->missing) missing += (missing.empty() ? "" : " ") + to_text(region);
    console.out() << '\n'
                  << styled(say("commitments are refused since the restore; not seen yet: ",
                                "恢复后暂停预留和调派资源,尚未联通的成员:"),
                            Style::red, console.colour())
                  << (missing.empty() ? "-" : missing)
                  << say("  (to go on without them: lianxi override --reason \"...\")",
                         "(如须先行调派:lianxi override --reason \"理由\")")
                  << '\n';
  }
  Table table({{say("alarm", "告警")}, {say("about", "对象")}, {say("since", "起始")}, {say("reason", "原因")}});
  for (const AlarmRow& row : status.alarms)
    table.add({{alarm_word(row.what, say), Style::red},
               {row.about.empty() ? "-" : row.about},
               {short_time(row.since)},
               {reason_text(row.reason, say)}});
  if (!table.empty()) console.out() << '\n', console.table(table);
}

}  // namespace

Exit run_status(const Common& common, const Console& console) {
  const auto status = ask<StatusReport>(common, console, AskStatus{});
  if (!status) return status.error();
  if (console.json()) {
    console.out() << to_json(*status) << '\n';
    return Exit::done;
  }
  const Say& say = console.say();
  console.out() << say("node ", "节点 ") << to_text(status->region) << "  " << printable(status->software) << "  "
                << short_time(status->time) << '\n'
                << say("epoch ", "纪元 ") << status->epoch.value << "  " << say("journal head ", "日志头 ") << status->head.value
                << "  " << say("view at ", "视图到 ") << status->view_offset.value << '\n'
                << say("cursor ", "游标 ") << cursor_text(status->region, status->incarnation, status->head) << "\n\n";
  print_feeds(*status, console);
  print_digests(*status, console);
  if (!status->links.empty()) console.out() << '\n' << links_summary(*status, say) << '\n';
  print_standing(*status, console);
  return Exit::done;
}

}  // namespace lianxi::cli
