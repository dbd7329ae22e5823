#include "schemas/map_names.h"

#include <algorithm>

namespace lianxi {

namespace {

// `place` with its beginning `from` become `to`: 330821101 with 330821 -> 330802 is 330802101.
std::optional<PlaceCode> moved(const PlaceCode& place, std::string_view from, const PlaceCode& to) {
  if (!place.text().starts_with(from) || to.text().size() != from.size()) return std::nullopt;
  auto code = PlaceCode::parse(to.text() + place.text().substr(from.size()));
  return code ? std::optional(*code) : std::nullopt;
}

std::string lower(std::string_view text) {
  std::string to(text);
  for (char& c : to)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return to;
}

}  // namespace

std::vector<PlaceCode> MapNames::places_of(const PlaceCode& place) const {
  std::vector<PlaceCode> places{place};
  const auto add = [&](const std::optional<PlaceCode>& code) {
    if (code && std::ranges::find(places, *code) == places.end()) places.push_back(*code);
  };
  for (const auto& [former, now] : aliases) {
    for (const PlaceCode& code : now) add(moved(place, former, code));
    const auto old = PlaceCode::parse(former);
    if (now.size() == 1 && old) add(moved(place, now.front().text(), *old));
    // A city that a county came to takes in what is filed under the county's former code.
    if (old && std::ranges::any_of(now, [&](const PlaceCode& code) { return place.covers(code); }) && !place.covers(*old) &&
        place.text() != now.front().text() && now.size() == 1)
      add(*old);
  }
  return places;
}

std::vector<std::string> MapNames::words_of(const std::string& asked) const {
  std::vector<std::string> words{asked};
  const std::string wanted = lower(asked);
  if (wanted != asked) words.push_back(wanted);
  for (const auto& [word, names] : capabilities) {
    const bool named = std::ranges::any_of(names, [&](const std::string& name) { return lower(name) == wanted; });
    if (named && std::ranges::find(words, word) == words.end()) words.push_back(word);
  }
  return words;
}

}  // namespace lianxi
