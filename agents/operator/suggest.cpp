// `lianxi mobilise suggest`: what would cover the needs soonest, over all members, with the reason for each pick.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/mobilise_thread.h"
#include "agents/operator/suggestions.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

constexpr std::uint32_t kCandidates = 200;  // of each need, nearest first

std::vector<Need> needs_of(const MobilisationRow& thread) {
  std::vector<Need> needs;
  for (const NeedRow& row : thread.needs) {
    const std::int64_t open = row.quantity_milli - row.committed_milli - row.deployed_milli - row.returned_milli;
    if (open > 0) needs.push_back({row.type, row.capability.empty() ? row.name : row.capability, open, row.unit});
  }
  return needs;
}

// Where a request wants its resources.
std::optional<LonLat> place_of(const MobilisationRow& thread) {
  std::optional<LonLat> place;
  for (const ThreadMessageRow& row : thread.messages) {
    if (row.message.message != ResourceMessage::RequestResource) continue;
    for (const MobilisationItem& item : row.message.items)
      for (const Schedule& entry : item.schedule)
        if (entry.location) place = entry.location;
  }
  return place;
}

std::string reason_of(const Suggestion& pick, const Say& say) {
  std::string text =
      fmt::format("{}{}", say("nearest that is free, ", "距离最近且可用,"), distance_text(pick.resource.distance_m));
  if (pick.passed_over > 0) text += fmt::format("{}{}", say("; nearer but not free: ", ";更近但不可用:"), pick.passed_over);
  const std::int64_t left = pick.resource.free_milli - pick.quantity_milli;
  if (left > 0) text += fmt::format("{}{}", say("; leaves ", ";余 "), quantity_text(left, pick.resource.unit));
  return text;
}

std::string minutes_text(std::int64_t ms, const Say& say) {
  const std::int64_t minutes = (ms + 30'000) / 60'000;
  if (minutes < 60) return fmt::format("{} {}", minutes, say("min", "分钟"));
  return fmt::format("{}:{:02} h", minutes / 60, minutes % 60);
}

class Suggesting {
 public:
  Suggesting(const Common& common, const SuggestCommand& command, const Console& console, sdk::Client& client)
      : common_(common), command_(command), console_(console), client_(client) {}

  Exit run() {
    if (const auto failed = learn()) return *failed;
    std::vector<std::vector<ResourceRow>> candidates;
    for (const Need& need : needs_) {
      auto rows = candidates_for(need);
      if (!rows) return rows.error();
      candidates.push_back(std::move(*rows));
    }
    const Coverage coverage = cover(needs_, candidates);
    if (console_.json())
      print_json(coverage);
    else
      print(coverage);
    return Exit::done;
  }

 private:
  // Needs and place, from the thread or the incident where the command does not say them.
  std::optional<Exit> learn() {
    needs_ = command_.needs;
    place_ = command_.location;
    if (!command_.thread.empty()) {
      const auto thread = find_thread(client_, common_, console_, command_.thread, Status::Actual);
      if (!thread) return thread.error();
      if (needs_.empty()) needs_ = needs_of(*thread);
      if (!place_) place_ = cli::place_of(*thread);
      if (!place_ && !thread->incident.empty())
        if (const auto failed = look_up(thread->incident)) return failed;
    }
    if (!place_ && !command_.incident.empty())
      if (const auto failed = look_up(command_.incident)) return failed;
    const Say& say = console_.say();
    if (!place_)
      return console_.refused({RefusalCode::missing_field, "--at",
                               say("say where, with --at LON,LAT: neither request nor incident says it",
                                   "请用 --at 经度,纬度 写明地点:请求和突发事件均未写明"),
                               0});
    if (needs_.empty())
      return console_.refused({RefusalCode::missing_field, "--need",
                               say("say what is needed, as in --need team:hazmat=2; nothing of the request is open",
                                   "请写明需求,如 --need team:hazmat=2支;该请求已无缺口"),
                               0});
    return std::nullopt;
  }

  std::optional<Exit> look_up(const std::string& incident) {
    AskIncidents question;
    question.limit = kMaxQueryLimit;
    const auto rows = ask<IncidentRows>(client_, common_, console_, question);
    if (!rows) return rows.error();
    for (const IncidentRow& row : rows->rows) {
      if (row.id != incident && !row.id.ends_with(":" + incident)) continue;
      for (const ReportRow& report : row.reports)
        if (report.report.location) place_ = report.report.location;
    }
    return std::nullopt;
  }

  Result<std::vector<ResourceRow>, Exit> candidates_for(const Need& need) {
    AskResources question;
    question.near = place_;
    if (need.type) question.types = {*need.type};
    question.capability = need.what;
    question.limit = kCandidates;
    auto rows = ask<ResourceRows>(client_, common_, console_, question);
    if (!rows) return tl::unexpected(rows.error());
    if (!rows->rows.empty()) return std::move(rows->rows);
    question.capability.clear();  // not a capability: a name, as of a supply
    question.text = need.what;
    rows = ask<ResourceRows>(client_, common_, console_, question);
    if (!rows) return tl::unexpected(rows.error());
    return std::move(rows->rows);
  }

  void print(const Coverage& coverage) const {
    const Say& say = console_.say();
    Table table({{say("needed", "需求")},
                 {say("resource", "资源"), false, 36},
                 {say("owner", "所属地市")},
                 {say("quantity", "数量"), true},
                 {say("about there in", "预计到达"), true},
                 {say("why", "原因"), false, 56},
                 {say("phone", "电话")},
                 {say("entity", "实体")}});
    for (const Suggestion& pick : coverage.picks) {
      const Need& need = needs_[pick.need];
      table.add({{need.what + " " + quantity_text(need.quantity_milli, need.unit)},
                 {pick.resource.name.empty() ? pick.resource.id : pick.resource.name},
                 {to_text(pick.resource.region)},
                 {quantity_text(pick.quantity_milli, pick.resource.unit.empty() ? need.unit : pick.resource.unit)},
                 {minutes_text(pick.arrives_in_ms, say)},
                 {reason_of(pick, say)},
                 {pick.resource.phone},
                 {pick.resource.id, Style::faint}});
    }
    if (!table.empty()) console_.table(table);
    for (std::size_t i = 0; i < needs_.size(); ++i) {
      if (coverage.lacking_milli[i] == 0) continue;
      console_.out() << styled(say("not covered: ", "仍有缺口:"), Style::red, console_.colour()) << printable(needs_[i].what)
                     << ' ' << quantity_text(coverage.lacking_milli[i], needs_[i].unit) << '\n';
    }
    console_.out() << fmt::format("{}{} km/h, x{}, {}\n",
                                  say("a suggestion, nothing is asked for or promised; arrival by air line at ",
                                      "仅为建议,未发出请求,也未作承诺;到达时间按直线距离 "),
                                  kConvoy_km_h, kDetourFactor, say("after a turn-out of 15 minutes", "并加集结出动 15 分钟估算"));
  }

  void print_json(const Coverage& coverage) const {
    nlohmann::ordered_json out = {{"lon", place_->lon}, {"lat", place_->lat}};
    out["picks"] = nlohmann::ordered_json::array();
    for (const Suggestion& pick : coverage.picks) {
      const auto row = nlohmann::ordered_json::parse(to_json(ResourceRows{{pick.resource}, false, {}})).front();
      out["picks"].push_back({{"need", needs_[pick.need].what},
                              {"quantity", static_cast<double>(pick.quantity_milli) / 1000},
                              {"arrives_in_s", pick.arrives_in_ms / 1000},
                              {"reason", reason_of(pick, Say{})},
                              {"resource", row}});
    }
    out["lacking"] = nlohmann::ordered_json::array();
    for (std::size_t i = 0; i < needs_.size(); ++i)
      if (coverage.lacking_milli[i] > 0)
        out["lacking"].push_back({{"need", needs_[i].what},
                                  {"quantity", static_cast<double>(coverage.lacking_milli[i]) / 1000},
                                  {"unit", needs_[i].unit}});
    console_.out() << out.dump() << '\n';
  }

  const Common& common_;
  const SuggestCommand& command_;
  const Console& console_;
  sdk::Client& client_;
  std::vector<Need> needs_;
  std::optional<LonLat> place_;
};

}  // namespace

Exit run_suggest(const Common& common, const SuggestCommand& command, const Console& console) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  return Suggesting(common, command, console, **client).run();
}

}  // namespace lianxi::cli
