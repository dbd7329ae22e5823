#include "agents/operator/words.h"

#include <array>
#include <cmath>
#include <utility>

namespace lianxi::cli {

std::string kind_word(Kind kind, const Say& say) {
  if (!say.chinese()) return std::string(to_word(kind));
  switch (kind) {
    case Kind::alert:
      return "预警";
    case Kind::incident:
      return "突发事件";
    case Kind::resource:
      return "资源";
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
