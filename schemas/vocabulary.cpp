#include "schemas/vocabulary.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <array>

namespace lianxi {
namespace {

// The words of E, at the index of their number. Numbers of every vocabulary are dense from 0.
template <class E>
constexpr std::array<std::string_view, 0> kWords{};
template <class E>
constexpr std::array<std::string_view, 0> kChinese{};

template <>
constexpr std::array<std::string_view, 17> kWords<Kind>{
    "unknown",        "alert", "incident", "resource",    "mobilisation", "roll_call", "call_out",  "conference", "duty",
    "response_level", "plan",  "drill",    "site_report", "attachment",   "retention", "redaction", "override"};
template <>
constexpr std::array<std::string_view, 5> kWords<Status>{"Actual", "Exercise", "System", "Test", "Draft"};
template <>
constexpr std::array<std::string_view, 5> kWords<Level>{"none", "red", "orange", "yellow", "blue"};
template <>
constexpr std::array<std::string_view, 5> kWords<MsgType>{"Alert", "Update", "Cancel", "Ack", "Error"};
template <>
constexpr std::array<std::string_view, 3> kWords<Scope>{"Public", "Restricted", "Private"};
template <>
constexpr std::array<std::string_view, 12> kWords<Category>{"Geo",    "Met", "Safety",    "Security", "Rescue", "Fire",
                                                            "Health", "Env", "Transport", "Infra",    "CBRNE",  "Other"};
template <>
constexpr std::array<std::string_view, 9> kWords<ResponseType>{"Shelter", "Evacuate", "Prepare",  "Execute", "Avoid",
                                                               "Monitor", "Assess",   "AllClear", "None"};
template <>
constexpr std::array<std::string_view, 5> kWords<Urgency>{"Immediate", "Expected", "Future", "Past", "Unknown"};
template <>
constexpr std::array<std::string_view, 5> kWords<Severity>{"Extreme", "Severe", "Moderate", "Minor", "Unknown"};
template <>
constexpr std::array<std::string_view, 5> kWords<Certainty>{"Observed", "Likely", "Possible", "Unlikely", "Unknown"};
template <>
constexpr std::array<std::string_view, 3> kWords<ReportType>{"first", "follow_up", "final"};
template <>
constexpr std::array<std::string_view, 5> kWords<IncidentClass>{"unknown", "natural_disaster", "accident", "public_health",
                                                                "social_security"};
template <>
constexpr std::array<std::string_view, 5> kWords<IncidentState>{"reported", "verified", "responding", "controlled", "closed"};
template <>
constexpr std::array<std::string_view, 6> kWords<ResourceType>{"team", "expert", "supply", "equipment", "shelter", "site"};
template <>
constexpr std::array<std::string_view, 6> kWords<ResourceState>{"available",      "reserved",  "deployed",
                                                                "out_of_service", "committed", "returning"};
template <>
constexpr std::array<std::string_view, 6> kWords<ResourceChange>{"upsert", "state", "quantity", "place", "remove", "contact"};
template <>
constexpr std::array<std::string_view, kResourceGroups> kWords<ResourceGroup>{"state", "quantity", "place", "contact"};
template <>
constexpr std::array<std::string_view, 16> kWords<ResourceMessage>{"RequestResource",
                                                                   "ResponseToRequestResource",
                                                                   "RequisitionResource",
                                                                   "CommitResource",
                                                                   "RequestInformation",
                                                                   "ResponseToRequestInformation",
                                                                   "OfferUnsolicitedResource",
                                                                   "ReleaseResource",
                                                                   "RequestReturn",
                                                                   "ResponseToRequestReturn",
                                                                   "RequestQuote",
                                                                   "ResponseToRequestQuote",
                                                                   "RequestResourceDeploymentStatus",
                                                                   "ReportResourceDeploymentStatus",
                                                                   "RequestExtendedDeploymentDuration",
                                                                   "ResponseToRequestExtendedDeploymentDuration"};
template <>
constexpr std::array<std::string_view, 3> kWords<Response>{"Accept", "Decline", "Provisional"};
template <>
constexpr std::array<std::string_view, 2> kWords<Recall>{"Update", "Cancel"};
template <>
constexpr std::array<std::string_view, 18> kWords<ScheduleType>{"RequestedArrival",
                                                                "EstimatedArrival",
                                                                "ActualArrival",
                                                                "RequestedDeparture",
                                                                "EstimatedDeparture",
                                                                "ActualDeparture",
                                                                "RequestedReturnDeparture",
                                                                "EstimatedReturnDeparture",
                                                                "ActualReturnDeparture",
                                                                "RequestedReturnArrival",
                                                                "EstimatedReturnArrival",
                                                                "ActualReturnArrival",
                                                                "BeginAvailable",
                                                                "EndAvailable",
                                                                "Committed",
                                                                "Current",
                                                                "ReportTo",
                                                                "Route"};
template <>
constexpr std::array<std::string_view, 6> kWords<ContactRole>{"Sender",   "Requester",     "SubjectMatterExpert",
                                                              "Approver", "RespondingOrg", "OwningOrg"};
template <>
constexpr std::array<std::string_view, 5> kWords<Deployment>{"none", "departed", "arrived", "returning", "returned"};
template <>
constexpr std::array<std::string_view, 14> kWords<MobilisationState>{
    "offered",  "requested", "provisional",      "requisitioned", "committed", "departed", "arrived",
    "extended", "released",  "return_requested", "returning",     "returned",  "declined", "recalled"};
template <>
constexpr std::array<std::string_view, 4> kWords<Answering>{"waiting", "answered", "declined", "answer_unknown"};
template <>
constexpr std::array<std::string_view, 1> kWords<Overridden>{"fence"};
template <>
constexpr std::array<std::string_view, 5> kWords<AlertState>{"active", "superseded", "cancelled", "expired", "dangling"};
template <>
constexpr std::array<std::string_view, 3> kWords<Lane>{"flash", "normal", "bulk"};
template <>
constexpr std::array<std::string_view, 31> kWords<RefusalCode>{
    "unknown",       "malformed",       "oversize",        "unsupported_version",
    "unknown_type",  "unknown_kind",    "not_allowed",     "wrong_lane",
    "invalid_field", "missing_field",   "not_home",        "conflict",
    "sequence_gap",  "sequence_reused", "session_unknown", "too_many_sessions",
    "busy",          "disk_full",       "cursor_unknown",  "too_many_followers",
    "cap_rule",      "csv_row",         "unknown_key",     "feed_broken",
    "feed_forked",   "not_found",       "deadline",        "wrong_region",
    "config",        "internal",        "fenced"};
template <>
constexpr std::array<std::string_view, 5> kChinese<Level>{"无", "红色", "橙色", "黄色", "蓝色"};
template <>
constexpr std::array<std::string_view, 5> kChinese<Status>{"实战", "演练", "系统", "测试", "草稿"};
template <>
constexpr std::array<std::string_view, 6> kChinese<ResourceType>{"队伍", "专家", "物资", "装备", "避灾安置场所", "风险点"};
template <>
constexpr std::array<std::string_view, 6> kChinese<ResourceState>{"可用", "已预留", "已出动", "停用", "已承诺", "返程中"};
template <>
constexpr std::array<std::string_view, 16> kChinese<ResourceMessage>{
    "请求资源", "答复资源请求", "征用资源", "承诺资源", "请求信息",     "答复信息请求", "主动提供资源", "释放资源",
    "请求归还", "答复归还请求", "询价",     "答复询价", "询问部署状态", "报告部署状态", "请求延长部署", "答复延长请求"};
template <>
constexpr std::array<std::string_view, 3> kChinese<Response>{"同意", "婉拒", "暂定"};
template <>
constexpr std::array<std::string_view, 5> kChinese<Deployment>{"未出动", "已出发", "已到达", "返程中", "已归还"};
template <>
constexpr std::array<std::string_view, 14> kChinese<MobilisationState>{"已提供", "已请求", "暂定",   "已征用", "已承诺",
                                                                       "已出发", "已到达", "已延长", "已释放", "待归还",
                                                                       "返程中", "已归还", "已婉拒", "已撤回"};
template <>
constexpr std::array<std::string_view, 4> kChinese<Answering>{"等待答复", "已答复", "已婉拒", "答复未知"};
template <>
constexpr std::array<std::string_view, 5> kChinese<AlertState>{"生效", "已更新", "已取消", "已过期", "待关联"};
template <>
constexpr std::array<std::string_view, 5> kChinese<IncidentState>{"已上报", "已核实", "处置中", "已控制", "已结束"};
template <>
constexpr std::array<std::string_view, 3> kChinese<ReportType>{"初报", "续报", "终报"};
template <>
constexpr std::array<std::string_view, 5> kChinese<IncidentClass>{"未分类", "自然灾害", "事故灾难", "公共卫生", "社会安全"};

template <class E, std::size_t N>
std::string_view word_at(const std::array<std::string_view, N>& words, E value) {
  const auto number = static_cast<std::size_t>(value);
  return number < N ? words[number] : std::string_view("unknown");
}

}  // namespace

template <class E>
Result<E> parse_word(std::string_view word) {
  const auto& words = kWords<E>;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == word) return static_cast<E>(i);
  }
  constexpr std::size_t kShown = 60;
  return refuse(RefusalCode::invalid_field, "",
                fmt::format("'{}' is not one of: {}", word.substr(0, kShown), fmt::join(words, ", ")));
}

template <class E>
bool is_known(std::uint64_t number) {
  return number < kWords<E>.size();
}

// Defines what the header promises for one vocabulary.
#define LIANXI_VOCABULARY(E)                          \
  template Result<E> parse_word<E>(std::string_view); \
  template bool is_known<E>(std::uint64_t);
#define LIANXI_WORDS(E)               \
  std::string_view to_word(E value) { \
    return word_at(kWords<E>, value); \
  }                                   \
  LIANXI_VOCABULARY(E)

LIANXI_VOCABULARY(Lane)
LIANXI_WORDS(Kind)
LIANXI_WORDS(Status)
LIANXI_WORDS(Level)
LIANXI_WORDS(MsgType)
LIANXI_WORDS(Scope)
LIANXI_WORDS(Category)
LIANXI_WORDS(ResponseType)
LIANXI_WORDS(Urgency)
LIANXI_WORDS(Severity)
LIANXI_WORDS(Certainty)
LIANXI_WORDS(ReportType)
LIANXI_WORDS(IncidentClass)
LIANXI_WORDS(IncidentState)
LIANXI_WORDS(ResourceType)
LIANXI_WORDS(ResourceState)
LIANXI_WORDS(ResourceChange)
LIANXI_WORDS(ResourceGroup)
LIANXI_WORDS(ResourceMessage)
LIANXI_WORDS(Response)
LIANXI_WORDS(Recall)
LIANXI_WORDS(ScheduleType)
LIANXI_WORDS(ContactRole)
LIANXI_WORDS(Deployment)
LIANXI_WORDS(MobilisationState)
LIANXI_WORDS(Answering)
LIANXI_WORDS(Overridden)
LIANXI_WORDS(AlertState)
LIANXI_WORDS(RefusalCode)

#undef LIANXI_WORDS
#undef LIANXI_VOCABULARY

std::string_view to_chinese(Level value) {
  return word_at(kChinese<Level>, value);
}
std::string_view to_chinese(Status value) {
  return word_at(kChinese<Status>, value);
}
std::string_view to_chinese(ResourceType value) {
  return word_at(kChinese<ResourceType>, value);
}
std::string_view to_chinese(ResourceState value) {
  return word_at(kChinese<ResourceState>, value);
}
std::string_view to_chinese(ResourceMessage value) {
  return word_at(kChinese<ResourceMessage>, value);
}
std::string_view to_chinese(Response value) {
  return word_at(kChinese<Response>, value);
}
std::string_view to_chinese(Deployment value) {
  return word_at(kChinese<Deployment>, value);
}
std::string_view to_chinese(MobilisationState value) {
  return word_at(kChinese<MobilisationState>, value);
}
std::string_view to_chinese(Answering value) {
  return word_at(kChinese<Answering>, value);
}
std::string_view to_chinese(AlertState value) {
  return word_at(kChinese<AlertState>, value);
}
std::string_view to_chinese(IncidentState value) {
  return word_at(kChinese<IncidentState>, value);
}
std::string_view to_chinese(ReportType value) {
  return word_at(kChinese<ReportType>, value);
}
std::string_view to_chinese(IncidentClass value) {
  return word_at(kChinese<IncidentClass>, value);
}

Level level_of(Severity severity) {
  switch (severity) {
    case Severity::Extreme:
      return Level::red;
    case Severity::Severe:
      return Level::orange;
    case Severity::Moderate:
      return Level::yellow;
    case Severity::Minor:
      return Level::blue;
    case Severity::Unknown:
      break;
  }
  return Level::none;
}

}  // namespace lianxi
