#include "agents/operator/map_options.h"

#include <CLI/CLI.hpp>

#include "agents/operator/arguments.h"
#include "agents/operator/console.h"
#include "agents/operator/option_reading.h"
#include "schemas/limits.h"

namespace lianxi::cli {

struct MapOptions::Texts {
  CLI::App *resources = nullptr, *covered_by = nullptr, *roster = nullptr, *totals = nullptr;
  std::string near, within, capability, place, polygon, box, alert, text, at_least, after, language, when;
  std::vector<std::string> kinds, states;
  std::uint32_t limit = 0;
  bool available = false, all = false;
};

MapOptions::MapOptions(CLI::App& app, const Say& say) : texts_(std::make_unique<Texts>()) {
  add_resources(app, say);
  add_others(app, say);
  Texts& t = *texts_;
  for (CLI::App* sub : {t.resources, t.roster, t.totals}) {
    sub->add_option("--place", t.place, say("place code, with all below", "行政区划代码,含下级"));
    sub->add_option("--capability", t.capability, say("as in hazmat, or its Chinese name", "能力,如 hazmat 或 危化品处置"));
  }
  for (CLI::App* sub : {t.resources, t.roster})
    sub->add_option("--near", t.near, say("LON,LAT in CGCS2000 degrees: nearest first", "经度,纬度(CGCS2000):由近及远"));
  for (CLI::App* sub : {t.resources, t.covered_by, t.totals})
    sub->add_option("--kind", t.kinds,
                    say("team expert supply equipment shelter site", "类别:team expert supply equipment shelter site"))
        ->delimiter(',');
  for (CLI::App* sub : {t.resources, t.covered_by, t.roster}) {
    sub->add_option("--limit", t.limit,
                    say("at most so many; unless given ", "最多条数;缺省 ") + std::to_string(kDefaultQueryLimit) +
                        say(", the highest is ", ",上限 ") + std::to_string(kMaxQueryLimit));
    sub->add_option("--after", t.after,
                    say("go on behind a list before, as it says at its end", "从上一页之后继续,见上一页末尾"));
  }
}

MapOptions::~MapOptions() = default;

void MapOptions::add_resources(CLI::App& app, const Say& say) {
  Texts& t = *texts_;
  t.resources = app.add_subcommand("resources", say("the resource map: nearest first", "应急资源“一张图”,由近及远"));
  t.resources->add_option("--within", t.within, say("as in 50km or 800m; needs --near", "范围,如 50km、800m;须与 --near 同用"));
  t.resources->add_option(
      "--polygon", t.polygon,
      say("within a border: a file, or \"LON,LAT LON,LAT LON,LAT ...\"", "边界内:文件,或“经度,纬度 经度,纬度 …”"));
  t.resources->add_option("--box", t.box, say("within WEST,SOUTH,EAST,NORTH", "方框内:西,南,东,北"));
  t.resources->add_option("--alert", t.alert, say("within the area of this alert (its entity)", "某预警范围内(预警实体)"));
  t.resources->add_option("--text", t.text, say("words in name, owner, address, attributes", "名称、单位、地址、属性中的文字"));
  t.resources->add_flag("--available", t.available, say("only what is available", "只看可用的"));
  t.resources
      ->add_option("--state", t.states,
                   say("available reserved committed deployed returning out_of_service",
                       "状态:available reserved committed deployed returning out_of_service"))
      ->delimiter(',');
  t.resources->add_option("--at-least", t.at_least, say("so much of it is free", "可用数量不少于"));
}

void MapOptions::add_others(CLI::App& app, const Say& say) {
  Texts& t = *texts_;
  CLI::App* sites = app.add_subcommand("sites", say("sites and who answers for them", "风险点与责任人"));
  sites->require_subcommand(1);
  t.covered_by = sites->add_subcommand("covered-by", say("what lies within an alert's area, and who must be called",
                                                         "某预警范围内的风险点和安置场所,以及须叫应的责任人"));
  t.covered_by->add_option("ALERT", t.alert, say("entity of the alert", "预警实体"))->required();
  t.roster = app.add_subcommand("roster", say("experts who can be reached now", "当前可联系的专家"));
  t.roster->add_option("--language", t.language, say("as in en", "语言,如 en"));
  t.roster->add_option("--when", t.when, say("another time than now: 2h, or a time", "其他时间:2h 或时刻"));
  t.roster->add_flag("--all", t.all, say("all, whenever they are on call", "全部,不论何时可联系"));
  t.totals = app.add_subcommand("totals", say("how many resources there are, by county and kind", "资源统计:按区县和类别"));
}

std::optional<Result<Command>> MapOptions::command(const Say& say) const {
  const Texts& t = *texts_;
  if (t.resources->parsed()) return resources(say);
  if (t.roster->parsed()) return roster(say);
  Reading in(say);
  if (t.covered_by->parsed()) {
    SitesCommand command;
    command.ask.alert = t.alert;
    command.ask.limit = t.limit;
    command.ask.after = t.after;
    in.each("--kind", t.kinds, command.ask.types, kType);
    if (t.kinds.empty()) command.ask.types = {ResourceType::site, ResourceType::shelter};
    return in.done(std::move(command));
  }
  if (!t.totals->parsed()) return std::nullopt;
  TotalsCommand command;
  command.ask.capability = t.capability;
  in.one("--place", t.place, command.ask.place, kPlace);
  in.each("--kind", t.kinds, command.ask.types, kType);
  return in.done(std::move(command));
}

Result<Command> MapOptions::resources(const Say& say) const {
  const Texts& t = *texts_;
  ResourcesCommand command;
  AskResources& ask = command.ask;
  Reading in(say);
  in.with("--near", t.near, ask.near, parse_near);
  if (!t.within.empty() && t.near.empty())
    return refuse(RefusalCode::missing_field, "--within", say("needs --near LON,LAT", "须与 --near 经度,纬度 同用"));
  in.with("--within", t.within, ask.within_m, parse_within);
  in.one("--polygon", t.polygon, ask.polygon, [&](const std::string& text) { return parse_polygon(text, say); });
  in.with("--box", t.box, ask.box, parse_box);
  in.one("--at-least", t.at_least, ask.at_least_milli, [&](const std::string& text) { return parse_at_least(text, say); });
  in.each("--kind", t.kinds, ask.types, kType);
  in.each("--state", t.states, ask.states, [](const std::string& text) { return parse_word<ResourceState>(text); });
  in.one("--place", t.place, ask.place, kPlace);
  ask.capability = t.capability;
  ask.available = t.available;
  ask.alert = t.alert;
  ask.text = t.text;
  ask.limit = t.limit;
  ask.after = t.after;
  return in.done(std::move(command));
}

Result<Command> MapOptions::roster(const Say& say) const {
  const Texts& t = *texts_;
  RosterCommand command;
  AskResources& ask = command.ask;
  ask.types = {ResourceType::expert};
  ask.capability = t.capability;
  ask.limit = t.limit;
  ask.after = t.after;
  if (!t.language.empty()) ask.languages = {t.language};
  Reading in(say);
  in.one("--place", t.place, ask.place, kPlace);
  in.with("--near", t.near, ask.near, parse_near);
  std::optional<When> when;
  in.with("--when", t.when, when, parse_when);
  if (!t.all) ask.reachable_at = when.value_or(When{}).moment(wall_ms());
  return in.done(std::move(command));
}

}  // namespace lianxi::cli
