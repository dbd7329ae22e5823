// What each message of EDXL-RM 1.0 has room for. For edxl_rm*.cpp alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/event.h"

namespace lianxi::formats {

inline constexpr std::string_view kEdxlMessage = "urn:oasis:names:tc:emergency:EDXL:RM:1.0:msg";
inline constexpr std::string_view kEdxlCommon = "urn:oasis:names:tc:emergency:EDXL:RM:1.0";
// Our lists of values.
inline constexpr std::string_view kTypeUrn = "urn:lianxi:resource-type";
inline constexpr std::string_view kCapabilityUrn = "urn:lianxi:capability";
inline constexpr std::string_view kDeploymentUrn = "urn:lianxi:deployment";
inline constexpr std::string_view kUnitUrn = "urn:lianxi:unit";
inline constexpr std::string_view kReasonUrn = "urn:lianxi:reason";
// Instructions: what a message of ours says and the standard has no place for.
inline constexpr std::string_view kMessageNote = "lianxi-message";
inline constexpr std::string_view kFundingNote = "lianxi-funding";
inline constexpr std::string_view kItemNote = "lianxi-item";
inline constexpr std::string_view kScheduleNote = "lianxi-schedule";

enum class Need : std::uint8_t { no, may, must };

struct MessageShape {
  ResourceMessage message{};
  Need preceding{}, funding{}, items{}, answer{}, resource{}, status{};
  bool availability = false;  // in its status
  Need task{}, quantity{}, price{}, order{}, instructions{};
  std::uint32_t lacks = 0;
};
[[nodiscard]] const MessageShape& shape_of(ResourceMessage message);
[[nodiscard]] bool has_schedule(const MessageShape& shape, ScheduleType type);

// `name="value" other="value"` of an instruction. Reading refuses what is not of this form.
[[nodiscard]] std::string note_text(const std::vector<NameValue>& pairs);
[[nodiscard]] Result<std::vector<NameValue>> read_note(std::string_view text);

}  // namespace lianxi::formats
