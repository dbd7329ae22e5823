#include "broker/store/map_search.h"

#include <algorithm>
#include <cmath>
#include <queue>

#include "broker/store/read_view.h"
#include "broker/store/spot_boxes.h"

namespace lianxi::store {

namespace {

constexpr std::uint8_t kNo = 1, kYes = 2;
constexpr std::size_t kFewMatches = 4'096;  // of a text: all are looked at
constexpr std::size_t kSelective = 16;      // a condition that one in so many passes is looked for, not stumbled on

template <class Enum>
std::uint32_t mask_of(const std::vector<Enum>& values) {
  if (values.empty()) return ~0U;
  std::uint32_t mask = 0;
  for (const Enum value : values) mask |= 1U << static_cast<unsigned>(value);
  return mask;
}

bool covers_any(const std::vector<PlaceCode>& places, const std::string& code) {
  return std::ranges::any_of(places, [&](const PlaceCode& place) { return code.starts_with(place.prefix()); });
}

void narrow(DegreeBox& to, const DegreeBox& box) {
  to = {std::max(to.west, box.west), std::max(to.south, box.south), std::min(to.east, box.east), std::min(to.north, box.north)};
}

}  // namespace

bool on_call_at(std::span<const OnCall> times, TimeMs at) {
  constexpr TimeMs kMinuteMs = 60'000, kDayMinutes = 24 * 60, kBeijingMinutes = 8 * 60;
  constexpr TimeMs kThursday = 3;  // 1970-01-01; Monday is 0
  if (times.empty()) return true;
  const TimeMs minutes = (at >= 0 ? at : at - kMinuteMs + 1) / kMinuteMs + kBeijingMinutes;
  const TimeMs day = (minutes >= 0 ? minutes : minutes - kDayMinutes + 1) / kDayMinutes;
  const TimeMs minute = minutes - day * kDayMinutes;
  const TimeMs weekday = ((day + kThursday) % 7 + 7) % 7;
  return std::ranges::any_of(times, [&](const OnCall& time) {
    return (time.days >> weekday & 1) != 0 && time.from_minute <= minute && minute < time.to_minute;
  });
}

bool speaks_any(const std::vector<std::string>& spoken, const std::vector<std::string>& asked) {
  const auto same = [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  };
  const auto begins = [&](const std::string& tag, const std::string& with) {
    return tag.size() >= with.size() && std::equal(with.begin(), with.end(), tag.begin(), same) &&
           (tag.size() == with.size() || tag[with.size()] == '-');
  };
  return std::ranges::any_of(asked, [&](const std::string& with) {
    return std::ranges::any_of(spoken, [&](const std::string& tag) { return begins(tag, with); });
  });
}

MapSearch::MapSearch(const MapIndex& index, const MapQuestion& question)
    : index_(index),
      question_(question),
      need_(need()),
      seen_(index.classes()),
      asked_(index.classes()),
      in_places_(question.areas.size(), std::vector<std::uint8_t>(index.classes())) {
  for (const MapArea& area : question.areas) {
    if (!area.has_shapes()) {
      need_.places &= counties_of(area.places);
      need_.any_places = false;
      continue;
    }
    shapes_ = true;
    if (area.places.empty()) narrow(need_.box, area.box());
  }
  if (!question.matches || question.matches->size() <= kFewMatches) return;
  matched_.resize(index.slots());
  for (const MapIndex::Slot slot : *question.matches) matched_[slot] = 1;
}

TreeNeed MapSearch::need() const {
  const AskResources& ask = question_.ask;
  TreeNeed need;
  need.types = mask_of(ask.types);
  need.states = mask_of(ask.states);
  if (ask.available) need.states &= 1U << static_cast<unsigned>(ResourceState::available);
  if (question_.words) {
    need.any_words = false;
    need.words = 0;
    for (const std::uint32_t word : *question_.words) need.words |= MapIndex::bit_of_word(word);
  }
  if (!question_.places.empty()) {
    need.any_places = false;
    need.places = counties_of(question_.places);
  }
  return need;
}

// Bits of the counties that rows in these places name.
std::uint64_t MapSearch::counties_of(const std::vector<PlaceCode>& places) const {
  std::uint64_t bits = 0;
  for (std::uint32_t i = 0; i < index_.classes(); ++i)
    if (covers_any(places, index_.row_class(i).place)) bits |= index_.row_class(i).county;
  return bits;
}

bool MapSearch::may_see(std::uint32_t row_class) {
  std::uint8_t& known = seen_[row_class];
  if (known == 0) known = question_.admits(index_.row_class(row_class)) ? kYes : kNo;
  return known == kYes;
}

bool MapSearch::keeps_class(std::uint32_t row_class) {
  std::uint8_t& known = asked_[row_class];
  if (known == 0) {
    const bool placed = question_.places.empty() || covers_any(question_.places, index_.row_class(row_class).place);
    known = placed && may_see(row_class) ? kYes : kNo;
  }
  return known == kYes;
}

bool MapSearch::keeps_rare(MapIndex::Slot slot, std::uint16_t marks) const {
  const AskResources& ask = question_.ask;
  const MapIndex::Rare* rare = (marks & MapIndex::kRare) != 0 ? index_.rare(slot) : nullptr;
  if (rare == nullptr) return ask.languages.empty();
  if (!ask.any_time && rare->valid_from && question_.valid_at < *rare->valid_from) return false;
  if (!ask.any_time && rare->valid_until && question_.valid_at >= *rare->valid_until) return false;
  if (!ask.languages.empty() && !speaks_any(rare->languages, ask.languages)) return false;
  return !ask.reachable_at || on_call_at(rare->on_call, *ask.reachable_at);
}

bool MapSearch::lies_in(MapIndex::Slot slot, const TreePoint& bits) {
  for (std::size_t i = 0; i < question_.areas.size(); ++i) {
    const MapArea& area = question_.areas[i];
    std::uint8_t& placed = in_places_[i][bits.row_class];
    if (placed == 0) placed = covers_any(area.places, index_.row_class(bits.row_class).place) ? kYes : kNo;
    if (placed == kYes) continue;
    if ((bits.marks & MapIndex::kLocated) != 0 && area.holds({bits.lon, bits.lat})) continue;
    if ((bits.marks & MapIndex::kArea) != 0 && area.meets(index_.rare(slot)->area)) continue;
    return false;
  }
  return true;
}

// A narrower row of the same resource that may be seen stands before it, whether or not that one is asked for.
bool MapSearch::is_hidden(MapIndex::Slot slot) {
  const MapIndex::Item& item = index_.item(slot);
  for (const MapIndex::Slot other : index_.rows_of(item.entity)) {
    const MapIndex::Item& row = index_.item(other);
    const bool stands = other != slot && (row.bits.marks & MapIndex::kVisible) != 0;
    if (stands && question_.narrower(row.audience, item.audience) && may_see(row.bits.row_class)) return true;
  }
  return false;
}

bool MapSearch::keeps(MapIndex::Slot slot, const TreePoint& bits) {
  if ((bits.marks & MapIndex::kVisible) == 0 || (need_.types >> bits.type & 1) == 0 || (need_.states >> bits.state & 1) == 0)
    return false;
  if (question_.words && (bits.words & need_.words) == 0) return false;
  if (question_.words && !index_.bits_are_words() && !index_.has_word(slot, *question_.words)) return false;
  if (!keeps_class(bits.row_class)) return false;
  if (!matched_.empty() && matched_[slot] == 0) return false;
  if (question_.ask.at_least_milli > 0 && index_.item(slot).free_milli < question_.ask.at_least_milli) return false;
  if (!keeps_rare(slot, bits.marks) || !lies_in(slot, bits)) return false;
  if ((bits.marks & MapIndex::kSiblings) != 0 && is_hidden(slot)) return false;
  return !question_.has_text || question_.has_text(slot);
}

void MapSearch::each_with_area(const std::function<void(MapIndex::Slot)>& visit) const {
  for (const auto& [slot, rare] : index_.rares())
    if (!rare.area.empty()) visit(slot);
}

// Whether what is asked for is better looked for by its places and words than met on a walk through all.
bool MapSearch::is_selective() {
  if (shapes_ || question_.matches) return true;
  std::uint64_t rows = index_.size();
  if (question_.words) {
    std::uint64_t with = 0;
    for (const std::uint32_t word : *question_.words) with += index_.rows_with(word);
    rows = std::min(rows, with);
  }
  if (!question_.places.empty() || !question_.areas.empty()) {
    std::uint64_t placed = 0;
    const auto in_all = [&](std::uint32_t row_class) {
      return std::ranges::all_of(question_.areas,
                                 [&](const MapArea& area) { return covers_any(area.places, index_.row_class(row_class).place); });
    };
    for (std::uint32_t i = 0; i < index_.classes(); ++i)
      if (index_.rows_in(i) > 0 && keeps_class(i) && in_all(i)) placed += index_.rows_in(i);
    rows = std::min(rows, placed);
  }
  return rows < index_.size() / kSelective;
}

// Every row that may be kept, once.
void MapSearch::each_matching(const std::function<void(MapIndex::Slot)>& visit) {
  if (question_.matches) {
    for (const MapIndex::Slot slot : *question_.matches) visit(slot);
    return;
  }
  const bool boxed = shapes_;
  index_.tree().each(need_, [&](const TreePoint& point) {
    if (!boxed || (point.marks & MapIndex::kArea) == 0) visit(point.slot);
  });
  if (boxed) each_with_area(visit);
  for (const MapIndex::Slot slot : index_.unlocated())
    if (!boxed || (index_.item(slot).bits.marks & MapIndex::kArea) == 0) visit(slot);
}

void MapSearch::each(const std::function<void(MapIndex::Slot)>& visit) {
  each_matching([&](MapIndex::Slot slot) {
    if (keeps(slot, index_.item(slot).bits)) visit(slot);
  });
}

std::vector<MapSearch::Found> MapSearch::run() {
  const auto nowhere = [](const MapArea& area) { return !area.has_shapes() && area.places.empty(); };
  if ((question_.words && question_.words->empty()) || std::ranges::any_of(question_.areas, nowhere)) return {};
  return question_.ask.near ? nearest() : by_id();
}

std::vector<MapSearch::Found> MapSearch::walk() {
  std::vector<Found> found;
  const std::string_view from = question_.after ? std::string_view(question_.after->id) : std::string_view();
  index_.in_order(from, [&](MapIndex::Slot slot) {
    const MapIndex::Item& item = index_.item(slot);
    if (question_.after && item.entity == from) return true;
    if (keeps(slot, item.bits)) found.push_back({slot, 0});
    return found.size() < question_.limit;
  });
  return found;
}

std::vector<MapSearch::Found> MapSearch::by_id() {
  if (!is_selective()) return walk();
  // The first so many: the last of them is on top.
  const auto before = [&](MapIndex::Slot a, MapIndex::Slot b) { return index_.item(a).entity < index_.item(b).entity; };
  std::priority_queue<MapIndex::Slot, std::vector<MapIndex::Slot>, decltype(before)> first(before);
  each_matching([&](MapIndex::Slot slot) {
    const MapIndex::Item& item = index_.item(slot);
    if (question_.after && item.entity <= question_.after->id) return;
    if (first.size() == question_.limit && !before(slot, first.top())) return;
    if (!keeps(slot, item.bits)) return;
    first.push(slot);
    if (first.size() > question_.limit) first.pop();
  });
  std::vector<Found> found(first.size());
  for (std::size_t i = found.size(); i-- > 0; first.pop()) found[i].slot = first.top();
  return found;
}

struct MapSearch::Candidate {
  MapIndex::Slot slot = 0;
  double chord_m = 0;
  double distance_m = -1;  // below 0: not measured yet
};

std::vector<MapSearch::Found> MapSearch::nearest() {
  const LonLat from = *question_.ask.near;
  const double within = std::min(question_.ask.within_m.value_or(kFarthest_m), kFarthest_m);
  const auto measure = [&](const TreePoint& p) { return geodesic_m(from, {p.lon, p.lat}); };
  const double behind = question_.after ? *question_.after->distance_m : 0;
  std::vector<Candidate> candidates;
  std::priority_queue<double> chords;  // of the nearest so many
  double bound = within;
  // What lies near the edge of the circle, or where the page before ended, is measured at once.
  const auto take = [&](const TreePoint& point, double chord) {
    if (chord > bound + kChordSlack_m) return bound;
    Candidate candidate{point.slot, chord};
    const double most = longest_way_m(chord + kChordSlack_m);
    if (question_.after && most < behind) return bound;
    if (!keeps(point.slot, point)) return bound;
    if (most > within || (question_.after && chord - kChordSlack_m <= behind)) {
      candidate.distance_m = measure(point);
      if (candidate.distance_m > within) return bound;
      if (question_.after && std::pair(candidate.distance_m, index_.item(point.slot).entity) <=
                                 std::pair(behind, std::string_view(question_.after->id)))
        return bound;
    }
    candidates.push_back(candidate);
    __builtin_prefetch(&index_.item(point.slot));
    chords.push(chord);
    if (chords.size() > question_.limit) chords.pop();
    if (chords.size() == question_.limit) bound = std::min(bound, longest_way_m(chords.top() + kChordSlack_m));
    return bound;
  };
  const Xyz centre = xyz_of(from);
  const auto take_slot = [&](MapIndex::Slot slot) {
    const TreePoint& point = index_.item(slot).bits;
    if ((point.marks & MapIndex::kLocated) == 0) return;
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) sum += (centre[i] - point.xyz[i]) * (centre[i] - point.xyz[i]);
    (void)take(point, std::sqrt(sum));
  };
  if (question_.matches && matched_.empty()) {
    for (const MapIndex::Slot slot : *question_.matches) take_slot(slot);
  } else {
    if (shapes_) each_with_area(take_slot);
    index_.tree().nearest(from, need_, bound, behind, [&](const TreePoint& point, double chord) {
      return shapes_ && (point.marks & MapIndex::kArea) != 0 ? bound : take(point, chord);
    });
  }
  std::vector<Found> found;
  for (const Candidate& candidate : candidates) {
    if (candidate.chord_m > bound + kChordSlack_m) continue;
    const double distance = candidate.distance_m >= 0 ? candidate.distance_m : measure(index_.item(candidate.slot).bits);
    found.push_back({candidate.slot, distance});
  }
  std::ranges::sort(found, [&](const Found& a, const Found& b) {
    return std::pair(a.distance_m, index_.item(a.slot).entity) < std::pair(b.distance_m, index_.item(b.slot).entity);
  });
  if (found.size() > question_.limit) found.resize(question_.limit);
  return found;
}

}  // namespace lianxi::store
