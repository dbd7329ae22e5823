#include "agents/operator/mobilise_options.h"

#include <CLI/CLI.hpp>
#include <array>

#include "agents/operator/arguments.h"
#include "agents/operator/option_reading.h"

namespace lianxi::cli {
namespace {

struct Verb {
  const char* name;
  Move move;
  const char* english;
  const char* chinese;
  bool begins = false;     // without a thread
  bool resources = false;  // --resource has a meaning
};
constexpr std::array<Verb, 12> kVerbs{{
    {"request", Move::request, "ask members for teams and supplies", "向成员请求队伍和物资", true, false},
    {"offer", Move::offer, "offer own resources, held until committed or withdrawn; without a thread: unasked",
     "提供本市资源(暂定,承诺或撤回前保留);不写编号为主动提供", true, true},
    {"requisition", Move::requisition, "take up what was offered", "征用对方提供的资源", false, true},
    {"commit", Move::commit, "promise own resources: they are reserved at once", "承诺本市资源,立即锁定", false, true},
    {"decline", Move::decline, "decline, with the reason", "婉拒,须写明理由", false, true},
    {"depart", Move::depart, "own resources are on the road", "本市资源已出发", false, true},
    {"arrive", Move::arrive, "they have arrived", "资源已到达", false, true},
    {"extend", Move::extend, "ask to keep them longer; as their owner: agree, or refuse with --reason",
     "请求延长;资源所属方:同意,或用 --reason 拒绝", false, true},
    {"release", Move::release, "they are needed no more", "不再需要,释放资源", false, true},
    {"return", Move::return_, "own resources are back; --under-way: on their way; --ask: ask for them back",
     "本市资源已归还;--under-way:返程中;--ask:要求归还", false, true},
    {"recall", Move::recall, "an earlier message of this city counts no more", "撤回本市此前发出的一条消息", false, false},
    {"ask-status", Move::ask, "ask how the deployment stands", "询问部署状态", false, true},
}};

}  // namespace

struct MobiliseOptions::Texts {
  std::array<CLI::App*, kVerbs.size()> verbs{};
  CLI::App *list = nullptr, *show = nullptr, *suggest = nullptr;
  std::string thread, item, incident, reason, text, address, message, at, answer_by, arrive_by, eta, until, place, level,
      audience;
  std::string status = "Actual", region, after;
  std::vector<std::string> needs, resources, to;
  std::uint32_t limit = 0;
  bool asks_back = false, under_way = false, all = false, drills = false;
};

MobiliseOptions::MobiliseOptions(CLI::App& app, const Say& say) : texts_(std::make_unique<Texts>()) {
  CLI::App* mobilise = app.add_subcommand(
      "mobilise", say("ask other cities for resources, promise own ones, follow them until they are home (EDXL-RM)",
                      "跨市资源调度:请求、承诺、出动直至归还(EDXL-RM)"));
  mobilise->require_subcommand(1);
  add_moves(*mobilise, say);
  add_questions(*mobilise, say);
}

MobiliseOptions::~MobiliseOptions() = default;

void MobiliseOptions::add_moves(CLI::App& mobilise, const Say& say) {
  Texts& t = *texts_;
  for (std::size_t i = 0; i < kVerbs.size(); ++i) {
    const Verb& verb = kVerbs[i];
    CLI::App* sub = t.verbs[i] = mobilise.add_subcommand(verb.name, say(verb.english, verb.chinese));
    if (verb.move != Move::request) {
      CLI::Option* thread =
          sub->add_option("THREAD", t.thread, say("the mobilisation's id, as `list` shows it", "调度编号,见 `list`"));
      if (!verb.begins) thread->required();
      sub->add_option("--item", t.item, say("which item of the request", "请求中的哪一项"));
    }
    if (verb.resources)
      sub->add_option("--resource", t.resources,
                      say("ENTITY=QUANTITY UNIT, as in 361100:resource:team-3=1; may be repeated",
                          "实体=数量,如 361100:resource:team-3=1支;可重复"));
    sub->add_option("--reason", t.reason, say("why", "理由"));
    sub->add_option("--text", t.text, say("a word to those who read it", "说明"));
    sub->add_option("--until", t.until, say("so long: 6h, 2d, or a time", "至何时:6h、2d 或时刻"));
    sub->add_option("--eta", t.eta, say("expected arrival: 90m, 2h, or a time", "预计到达:90m、2h 或时刻"));
    sub->add_option("--at", t.at, say("LON,LAT in CGCS2000 degrees", "经度,纬度(CGCS2000)"));
    sub->add_option("--address", t.address, say("where, in words", "地址"));
    sub->add_option("--status", t.status, say("Actual, Exercise, Test", "状态:Actual、Exercise、Test"))->capture_default_str();
    sub->add_option("--level", t.level, say("red, orange, yellow, blue", "级别:red、orange、yellow、blue"));
    if (!verb.begins) continue;
    sub->add_option("--to", t.to,
                    say("regions, as in 361100,350700; else all members", "地市代码,如 361100,350700;缺省为全部成员"))
        ->delimiter(',');
    sub->add_option("--incident", t.incident, say("entity of the incident", "突发事件实体"));
    sub->add_option("--place", t.place, say("place code; else the city", "行政区划代码;缺省为本市"));
    sub->add_option("--audience", t.audience, say("conference or a group", "受众:conference 或组名"));
  }
  CLI::App* request = t.verbs[0];
  request
      ->add_option("--need", t.needs,
                   say("[KIND:]WHAT=QUANTITY[UNIT], as in team:hazmat=2 or supply:respirator=500; may be repeated",
                       "[类别:]内容=数量[单位],如 team:hazmat=2支、supply:呼吸器=500只;可重复"))
      ->required();
  request->add_option("--answer-by", t.answer_by, say("deadline of answers: 30m, 2h, or a time", "答复期限:30m、2h 或时刻"));
  request->add_option("--arrive-by", t.arrive_by, say("when they are needed: 3h, or a time", "要求到达:3h 或时刻"));
  CLI::App* give = t.verbs[static_cast<std::size_t>(Move::return_)];
  give->add_flag("--ask", t.asks_back, say("ask for them back", "要求归还"));
  give->add_flag("--under-way", t.under_way, say("they are on their way home", "返程中"));
  t.verbs[static_cast<std::size_t>(Move::recall)]->add_option(
      "--message", t.message, say("its id; else the latest of this city", "消息编号;缺省为本市最近一条"));
}

void MobiliseOptions::add_questions(CLI::App& mobilise, const Say& say) {
  Texts& t = *texts_;
  t.list = mobilise.add_subcommand("list", say("mobilisations that are open", "进行中的资源调度"));
  t.list->add_flag("--all", t.all, say("ended ones too", "含已结束的"));
  t.list->add_flag("--drills", t.drills, say("drills too, marked", "含演练(有标记)"));
  t.list->add_option("--incident", t.incident, say("of this incident", "某一突发事件的"));
  t.list->add_option("--region", t.region,
                     say("that this city asks, is asked or has answered", "与某市有关的(发起、被请求或已答复)"));
  t.list->add_option("--after", t.after, say("go on behind a list before: its last row", "从上一页之后继续"));
  t.show = mobilise.add_subcommand("show", say("one, with all that was said", "某一资源调度的全部往来"));
  t.show->add_option("THREAD", t.thread, say("its id", "调度编号"))->required();
  t.show->add_option("--status", t.status, say("Actual, Exercise, Test", "状态:Actual、Exercise、Test"))->capture_default_str();
  t.suggest = mobilise.add_subcommand("suggest", say("what would cover the needs soonest, over all members; asks for nothing",
                                                     "建议:各成员中最快满足需求的资源;不发出请求"));
  t.suggest->add_option("THREAD", t.thread, say("a request; its open needs", "某一请求的缺口"));
  t.suggest->add_option("--need", t.needs, say("as for `request`", "同 `request`"));
  t.suggest->add_option("--at", t.at, say("LON,LAT in CGCS2000 degrees", "经度,纬度(CGCS2000)"));
  t.suggest->add_option("--incident", t.incident, say("an incident, for its place", "突发事件(取其地点)"));
  t.list->add_option("--place", t.place, say("place code, with all below", "行政区划代码,含下级"));
  t.list->add_option("--limit", t.limit, say("at most so many", "最多条数"));
}

std::optional<Result<Command>> MobiliseOptions::command(const Say& say) const {
  const Texts& t = *texts_;
  for (const CLI::App* verb : t.verbs)
    if (verb->parsed()) return move(say);
  for (const CLI::App* sub : {t.list, t.show, t.suggest})
    if (sub->parsed()) return question(say);
  return std::nullopt;
}

Result<Command> MobiliseOptions::move(const Say& say) const {
  const Texts& t = *texts_;
  MobiliseCommand command;
  for (std::size_t i = 0; i < kVerbs.size(); ++i)
    if (t.verbs[i]->parsed()) command.move = kVerbs[i].move;
  command.thread = t.thread;
  command.item = t.item;
  command.incident = t.incident;
  command.reason = t.reason;
  command.text = t.text;
  command.address = t.address;
  command.recalled = t.message;
  command.asks_back = t.asks_back;
  command.under_way = t.under_way;
  Reading in(say);
  in.each("--need", t.needs, command.needs, [&](const std::string& text) { return parse_need(text, say); });
  in.each("--resource", t.resources, command.resources, [&](const std::string& text) { return parse_picked(text, say); });
  in.each("--to", t.to, command.to, kRegion);
  in.with("--at", t.at, command.location, parse_near);
  in.with("--answer-by", t.answer_by, command.answer_by, parse_when);
  in.with("--arrive-by", t.arrive_by, command.arrive_by, parse_when);
  in.with("--eta", t.eta, command.eta, parse_when);
  in.with("--until", t.until, command.until, parse_when);
  in.one("--place", t.place, command.place, kPlace);
  in.one("--level", t.level, command.level, [](const std::string& text) { return parse_word<Level>(text); });
  in.one("--audience", t.audience, command.audience, [](const std::string& text) { return Audience::parse(text); });
  in.one("--status", t.status, command.status, [](const std::string& text) { return parse_word<Status>(text); });
  return in.done(std::move(command));
}

Result<Command> MobiliseOptions::question(const Say& say) const {
  const Texts& t = *texts_;
  Reading in(say);
  if (t.list->parsed()) {
    MobilisationsCommand command;
    command.ask.open = !t.all;
    command.ask.drills = t.drills;
    command.ask.incident = t.incident;
    command.ask.after = t.after;
    command.ask.limit = t.limit;
    in.one("--region", t.region, command.ask.region, kRegion);
    in.one("--place", t.place, command.ask.place, kPlace);
    return in.done(std::move(command));
  }
  if (t.show->parsed()) {
    MobilisationCommand command{t.thread, Status::Actual};
    in.one("--status", t.status, command.status, [](const std::string& text) { return parse_word<Status>(text); });
    return in.done(std::move(command));
  }
  SuggestCommand command{t.thread, t.incident, {}, std::nullopt};
  in.each("--need", t.needs, command.needs, [&](const std::string& text) { return parse_need(text, say); });
  in.with("--at", t.at, command.location, parse_near);
  return in.done(std::move(command));
}

}  // namespace lianxi::cli
