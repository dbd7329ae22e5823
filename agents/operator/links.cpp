#include "agents/operator/links.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/reasons.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

constexpr TimeMs kSecond = 1'000;
constexpr TimeMs kMinute = 60 * kSecond;
constexpr TimeMs kHour = 60 * kMinute;
constexpr TimeMs kDay = 24 * kHour;
constexpr TimeMs kClockShownMs = 1'000;  // a clock that is nearer than that is right

bool follows(const LinkRow& link) {
  return link.state == "following";
}
bool in_step(const LinkRow& link) {
  return follows(link) && link.lag_events == 0U;
}

Cell state_cell(const LinkRow& link, const Say& say) {
  if (in_step(link)) return {say("in step", "同步")};
  if (follows(link) && link.lag_events) return {say("catching up", "追赶中"), Style::yellow};
  if (follows(link)) return {say("linked", "已连接")};
  if (link.state == "connecting") return {say("connecting", "连接中"), Style::yellow};
  if (link.state == "retired") return {say("retired", "已退出"), Style::faint};
  if (link.state == "refused") return {say("REFUSED", "被拒绝"), Style::red};
  return {say("CUT", "中断"), Style::red};
}

// What is known of how far it is behind. Without the link it is at least that.
std::string behind_text(const LinkRow& link, const Say& say) {
  if (in_step(link)) return "0";
  std::string text;
  if (link.lag_events && (follows(link) || *link.lag_events > 0))
    text = (follows(link) ? "" : "≥ ") + std::to_string(*link.lag_events) + say(" events", " 条");
  if (link.behind_ms) text += (text.empty() ? "" : ", ") + duration_text(*link.behind_ms, say);
  return text.empty() ? "?" : text;
}

std::string contact_text(const LinkRow& link, TimeMs now, const Say& say) {
  if (!link.last_contact) return say("never", "从未");
  return duration_text(std::max<TimeMs>(0, now - *link.last_contact), say) + say(" ago", "前");
}

std::string saved_text(const LinkRow& link) {
  if (link.plain_bytes <= link.wire_bytes) return "-";
  const std::uint64_t saved = link.plain_bytes - link.wire_bytes;
  return bytes_text(saved) + " (" + std::to_string(saved * 100 / link.plain_bytes) + "%)";
}

std::string note_text(const LinkRow& link, const Say& say) {
  std::string note;
  const auto add = [&](const std::string& text) { note += (note.empty() ? "" : "; ") + text; };
  if (link.detour.value != 0) add(say("comes through ", "经由 ") + to_text(link.detour));
  if (link.clock_ahead_ms && std::abs(*link.clock_ahead_ms) >= kClockShownMs)
    add((*link.clock_ahead_ms > 0 ? say("its clock is ahead by ", "对方时钟快 ")
                                  : say("its clock is behind by ", "对方时钟慢 ")) +
        duration_text(std::abs(*link.clock_ahead_ms), say));
  if (link.bytes_per_second > 0) add(say("held to ", "限速 ") + bytes_text(link.bytes_per_second) + "/s");
  // The node tells of the detour too, in its own words.
  const std::string reason = link.reason.substr(0, link.reason.find("its feeds are asked of"));
  if (const auto end = reason.find_last_not_of("; "); end != std::string::npos) add(reason_text(reason.substr(0, end + 1), say));
  return note;
}

}  // namespace

std::string duration_text(TimeMs ms, const Say& say) {
  const auto of = [](TimeMs count, const std::string& unit) { return std::to_string(count) + " " + unit; };
  if (ms < kSecond) return of(ms, "ms");
  if (ms < kMinute) return of(ms / kSecond, say("s", "秒"));
  if (ms < kHour) return of(ms / kMinute, say("min", "分"));
  if (ms < kDay) return of(ms / kHour, say("h", "小时")) + " " + of(ms % kHour / kMinute, say("min", "分"));
  return of(ms / kDay, say("d", "天"));
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> kUnits = {"B", "KB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) value /= 1000, ++unit;
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string links_summary(const StatusReport& status, const Say& say) {
  const auto count = [&](const auto& which) {
    return std::to_string(std::count_if(status.links.begin(), status.links.end(), which));
  };
  std::string text = say("links: ", "链路:") + count(follows) + say(" of ", "/") +
                     count([](const LinkRow& link) { return link.state != "retired"; }) + say(" linked, ", " 已连接,") +
                     count(in_step) + say(" in step", " 同步");
  // The worst lane of each peer that is not in step.
  std::map<RegionCode, const LinkRow*> worst;
  for (const LinkRow& link : status.links) {
    if (in_step(link) || link.state == "retired") continue;
    const LinkRow*& at = worst[link.region];
    if (at == nullptr || (follows(*at) && !follows(link)) ||
        (follows(*at) == follows(link) && link.behind_ms.value_or(0) > at->behind_ms.value_or(0)))
      at = &link;
  }
  for (const auto& [region, link] : worst)
    text += "; " + to_text(region) + " " + link->lanes + " " + state_cell(*link, say).text + " " + behind_text(*link, say);
  return text;
}

Table links_table(const StatusReport& status, const Say& say) {
  Table table({{say("peer", "对方")},
               {say("lane", "通道")},
               {say("state", "状态")},
               {say("behind", "落后"), true},
               {say("round trip", "往返"), true},
               {say("last contact", "最后联系"), true},
               {say("received", "已收"), true},
               {say("saved", "节省"), true},
               {say("note", "说明")}});
  for (const LinkRow& link : status.links) {
    table.add({{to_text(link.region)},
               {link.lanes},
               state_cell(link, say),
               {behind_text(link, say)},
               {link.round_trip_ms ? duration_text(*link.round_trip_ms, say) : "-"},
               {contact_text(link, status.time, say)},
               {std::to_string(link.received_events)},
               {saved_text(link)},
               {note_text(link, say)}});
  }
  return table;
}

Exit run_links(const Common& common, const Console& console) {
  const auto status = ask<StatusReport>(common, console, AskStatus{false});
  if (!status) return status.error();
  if (console.json()) {
    console.out() << to_json(status->links) << '\n';
    return Exit::done;
  }
  const Say& say = console.say();
  if (status->links.empty()) {
    console.out() << say("this node has no peers: members.toml names no other city", "本节点没有对端:members.toml 中没有其他成员")
                  << '\n';
    return Exit::done;
  }
  console.table(links_table(*status, say));
  console.out() << '\n' << links_summary(*status, say) << '\n';
  return Exit::done;
}

}  // namespace lianxi::cli
