#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

void print_incident(const IncidentRow& row, const Console& console) {
  const Say& say = console.say();
  console.out() << styled(word(row.level, say), style_of(row.level), console.colour()) << "  " << word(row.state, say) << "  "
                << printable(row.title) << "  " << word(row.incident_class, say) << "  " << row.place.text() << "  "
                << short_time(row.updated_at) << '\n'
                << "  " << styled(printable(row.id), Style::faint, console.colour()) << '\n';
  Table reports({{say("agency", "部门")},
                 {say("report", "报告")},
                 {say("at", "时间")},
                 {say("state", "状态")},
                 {say("casualties", "伤亡")},
                 {say("words", "内容"), false, 60}});
  for (const ReportRow& report : row.reports) {
    const std::string casualties = casualties_text(report.report, say);
    reports.add({{agency_word(report.agency, say)},
                 {word(report.report.report_type, say)},
                 {short_time(report.occurred_at)},
                 {word(report.report.state, say)},
                 {casualties.empty() ? "-" : casualties},
                 {report.report.text.empty() ? report.report.title : report.report.text}});
  }
  if (!reports.empty()) console.table(reports, "  ");
}

}  // namespace

Exit run_incidents(const Common& common, const IncidentsCommand& command, const Console& console) {
  auto rows = ask<IncidentRows>(common, console, command.ask);
  if (!rows) return rows.error();
  // The node answers actual rows alone; should one send drills, they do not pass for actual ones.
  std::erase_if(rows->rows, [](const IncidentRow& row) { return row.status != Status::Actual; });
  if (console.json()) {
    console.out() << to_json(*rows) << std::endl;
    note_cut(rows->truncated, rows->rows.size(), console);
    return Exit::done;
  }
  const Say& say = console.say();
  if (rows->rows.empty()) console.out() << say("no incidents", "没有突发事件") << '\n';
  bool first = true;
  for (const IncidentRow& row : rows->rows) {
    if (!first) console.out() << '\n';
    first = false;
    print_incident(row, console);
  }
  note_cut(rows->truncated, rows->rows.size(), console);
  return Exit::done;
}

}  // namespace lianxi::cli
