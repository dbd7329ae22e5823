#include "agents/operator/member_options.h"

#include <CLI/CLI.hpp>

#include "agents/operator/arguments.h"

namespace lianxi::cli {

struct MemberOptions::Texts {
  std::string file, region, name_zh, name_en, keys, seal_key, curve_key, host, since, until, event;
  unsigned port = 7301;
  std::map<std::string, std::string> endpoints;
  bool node = false;
};

MemberOptions::MemberOptions(CLI::App& app, const Say& say) : texts_(std::make_unique<Texts>()) {
  Texts& t = *texts_;
  explain_ =
      app.add_subcommand("explain", say("who receives an event and who does not, and why", "某事件谁收到、谁收不到,以及原因"));
  explain_
      ->add_option("EVENT", t.event,
                   say("an entity, region/epoch/lane/audience/sequence, or an offset of the node's journal",
                       "实体标识、区划/纪元/通道/受众/序号,或本节点日志的位置号"))
      ->required();
  member_ = app.add_subcommand("member",
                               say("the member cities of the conference: a members.toml", "联席会议成员城市:members.toml 文件"));
  member_->require_subcommand(1);
  add_ = member_->add_subcommand("add", say("append a member to the file", "在文件末尾加入一个成员"));
  retire_ = member_->add_subcommand(
      "retire", say("give a member an end; what it published stays", "设定成员的退出时间;其已发布的内容保留"));
  list_ = member_->add_subcommand("list",
                                  say("members, their state, and which file the nodes run", "成员、其状态,以及各节点使用的文件"));
  for (CLI::App* sub : {add_, retire_, list_})
    sub->add_option("--members", t.file, say("the members.toml", "members.toml 文件"))->required()->type_name("FILE");
  for (CLI::App* sub : {add_, retire_})
    sub->add_option("--region", t.region, say("GB/T 2260 code of the city, as in 330800", "城市行政区划代码,如 330800"))
        ->required();
  add_->add_option("--name-zh", t.name_zh, say("its Chinese name", "中文名"))->required();
  add_->add_option("--name-en", t.name_en, say("its English name", "英文名"));
  add_->add_option("--keys", t.keys,
                   say("its node's public key file, of `lianxi keys new NAME --seal`",
                       "其节点的公钥文件(`lianxi keys new NAME --seal` 生成)"))
      ->type_name("FILE");
  add_->add_option("--seal-key", t.seal_key, say("instead of --keys: 64 hex digits", "代替 --keys:64 位十六进制"));
  add_->add_option("--curve-key", t.curve_key, say("instead of --keys: 40 characters", "代替 --keys:40 个字符"));
  add_->add_option("--host", t.host,
                   say("where its node is reached; five ports from --port on", "其节点的主机名;自 --port 起五个端口"));
  add_->add_option("--port", t.port, say("the first of the five", "第一个端口"))
      ->check(CLI::Range(1, 65531))
      ->capture_default_str();
  for (const char* name : kMemberEndpoints)
    add_->add_option(std::string("--") + name, t.endpoints[name],
                     say("instead of --host: tcp://host:port", "代替 --host:tcp://主机:端口"));
  add_->add_option("--since", t.since, say("a date or an instant; else at once", "日期或时刻;缺省立即生效"));
  retire_
      ->add_option("--until", t.until,
                   say("the last day, as in 2026-12-31 (Beijing time), or an instant with its offset",
                       "最后一日(北京时间),如 2026-12-31;或带时区的时刻"))
      ->required();
  list_->add_flag("--node", t.node,
                  say("ask the profile's node for its links and its file too", "同时询问配置文件所指节点的链路与成员文件"));
}

MemberOptions::~MemberOptions() = default;

bool MemberOptions::needs_profile() const {
  return !member_->parsed() || (list_->parsed() && texts_->node);
}

std::optional<Result<Command>> MemberOptions::command(const Say& say) const {
  const Texts& t = *texts_;
  if (explain_->parsed()) {
    auto ask = parse_event(t.event, say);
    if (!ask) return tl::unexpected(std::move(ask.error()));
    return ExplainCommand{std::move(*ask)};
  }
  if (list_->parsed()) return MemberListCommand{t.file, t.node};
  if (!add_->parsed() && !retire_->parsed()) return std::nullopt;
  const auto region = parse_region(t.region);
  if (!region) return refuse(region.error().code, "--region", t.region + ": " + region.error().reason);
  if (retire_->parsed()) return MemberRetireCommand{t.file, *region, t.until};
  MemberAddCommand command{t.file, {}, t.keys};
  MemberEntry& entry = command.entry;
  entry.region = *region;
  entry.name_zh = t.name_zh;
  entry.name_en = t.name_en;
  entry.seal_key = t.seal_key;
  entry.curve_key = t.curve_key;
  entry.since = t.since;
  entry.endpoints = t.endpoints;
  unsigned port = t.port;
  for (const char* name : kMemberEndpoints) {
    if (!t.host.empty() && entry.endpoints[name].empty()) entry.endpoints[name] = "tcp://" + t.host + ":" + std::to_string(port);
    ++port;
  }
  const bool both = !t.seal_key.empty() && !t.curve_key.empty();
  if (t.keys.empty() != both)
    return refuse(RefusalCode::missing_field, "--keys",
                  say("name the node's public key file, or give --seal-key and --curve-key",
                      "请指定节点的公钥文件,或同时给出 --seal-key 与 --curve-key"));
  return command;
}

}  // namespace lianxi::cli
