// Fields of a resource that files write as text: hours on call, areas, days of validity. A refusal has an empty field and says
// how it should read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/event.h"

namespace lianxi::formats {

// "mon-fri 08:00-18:00; sat 09:00-12:00", "周一至周五 08:00-18:00", "daily 22:00-06:00" (over midnight: two of them), "24h" or
// "全天": any time of the days. Beijing time.
[[nodiscard]] Result<std::vector<OnCall>> read_on_call(std::string_view text);
[[nodiscard]] std::string on_call_text(const std::vector<OnCall>& on_call);

// "POLYGON((lon lat, lon lat, ...))" or "lon lat; lon lat; ..."; closed if it is not.
[[nodiscard]] Result<std::vector<LonLat>> read_area(std::string_view text);
[[nodiscard]] std::string area_text(const std::vector<LonLat>& area);  // the first form

// "name=value; name=value"; in both a '\\' stands before a ';', '=' or '\\' of their own.
[[nodiscard]] Result<std::vector<NameValue>> read_attributes(std::string_view text);
[[nodiscard]] std::string attributes_text(const std::vector<NameValue>& attributes);

// A time with its offset, or a day: from its beginning, or up to its end, in Beijing.
[[nodiscard]] Result<TimeMs> read_day(std::string_view text, bool up_to_its_end);

[[nodiscard]] std::string degrees_text(double degrees);  // as short as reads back the same

}  // namespace lianxi::formats
