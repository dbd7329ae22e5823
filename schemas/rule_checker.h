// What the rules of form are written with. For *_rules.cpp alone.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/event.h"
#include "schemas/limits.h"
#include "schemas/text.h"
#include "schemas/vocabulary.h"

namespace lianxi {

// Keeps the first fault with its path; every check after it does nothing.
class Checker {
 public:
  // The part of the path that holds while it lives: `infos[0]`.
  class Scope {
   public:
    Scope(Checker& checker, std::string_view name, std::size_t index) : checker_(checker) {
      checker_.path_.push_back({name, index});
    }
    ~Scope() { checker_.path_.pop_back(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Checker& checker_;
  };

  void fail(RefusalCode code, std::string_view field, std::string reason) {
    if (fault_) return;
    std::string path;
    for (const Step& step : path_) path += fmt::format("{}[{}].", step.name, step.index);
    path += field;
    fault_ = Refusal{code, std::move(path), std::move(reason), 0};
  }
  void invalid(std::string_view field, std::string reason) { fail(RefusalCode::invalid_field, field, std::move(reason)); }

  void text(std::string_view field, std::string_view value) {
    if (!value.empty() && !is_text(value)) invalid(field, "not UTF-8 text, or it holds control characters");
  }
  void line(std::string_view field, std::string_view value) {
    if (!value.empty() && !is_line(value)) invalid(field, "not one line of UTF-8 text without control characters");
  }
  void required_line(std::string_view field, std::string_view value) {
    if (value.empty()) return fail(RefusalCode::missing_field, field, "it is required and must not be empty");
    line(field, value);
  }
  void required_text(std::string_view field, std::string_view value) {
    if (value.empty()) return fail(RefusalCode::missing_field, field, "it is required and must not be empty");
    text(field, value);
  }
  void lines(std::string_view field, const std::vector<std::string>& values) {
    for (const std::string& value : values) line(field, value);
  }
  // CAP 1.2, 3.2.1: identifier and sender.
  void cap_name(std::string_view field, std::string_view value) {
    required_line(field, value);
    if (value.find_first_of(" \t,<&") != std::string_view::npos) {
      invalid(field, "CAP allows no space, comma, '<' or '&' here");
    }
  }
  template <class E>
  void known(std::string_view field, E value) {
    const auto number = static_cast<std::uint64_t>(value);
    if (!is_known<E>(number)) invalid(field, fmt::format("number {} is not of its vocabulary", number));
  }
  void time(std::string_view field, TimeMs value) {
    if (value < kMinTimeMs || value > kMaxTimeMs)
      invalid(field, "the time is outside the years 1 to 9999; give milliseconds since 1970");
  }
  void time(std::string_view field, const std::optional<TimeMs>& value) {
    if (value) time(field, *value);
  }
  void point(std::string_view field, const LonLat& value) {
    const bool on_earth = std::abs(value.lon) <= 180 && std::abs(value.lat) <= 90;  // false for what is not a number
    if (!on_earth) invalid(field, "longitude must be within -180..180 and latitude within -90..90 degrees");
  }
  void finite(std::string_view field, const std::optional<double>& value) {
    if (value && !std::isfinite(*value)) invalid(field, "it must be a finite number");
  }
  template <class T>
  void not_negative(std::string_view field, const std::optional<T>& value) {
    if (value && *value < 0) invalid(field, "it must not be negative");
  }
  template <class List>
  void name_values(std::string_view field, const List& values) {
    for (const auto& item : values) {
      line(field, item.name);
      text(field, item.value);
    }
  }
  [[nodiscard]] Result<void> result() && {
    if (fault_) return tl::unexpected(std::move(*fault_));
    return {};
  }

 private:
  struct Step {
    std::string_view name;
    std::size_t index;
  };
  std::vector<Step> path_;
  std::optional<Refusal> fault_;
};

template <class T, class Check>
void each(Checker& check, std::string_view name, const std::vector<T>& items, Check check_item) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Checker::Scope scope(check, name, i);
    check_item(check, items[i]);
  }
}

}  // namespace lianxi
