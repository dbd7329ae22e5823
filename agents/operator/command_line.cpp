#include "agents/operator/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "agents/operator/arguments.h"
#include "agents/operator/map_options.h"
#include "agents/operator/member_options.h"
#include "agents/operator/mobilise_options.h"
#include "agents/operator/transfer_options.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {
namespace {

// Values arrive as texts and are read by our own parsers, so that every mistake is told in one way and language.
struct Texts {
  std::string profile, language, timeout;
  std::string file, audience = "conference", agency, name, role = "agent", folder = ".";
  std::string from = "now", until, area, polygon, cursor, lane = "normal", before;
  std::vector<std::string> kinds, places, agencies, levels;
  std::string place;
  std::uint32_t limit = 0;
  unsigned peers = 0;
  std::string deadline, reason;
  std::uint64_t count = 0;
  bool json = false, all = false, seal = false, dry_run = false;
};

class Mistake : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class T>
T checked(Result<T> result, const char* option) {
  if (result) return std::move(*result);
  std::string text = result.error().reason;
  if (text.rfind("\"", 0) != 0 || text.find(option) == std::string::npos) text = std::string(option) + " " + text;
  throw Mistake(text);
}
void checked(const Result<void>& result, const char* option) {
  if (!result) throw Mistake(std::string(option) + " " + result.error().reason);
}

template <class E>
std::vector<E> words(const std::vector<std::string>& texts, const char* option) {
  std::vector<E> values;
  for (const std::string& text : texts) values.push_back(checked(parse_word<E>(text), option));
  return values;
}

std::string first_word(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (!word.starts_with('-')) return word;
  }
  return {};
}

// Letters to add, drop or change to make one word the other.
std::size_t edits(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= one.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j < row.size(); ++j) {
      const std::size_t changed = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({changed, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row.back();
}

class CommandLine {
 public:
  explicit CommandLine(Say say)
      : say_(say), app_(say("lianxi: what the operator of a node asks and tells", "lianxi:节点操作员的命令"), "lianxi") {
    app_.set_help_flag("-h,--help", say("print this and end", "显示帮助"));
    app_.require_subcommand(1);
    app_.fallthrough();
    app_.add_option("--profile", texts_.profile,
                    say("profile file; else LIANXI_PROFILE", "配置文件;缺省取环境变量 LIANXI_PROFILE"));
    app_.add_flag("--json", texts_.json, say("JSON on standard output", "以 JSON 输出"));
    app_.add_option("--lang", texts_.language, say("zh or en", "语言:zh 或 en"))->check(CLI::IsMember({"zh", "en"}));
    app_.add_option("--timeout", texts_.timeout, say("how long to wait for the node, as in 5s", "等待节点的时间,如 5s"));
    status_ = app_.add_subcommand("status", say("feeds, digests and links of the node", "节点的流、摘要与链路"));
    links_ = app_.add_subcommand("links", say("how the node stands with each peer, lane by lane", "与各对端逐通道的连接情况"));
    add_publish();
    add_follow();
    map_.emplace(app_, say_);
    add_lists();
    add_override();
    add_keys();
    add_retain();
    members_.emplace(app_, say_);
    mobilise_.emplace(app_, say_);
    transfer_.emplace(app_, say_);
    for (CLI::App* sub : app_.get_subcommands({})) {
      sub->fallthrough();
      for (CLI::App* inner : sub->get_subcommands({})) inner->fallthrough();
    }
  }

  CLI::App& app() { return app_; }
  // What is wrong if a command is missing or not known; CLI11 says only that one is required.
  [[nodiscard]] std::optional<std::string> command_mistake() const {
    const CLI::App& above = deepest();
    if (above.get_require_subcommand_min() == 0) return std::nullopt;
    std::string all, nearest;
    std::size_t best = std::string::npos;
    const std::string word = first_word(app_.remaining(true));
    for (const CLI::App* sub : above.get_subcommands({})) {
      all += (all.empty() ? "" : say_(", ", "、")) + sub->get_name();
      const std::size_t distance = edits(word, sub->get_name());
      if (distance < best) {
        best = distance;
        nearest = sub->get_name();
      }
    }
    const std::string known = say_("; commands: ", ";可用命令:") + all;
    if (word.empty()) return say_("a command is missing", "缺少命令") + known;
    const std::string unknown = say_("\"", "没有命令 \"") + word + say_("\" is not a command", "\"");
    if (best * 2 >= nearest.size()) return unknown + known;
    return unknown + say_("; did you mean ", ";是不是 ") + nearest + say_("?", "?");
  }
  Settings settings() const {
    Settings settings;
    settings.common = common();
    settings.command = command();
    return settings;
  }
  [[nodiscard]] bool json() const { return texts_.json; }
  [[nodiscard]] std::string help() const { return deepest().help(); }

 private:
  [[nodiscard]] const CLI::App& deepest() const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }
  void add_publish() {
    CLI::App* publish = app_.add_subcommand(
        "publish", say_("publish one event and wait until it is on the node's disk", "发布一个事件,并等到节点存盘"));
    publish->require_subcommand(1);
    alert_ = publish->add_subcommand("alert", say_("an alert: CAP 1.1/1.2 XML, or JSON", "预警:CAP 1.1/1.2 XML 或 JSON"));
    incident_ = publish->add_subcommand("incident", say_("an incident report: JSON", "突发事件报告:JSON"));
    alert_->add_option("FILE", texts_.file, say_("file, or - for standard input", "文件,- 为标准输入"))->required();
    incident_->add_option("FILE", texts_.file, say_("file, or - for standard input", "文件,- 为标准输入"))->required();
    alert_
        ->add_option("--audience", texts_.audience,
                     say_("local, conference or a group (CAP only)", "受众:local、conference 或组名(仅 CAP)"))
        ->capture_default_str();
    for (CLI::App* kind : {alert_, incident_}) {
      kind->add_option("--peers", texts_.peers, say_("ask that so many other nodes hold it on disk", "要求若干其他节点也存盘"))
          ->check(CLI::Range(0, 255));
      kind->add_option("--deadline", texts_.deadline, say_("how long to wait for them, as in 30s", "等待其他节点的时间,如 30s"));
    }
    alert_->add_option("--agency", texts_.agency, say_("speak for this agency (CAP only)", "代表的部门(仅 CAP)"));
    alert_->add_option("--place", texts_.place, say_("place code where the file names none", "文件未写明时的行政区划代码"));
  }
  void add_follow() {
    follow_ = app_.add_subcommand("follow", say_("print events as they come", "逐条显示事件"));
    follow_->add_option("--kind", texts_.kinds, say_("alert, incident, resource, ...", "种类:alert、incident、resource 等"))
        ->delimiter(',');
    follow_
        ->add_option(
            "--place", texts_.places,
            say_("place codes, with all below and what strikes them from above", "行政区划代码,含下级,以及上级发布、涉及本地的"))
        ->delimiter(',');
    follow_->add_option("--agency", texts_.agencies, say_("emergency, police, fire, ...", "部门:emergency、police、fire 等"))
        ->delimiter(',');
    follow_->add_option("--level", texts_.levels, say_("red, orange, yellow, blue", "级别:red、orange、yellow、blue"))
        ->delimiter(',');
    follow_->add_option(
        "--area", texts_.area,
        say_("LON,LAT,RADIUS_KM: only events that lie in it or touch it", "经度,纬度,半径(公里):只看位于其中或与之相交的"));
    follow_->add_option("--polygon", texts_.polygon,
                        say_("the same with a border: a file, or \"LON,LAT LON,LAT LON,LAT ...\"",
                             "同上,按边界:文件,或“经度,纬度 经度,纬度 经度,纬度 …”"));
    from_ = follow_
                ->add_option("--from", texts_.from,
                             say_("beginning, now, or a cursor region:incarnation:offset; with --cursor: where that stands",
                                  "起点:beginning、now 或游标;用 --cursor 时缺省为其所在处"))
                ->capture_default_str();
    follow_->add_option(
        "--cursor", texts_.cursor,
        say_("go on where the last follow of this NAME ended; the node keeps it", "从同名的上次跟踪结束处继续;由节点保存"));
    follow_->add_option("--until", texts_.until, say_("now: end at the head seen at the start", "now:到开始时的日志头为止"))
        ->check(CLI::IsMember({"now"}));
    count_ = follow_->add_option("--count", texts_.count, say_("end after so many events", "显示若干条后结束"));
  }
  void add_limit(CLI::App* list) {
    list->add_option("--limit", texts_.limit,
                     say_("at most so many; unless given ", "最多条数;缺省 ") + std::to_string(kDefaultQueryLimit) +
                         say_(", the highest is ", ",上限 ") + std::to_string(kMaxQueryLimit));
  }
  void add_lists() {
    alerts_ = app_.add_subcommand("alerts", say_("active alerts", "生效中的预警"));
    alerts_->add_flag("--all", texts_.all, say_("every state, drills too, marked", "所有状态,含演练(有标记)"));
    incidents_ = app_.add_subcommand("incidents", say_("incidents with the reports of each agency", "突发事件及各部门报告"));
    for (CLI::App* list : {alerts_, incidents_}) {
      list->add_option("--place", texts_.place, say_("place code, with all below", "行政区划代码,含下级"));
      add_limit(list);
    }
  }
  void add_override() {
    override_ = app_.add_subcommand(
        "override", say_("after a restore: let the node take commitments though not every member was seen; on record, for all",
                         "节点恢复后:部分成员尚未联通时仍允许预留和调派资源;记录在案,各成员可见"));
    override_->add_option("--reason", texts_.reason, say_("why, in words that all members will read", "理由,各成员均可看到"))
        ->required();
  }
  void add_keys() {
    CLI::App* keys = app_.add_subcommand("keys", say_("key files", "密钥文件"));
    keys->require_subcommand(1);
    keys_ = keys->add_subcommand(
        "new", say_("make NAME.secret.toml (mode 0600) and NAME.toml", "生成 NAME.secret.toml(权限 0600)与 NAME.toml"));
    keys_->add_option("NAME", texts_.name, say_("agent id, as in 330800.police.dispatch", "代理标识,如 330800.police.dispatch"))
        ->required();
    keys_->add_option("--role", texts_.role, say_("agent, operator, node or volunteer", "角色:agent、operator、node、volunteer"))
        ->check(CLI::IsMember({"agent", "operator", "node", "volunteer"}))
        ->capture_default_str();
    keys_->add_option("--out", texts_.folder, say_("folder for the files", "存放目录"))->capture_default_str();
    keys_->add_flag("--seal", texts_.seal, say_("with a sealing key, for a node", "附签章密钥(节点用)"));
  }

  void add_retain() {
    retain_ = app_.add_subcommand("retain", say_("older events of a feed count no more", "清退:某个流中更早的事件不再计入"));
    retain_->add_option("--lane", texts_.lane, say_("flash, normal or bulk", "通道:flash、normal 或 bulk"))
        ->capture_default_str();
    retain_->add_option("--audience", texts_.audience, say_("local, conference or a group", "受众:local、conference 或组名"))
        ->capture_default_str();
    retain_->add_option("--before", texts_.before, say_("day or time, as in 2026-06-01", "日期或时间,如 2026-06-01"))->required();
    retain_->add_flag("--dry-run", texts_.dry_run, say_("only show what would go", "只显示将清退的内容"));
  }

  Common common() const {
    Common common;
    common.profile = texts_.profile;
    if (common.profile.empty()) {
      const char* named = std::getenv("LIANXI_PROFILE");
      if (named != nullptr) common.profile = named;
    }
    if (common.profile.empty() && !keys_->parsed() && members_->needs_profile()) {
      throw Mistake(
          say_("name a profile with --profile FILE or LIANXI_PROFILE", "请用 --profile FILE 或 LIANXI_PROFILE 指定配置文件"));
    }
    common.json = texts_.json;
    common.say = say_;
    if (!texts_.timeout.empty()) common.timeout = checked(parse_timeout(texts_.timeout, say_), "--timeout");
    return common;
  }

  Command command() const {
    if (alert_->parsed() || incident_->parsed()) return publish_command();
    if (follow_->parsed()) return follow_command();
    if (alerts_->parsed()) return AlertsCommand{AskAlerts{texts_.all, place(), texts_.limit}};
    if (incidents_->parsed()) return IncidentsCommand{AskIncidents{place(), texts_.limit}};
    if (override_->parsed()) {
      if (texts_.reason.empty()) throw Mistake(say_("--reason must not be empty", "--reason 不能为空"));
      return OverrideCommand{texts_.reason};
    }
    if (keys_->parsed()) return keys_command();
    if (retain_->parsed()) return retain_command();
    if (links_->parsed()) return LinksCommand{};
    for (auto more : {map_->command(say_), members_->command(say_), mobilise_->command(say_), transfer_->command(say_)}) {
      if (!more) continue;
      if (!*more) throw Mistake(more->error().field + " " + more->error().reason);
      return std::move(**more);
    }
    return StatusCommand{};
  }

  std::optional<PlaceCode> place() const {
    if (texts_.place.empty()) return std::nullopt;
    return checked(PlaceCode::parse(texts_.place), "--place");
  }

  PublishCommand publish_command() const {
    PublishCommand command;
    command.kind = alert_->parsed() ? Kind::alert : Kind::incident;
    command.file = texts_.file;
    command.audience = checked(Audience::parse(texts_.audience), "--audience");
    command.agency = texts_.agency;
    command.place = place();
    command.options.peers = static_cast<std::uint8_t>(texts_.peers);
    if (!texts_.deadline.empty()) command.options.deadline = checked(parse_timeout(texts_.deadline, say_), "--deadline");
    return command;
  }

  FollowCommand follow_command() const {
    FollowCommand command;
    checked(parse_from(texts_.from, say_, command), "--from");
    command.cursor_name = texts_.cursor;
    if (command.cursor_name.size() > kMaxCursorNameBytes)
      throw Mistake(say_("--cursor has at most 64 bytes", "--cursor 最多 64 字节"));
    if (!command.cursor_name.empty() && from_->count() == 0) command.from = FollowFrom::named;
    if (!texts_.area.empty() || !texts_.polygon.empty()) command.filter.area.emplace();
    if (!texts_.area.empty()) command.filter.area->circle = checked(parse_area(texts_.area, say_), "--area");
    if (!texts_.polygon.empty()) command.filter.area->ring = checked(parse_polygon(texts_.polygon, say_), "--polygon");
    command.until_now = texts_.until == "now";
    if (count_->count() > 0) command.count = texts_.count;
    command.filter.kinds = words<Kind>(texts_.kinds, "--kind");
    command.filter.levels = words<Level>(texts_.levels, "--level");
    command.filter.agencies = texts_.agencies;
    for (const std::string& text : texts_.places) command.filter.places.push_back(checked(PlaceCode::parse(text), "--place"));
    return command;
  }

  KeysCommand keys_command() const {
    KeysCommand command;
    command.name = checked(AgentId::parse(texts_.name), "NAME");
    command.role = texts_.role;
    command.folder = texts_.folder;
    command.seal = texts_.seal;
    return command;
  }

  RetainCommand retain_command() const {
    const bool day = texts_.before.find('T') == std::string::npos;
    return {{checked(parse_word<Lane>(texts_.lane), "--lane"), checked(Audience::parse(texts_.audience), "--audience"),
             checked(parse_iso8601(day ? texts_.before + "T00:00:00+08:00" : texts_.before), "--before")},
            texts_.dry_run};
  }

  Say say_;
  CLI::App app_;
  Texts texts_;
  std::optional<MemberOptions> members_;
  std::optional<MapOptions> map_;
  std::optional<MobiliseOptions> mobilise_;
  std::optional<TransferOptions> transfer_;
  CLI::App* status_ = nullptr;
  CLI::App *alert_ = nullptr, *incident_ = nullptr, *follow_ = nullptr, *alerts_ = nullptr, *incidents_ = nullptr,
           *override_ = nullptr, *keys_ = nullptr, *retain_ = nullptr, *links_ = nullptr;
  CLI::Option *count_ = nullptr, *from_ = nullptr;
};

// Help is written while the options are declared, so the language must be known before they are read.
Language asked_language(int argc, const char* const* argv, Language fallback) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    std::string_view value;
    if (word.starts_with("--lang=")) value = word.substr(7);
    if (word == "--lang" && i + 1 < argc) value = argv[i + 1];
    if (value == "zh") return Language::chinese;
    if (value == "en") return Language::english;
  }
  return fallback;
}

}  // namespace

std::variant<Settings, Usage> parse_command_line(int argc, const char* const* argv, Language default_language) {
  const Say say{asked_language(argc, argv, default_language)};
  CommandLine line(say);
  try {
    line.app().parse(argc, argv);
    return line.settings();
  } catch (const CLI::CallForHelp&) {
    return Usage{Exit::done, false, say, line.help()};
  } catch (const CLI::ParseError& error) {
    return Usage{Exit::usage, line.json(), say, line.command_mistake().value_or(error.what())};
  } catch (const Mistake& error) {
    return Usage{Exit::usage, line.json(), say, error.what()};
  }
}

}  // namespace lianxi::cli
