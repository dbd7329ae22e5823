#include "agents/operator/words.h"

#include <array>
#include <cmath>
#include <utility>

namespace lianxi::cli {
namespace {

const char* chinese_of(RefusalCode code) {
  switch (code) {
    case RefusalCode::malformed:
      return "格式错误";
    case RefusalCode::oversize:
      return "超出大小上限";
    case RefusalCode::unsupported_version:
      return "版本不支持";
    case RefusalCode::unknown_type:
      return "消息类型未知";
    case RefusalCode::unknown_kind:
      return "事件种类未知";
    case RefusalCode::not_allowed:
      return "无权限";
    case RefusalCode::wrong_lane:
      return "通道不符";
    case RefusalCode::invalid_field:
      return "字段有误";
    case RefusalCode::missing_field:
      return "缺少字段";
    case RefusalCode::not_home:
      return "非本地市管辖";
    case RefusalCode::conflict:
      return "内容冲突";
    case RefusalCode::sequence_gap:
      return "序号不连续";
    case RefusalCode::sequence_reused:
      return "序号重复";
    case RefusalCode::session_unknown:
      return "会话未知";
    case RefusalCode::too_many_sessions:
      return "会话过多";
    case RefusalCode::busy:
      return "节点繁忙";
    case RefusalCode::disk_full:
      return "磁盘空间不足";
    case RefusalCode::cursor_unknown:
      return "游标无效";
    case RefusalCode::too_many_followers:
      return "订阅过多";
    case RefusalCode::cap_rule:
      return "不符合 CAP 规范";
    case RefusalCode::csv_row:
      return "CSV 行有误";
    case RefusalCode::unknown_key:
      return "密钥未登记";
    case RefusalCode::feed_broken:
      return "数据流校验失败";
    case RefusalCode::feed_forked:
      return "数据流分叉";
    case RefusalCode::not_found:
      return "未找到";
    case RefusalCode::deadline:
      return "超时";
    case RefusalCode::wrong_region:
      return "地市不符";
    case RefusalCode::config:
      return "配置有误";
    case RefusalCode::internal:
      return "内部错误";
    case RefusalCode::fenced:
      return "恢复后暂停调派";
  }
  return "";
}

}  // namespace

std::string refusal_word(RefusalCode code, const Say& say) {
  std::string text(to_word(code));
  const std::string chinese = say.chinese() ? chinese_of(code) : "";
  return chinese.empty() ? text : chinese + " " + text;
}

std::string kind_word(Kind kind, const Say& say) {
  if (!say.chinese()) return std::string(to_word(kind));
  switch (kind) {
    case Kind::alert:
      return "预警";
    case Kind::incident:
      return "突发事件";
    case Kind::resource:
      return "资源";
    case Kind::mobilisation:
      return "资源调度";
    case Kind::override:
      return "人工放行";
    default:
      return std::string(to_word(kind));
  }
}

std::string agency_word(const std::string& agency, const Say& say) {
  if (!say.chinese()) return agency;
  if (agency == "emergency") return "应急";
  if (agency == "police") return "公安";
  if (agency == "fire") return "消防";
  return agency;
}

std::string distance_text(std::optional<double> metres) {
  if (!metres) return "-";
  if (*metres < 1000) return std::to_string(std::lround(*metres)) + " m";
  const long tenths = std::lround(*metres / 100);
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " km";
}

std::string quantity_text(std::int64_t quantity_milli, const std::string& unit) {
  if (quantity_milli == 0 && unit.empty()) return "-";
  const std::uint64_t size =
      quantity_milli < 0 ? 0 - static_cast<std::uint64_t>(quantity_milli) : static_cast<std::uint64_t>(quantity_milli);
  std::string text = (quantity_milli < 0 ? "-" : "") + std::to_string(size / 1000);
  if (size % 1000 != 0) {
    std::string fraction = std::to_string(1000 + size % 1000).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    text += "." + fraction;
  }
  return unit.empty() ? text : text + " " + unit;
}

std::string casualties_text(const IncidentReport& report, const Say& say) {
  const std::array<std::pair<std::optional<std::int32_t>, const char*>, 5> numbers{{{report.deaths, say("dead", "死亡")},
                                                                                    {report.missing, say("missing", "失踪")},
                                                                                    {report.injured, say("injured", "受伤")},
                                                                                    {report.trapped, say("trapped", "被困")},
                                                                                    {report.affected, say("affected", "受灾")}}};
  std::string text;
  for (const auto& [number, name] : numbers) {
    if (!number) continue;
    if (!text.empty()) text += ' ';
    text += std::string(name) + " " + std::to_string(*number);
  }
  return text;
}

}  // namespace lianxi::cli
