// Words of the standards: enum <-> word, exactly as CAP 1.2 and our own JSON, CSV and CLI spell them.
// `parse_word<E>(text)` is exact (case counts, as in CAP); a refusal lists the words that are right.
#pragma once

#include <span>
#include <string_view>

#include "schemas/event.h"

namespace lianxi {

enum class AlertState : std::uint8_t { active, superseded, cancelled, expired, dangling };

[[nodiscard]] std::string_view to_word(Kind);  // unknown numbers: "unknown"
[[nodiscard]] std::string_view to_word(Status);
[[nodiscard]] std::string_view to_word(Level);
[[nodiscard]] std::string_view to_word(MsgType);
[[nodiscard]] std::string_view to_word(Scope);
[[nodiscard]] std::string_view to_word(Category);
[[nodiscard]] std::string_view to_word(ResponseType);
[[nodiscard]] std::string_view to_word(Urgency);
[[nodiscard]] std::string_view to_word(Severity);
[[nodiscard]] std::string_view to_word(Certainty);
[[nodiscard]] std::string_view to_word(ReportType);
[[nodiscard]] std::string_view to_word(IncidentClass);
[[nodiscard]] std::string_view to_word(IncidentState);
[[nodiscard]] std::string_view to_word(ResourceType);
[[nodiscard]] std::string_view to_word(ResourceState);
[[nodiscard]] std::string_view to_word(ResourceChange);
[[nodiscard]] std::string_view to_word(ResourceGroup);
[[nodiscard]] std::string_view to_word(ResourceMessage);
[[nodiscard]] std::string_view to_word(Response);
[[nodiscard]] std::string_view to_word(Recall);
[[nodiscard]] std::string_view to_word(ScheduleType);
[[nodiscard]] std::string_view to_word(ContactRole);
[[nodiscard]] std::string_view to_word(Deployment);
[[nodiscard]] std::string_view to_word(MobilisationState);
[[nodiscard]] std::string_view to_word(Answering);
[[nodiscard]] std::string_view to_word(Overridden);
[[nodiscard]] std::string_view to_word(AlertState);

// Defined for every enum above and Lane. A wrong word is RefusalCode::invalid_field with an empty field.
template <class E>
[[nodiscard]] Result<E> parse_word(std::string_view word);

// True if `number` is a value of E; for numbers off the wire.
template <class E>
[[nodiscard]] bool is_known(std::uint64_t number);

// Chinese words for screens: 红 橙 黄 蓝, 队伍 专家 物资 装备 避灾安置场所 风险点, ...
[[nodiscard]] std::string_view to_chinese(Level);
[[nodiscard]] std::string_view to_chinese(Status);
[[nodiscard]] std::string_view to_chinese(ResourceType);
[[nodiscard]] std::string_view to_chinese(ResourceState);
[[nodiscard]] std::string_view to_chinese(ResourceMessage);
[[nodiscard]] std::string_view to_chinese(Response);
[[nodiscard]] std::string_view to_chinese(Deployment);
[[nodiscard]] std::string_view to_chinese(MobilisationState);
[[nodiscard]] std::string_view to_chinese(Answering);
[[nodiscard]] std::string_view to_chinese(AlertState);
[[nodiscard]] std::string_view to_chinese(IncidentState);
[[nodiscard]] std::string_view to_chinese(ReportType);
[[nodiscard]] std::string_view to_chinese(IncidentClass);

// CAP severity -> warning colour: Extreme red, Severe orange, Moderate yellow, Minor blue, Unknown none.
[[nodiscard]] Level level_of(Severity severity);

}  // namespace lianxi
