#include "agents/operator/reasons.h"

#include <utility>
#include <vector>

#include "agents/operator/words.h"

namespace lianxi::cli {
namespace {

struct Phrase {
  std::string_view english;  // "{}": a value, at least one character of it
  std::string_view chinese;  // with the same values, in their order
};

// The first that fits counts: what is special stands before what is general.
constexpr Phrase kPhrases[] = {
    {"no word from the peer for {} ms", "对方 {} 毫秒没有消息"},
    {"silent, and another lane of the peer is back", "没有消息,而对方的另一通道已恢复"},
    {"the members file has changed", "成员文件已更改"},
    {"the peer ended the follow: {}", "对方结束了跟随:{}"},
    {"the peer refuses: {}: {}", "对方拒绝({}):{}"},
    {"the peer takes no more messages", "对方不再接收消息"},
    {"the peer sent a message of a wrong shape: {}", "对方发来的消息格式有误:{}"},
    {"the peer sent what does not read: {}", "对方发来的消息无法读取:{}"},
    {"the peer sent a message without end", "对方发来没有结尾的消息"},
    {"unreadable delivery: {}", "送来的事件无法读取:{}"},
    {"the connection was closed by the peer or the network", "连接被对方或网络断开"},
    {"the peer does not know this node's key", "对方不认识本节点的密钥"},
    {"the connection was closed during its handshake", "连接在握手时断开"},
    {"the handshake failed: the peer's key is not the one in members.toml, or it speaks another protocol",
     "握手失败:对方的密钥与 members.toml 不符,或使用其他协议"},
    {"this node's disk is below its headroom", "本节点磁盘余量不足"},
    {"this node has too much at once", "本节点一时收到过多"},
    {"{} is not in the members file", "{} 不在成员文件中"},
    {"{} is a member from {} on, and not yet; its agents and its node are served by no other",
     "{} 自 {} 起才是成员,现在还不是;其他节点不为其客户端和节点服务"},
    {"{} is no member since {}; its agents and its node are served by no other",
     "{} 自 {} 起已不是成员;其他节点不为其客户端和节点服务"},
    {"{} is a member from {} on, and not yet", "{} 自 {} 起才是成员,现在还不是"},
    {"{} is no member since {}", "{} 自 {} 起已不是成员"},
    {"the node of {} runs members file {}, this one {}: bring the same file to both",
     "{} 的节点使用成员文件 {},本节点使用 {}:请两边换成同一文件"},
    {"{} is forked: what does not continue what is held here is not taken", "{} 已分叉:与本节点所存不相接续的不予接收"},
    {"the node of {} holds {} up to {}, this node only up to {}: this journal is a copy that was restored or cloned; restore it "
     "with a new epoch",
     "{} 的节点持有 {} 至 {},本节点只到 {}:本日志是恢复或克隆的副本,请以新纪元恢复"},
    {"the node of {} holds {} up to {} with another hash than this node: this journal is a copy that was restored or cloned; "
     "restore it with a new epoch",
     "{} 的节点持有 {} 至 {},与本节点的哈希不同:本日志是恢复或克隆的副本,请以新纪元恢复"},
    {"the node of {} holds {} up to {} under this region's seal, this node up to {}: this journal is a copy that was restored or "
     "cloned; restore it with a new epoch",
     "{} 的节点持有 {} 至 {},并有本地区的签章,本节点到 {}:本日志是恢复或克隆的副本,请以新纪元恢复"},
    {"the node of {} has shown another history of {} under this region's seal, which parts at {}: this journal is a copy that "
     "was "
     "restored or cloned; restore it with a new epoch",
     "{} 的节点出示了 {} 的另一份历史,有本地区的签章,自 {} 起不同:本日志是恢复或克隆的副本,请以新纪元恢复"},
    {"{} goes on at {}, stamped {}, though it ends at {}: its node runs another members file",
     "{} 在 {}(时间 {})仍有事件,而它应止于 {}:其节点使用另一份成员文件"},
    {"of {} this node stands at {}, and what the node of {} holds begins at {}: bring a node that holds what lies between to a "
     "link with this one",
     "{}:本节点到 {},{} 的节点所存自 {} 起:请让存有其间事件的节点与本节点连通"},
    {"{} cannot be mended: nobody else holds it, for it never leaves this region; restore the journal from a backup",
     "{} 无法修复:这些事件不出本地区,别处没有;请从备份恢复日志"},
    {"{} cannot be mended: nobody else holds it; restore the journal from a backup", "{} 无法修复:别处没有;请从备份恢复日志"},
    {"the clock of {} is {} s ahead; its times are kept but not followed", "{} 的时钟快 {} 秒;其时间予以保留,但不跟随"},
    {"this node's clock is {} s behind what it showed or stamped before; stamps go on from there, but what depends on the "
     "present "
     "(expired alerts) is judged by the clock: set it right",
     "本节点时钟比以前显示或盖过的时间慢 {} 秒;时间戳从那里继续,但依赖当前时间的判断(如预警是否过期)以时钟为准:请校正时钟"},
    {"since the restore (epoch {}) the members have not shown what it holds of this region, so what was promised before may not "
     "be "
     "known here; reconnect and publish again, or let an officer override, on record: {}",
     "自恢复(纪元 "
     "{})以来,各成员尚未出示所存的本地区事件,此前的承诺本节点可能不知;请恢复连接后再发布,或由值班领导强制放行并留记录:{}"},
    {"since the restore (epoch {}) {} has not shown what it holds of this region, so what was promised before may not be known "
     "here; reconnect and publish again, or let an officer override, on record: {}",
     "自恢复(纪元 {})以来,{} "
     "尚未出示所存的本地区事件,此前的承诺本节点可能不知;请恢复连接后再发布,或由值班领导强制放行并留记录:{}"},
};

// Those that stand.
constexpr std::pair<std::string_view, const char*> kAlarms[] = {
    {"clock_ahead", "时钟偏快"}, {"clock_behind", "时钟偏慢"}, {"feed_ended", "流已到期"}, {"feed_forked", "流分叉"},
    {"fenced", "暂停调派"},      {"fork_claimed", "疑似分叉"}, {"former_gap", "往期有缺"}, {"journal_damaged", "日志损坏"},
};

// The values of the phrase in the text; nothing: it is another text.
bool fits(std::string_view phrase, std::string_view text, std::vector<std::string_view>& values) {
  values.clear();
  while (true) {
    const std::size_t gap = phrase.find("{}");
    const std::string_view words = phrase.substr(0, gap);
    if (text.substr(0, words.size()) != words) return false;
    text.remove_prefix(words.size());
    if (gap == std::string_view::npos) return text.empty();
    phrase.remove_prefix(gap + 2);
    const std::string_view next = phrase.substr(0, phrase.find("{}"));
    const std::size_t end = next.empty() ? text.size() : text.find(next, 1);
    if (end == std::string_view::npos || end == 0) return false;
    values.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

std::string value_text(std::string_view value, const Say& say) {
  for (auto code = RefusalCode::malformed; code <= RefusalCode::fenced; code = RefusalCode(static_cast<int>(code) + 1))
    if (to_word(code) == value) return refusal_word(code, say);
  return reason_text(value, say);
}

}  // namespace

std::string reason_text(std::string_view reason, const Say& say) {
  if (!say.chinese()) return std::string(reason);
  std::vector<std::string_view> values;
  for (const Phrase& phrase : kPhrases) {
    if (!fits(phrase.english, reason, values)) continue;
    std::string out;
    std::size_t number = 0;
    std::string_view rest = phrase.chinese;
    for (std::size_t gap = 0; (gap = rest.find("{}")) != std::string_view::npos; rest.remove_prefix(gap + 2))
      out += std::string(rest.substr(0, gap)) + value_text(values[number++], say);
    return out + std::string(rest);
  }
  return std::string(reason);
}

std::string alarm_word(std::string_view what, const Say& say) {
  if (say.chinese())
    for (const auto& [word, chinese] : kAlarms)
      if (word == what) return chinese + (" " + std::string(what));
  return std::string(what);
}

}  // namespace lianxi::cli
