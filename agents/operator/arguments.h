// Values as people type them. A refusal (invalid_field) says what is wrong and how it should read, in the operator's language.
#pragma once

#include <chrono>

#include "agents/operator/settings.h"

namespace lianxi::cli {

[[nodiscard]] Result<LonLat> parse_near(const std::string& text, const Say& say);    // "118.958,28.973"
[[nodiscard]] Result<double> parse_within(const std::string& text, const Say& say);  // "50km", "800m" -> metres
[[nodiscard]] Result<std::chrono::milliseconds> parse_timeout(const std::string& text, const Say& say);  // "5", "5s", "500ms"
[[nodiscard]] Result<Circle> parse_area(const std::string& text, const Say& say);  // "118.958,28.973,5": 5 km around
// A file with points, or the points themselves: "118.8,28.9 119.0,28.9 119.0,29.1". Closed by itself.
[[nodiscard]] Result<std::vector<LonLat>> parse_polygon(const std::string& text, const Say& say);
// "beginning", "now", or "region:incarnation:offset" as `status` and `follow` print it.
[[nodiscard]] Result<void> parse_from(const std::string& text, const Say& say, FollowCommand& follow);
// An entity, "region/epoch/lane/audience/sequence", or an offset.
[[nodiscard]] Result<AskExplain> parse_event(const std::string& text, const Say& say);
[[nodiscard]] Result<Need> parse_need(const std::string& text, const Say& say);      // "team:hazmat=2支", "hazmat=2"
[[nodiscard]] Result<Picked> parse_picked(const std::string& text, const Say& say);  // "361100:resource:team-3=1支", or without =
[[nodiscard]] Result<When> parse_when(const std::string& text, const Say& say);  // "30m", "2h", "2d", or a time with its offset
[[nodiscard]] Result<LonLatBox> parse_box(const std::string& text, const Say& say);          // "118.8,28.9,119.0,29.1"
[[nodiscard]] Result<std::int64_t> parse_at_least(const std::string& text, const Say& say);  // "500", "2.5" -> thousandths
[[nodiscard]] std::string cursor_text(RegionCode node, Incarnation incarnation, Offset offset);

}  // namespace lianxi::cli
