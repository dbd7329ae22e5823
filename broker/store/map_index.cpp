#include "broker/store/map_index.h"

#include <algorithm>

namespace lianxi::store {

void MapIndex::clear() {
  *this = MapIndex();
}

std::uint64_t MapIndex::bit_of_county(std::string_view place) {
  constexpr std::size_t kCountyDigits = 6;
  std::uint64_t number = 0;
  for (const char digit : place.substr(0, kCountyDigits)) number = number * 10 + static_cast<std::uint64_t>(digit - '0');
  return std::uint64_t{1} << (number * 0x9E3779B97F4A7C15U >> 58U);
}

const MapIndex::Rare* MapIndex::rare(Slot slot) const {
  if ((items_[slot].bits.marks & kRare) == 0) return nullptr;
  return &rare_.find(slot)->second;
}

MapIndex::Slot MapIndex::slot_of_row(std::int64_t id) const {
  const auto found = by_row_.find(id);
  return found == by_row_.end() ? kNone : found->second;
}

void MapIndex::apply(MapEntry entry) {
  Slot slot = slot_of_row(entry.id);
  if (!entry.visible && !entry.contact) {
    if (slot != kNone) drop(slot);
    return;
  }
  if (slot == kNone) slot = add(entry);
  fill(slot, entry);
}

MapIndex::Slot MapIndex::add(const MapEntry& entry) {
  Slot slot = 0;
  if (free_.empty()) {
    slot = static_cast<Slot>(items_.size());
    items_.emplace_back();
    cards_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Item& item = items_[slot];
  item = {};
  item.entity = keep(entry.entity);
  item.id = entry.id;
  item.audience = entry.audience;
  item.bits.slot = slot;
  by_row_[entry.id] = slot;
  const auto [run, at] = order_at(item.entity, item.audience);
  if (run == order_.size()) order_.emplace_back();
  std::vector<Slot>& slots = order_[run];
  slots.insert(slots.begin() + static_cast<std::ptrdiff_t>(at), slot);
  if (slots.size() > kRunSlots) {
    // What comes in order fills its runs.
    const std::size_t half = at + 1 == slots.size() ? slots.size() - 1 : slots.size() / 2;
    std::vector<Slot> rest(slots.begin() + static_cast<std::ptrdiff_t>(half), slots.end());
    slots.resize(half);
    order_.insert(order_.begin() + static_cast<std::ptrdiff_t>(run) + 1, std::move(rest));
  }
  mark_siblings(item.entity);
  return slot;
}

void MapIndex::drop(Slot slot) {
  Item& item = items_[slot];
  count(item, -1);
  lay(slot, std::nullopt, false);
  if ((item.bits.marks & kVisible) != 0) --visible_;
  const auto [run, at] = order_at(item.entity, item.audience);
  std::vector<Slot>& slots = order_[run];
  slots.erase(slots.begin() + static_cast<std::ptrdiff_t>(at));
  if (slots.empty()) order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(run));
  by_row_.erase(item.id);
  rare_.erase(slot);
  const std::string entity(item.entity);
  item = {};
  cards_[slot] = {};
  free_.push_back(slot);
  mark_siblings(entity);
}

void MapIndex::count(const Item& item, int by) {
  if ((item.bits.marks & kVisible) == 0) return;
  class_rows_[item.bits.row_class] += static_cast<std::uint64_t>(by);
  for (const std::uint32_t word : word_sets_[item.word_set]) word_rows_[word] += static_cast<std::uint64_t>(by);
}

void MapIndex::fill(Slot slot, MapEntry& entry) {
  Item& item = items_[slot];
  const bool was_visible = (item.bits.marks & kVisible) != 0;
  count(item, -1);
  cards_[slot] = std::move(entry.card);
  item.free_milli = entry.free_milli;
  item.bits.type = static_cast<std::uint8_t>(entry.type);
  item.bits.state = static_cast<std::uint8_t>(entry.state);
  item.word_set = words_of(entry);
  item.bits.words = 0;
  for (const std::uint32_t word : word_sets_[item.word_set]) item.bits.words |= bit_of_word(word);
  item.bits.row_class = class_of(entry);
  item.bits.places = classes_[item.bits.row_class].county;
  set_mark(slot, kVisible, entry.visible);
  set_mark(slot, kContact, entry.contact);
  item.capacity = entry.capacity.value_or(0);
  item.occupancy = entry.occupancy.value_or(0);
  const bool rare = entry.visible && (entry.valid_from || entry.valid_until || !entry.languages.empty() ||
                                      !entry.on_call.empty() || !entry.area.empty());
  set_mark(slot, kRare, rare);
  set_mark(slot, kArea, rare && !entry.area.empty());
  if (rare) {
    rare_[slot] = {entry.valid_from, entry.valid_until, entry.languages, entry.on_call, entry.area, box_of(entry.area)};
  } else {
    rare_.erase(slot);
  }
  visible_ += entry.visible ? 1 : 0;
  visible_ -= was_visible ? 1 : 0;
  count(item, 1);
  lay(slot, entry.location, entry.visible);
}

// Into the tree, out of it, or as it changes there.
void MapIndex::lay(Slot slot, const std::optional<LonLat>& location, bool visible) {
  Item& item = items_[slot];
  const auto told = [this](Slot other, MapTree::Place place) { items_[other].place = place; };
  const bool was = (item.bits.marks & kLocated) != 0;
  const bool is = visible && location.has_value();
  const bool same_place = was && is && item.bits.lon == location->lon && item.bits.lat == location->lat;
  if (same_place) return tree_.change(item.place, item.bits);
  if (was) tree_.remove(item.place, told);
  unlist(slot);
  set_mark(slot, kLocated, is);
  if (is) {
    item.bits.lon = location->lon;
    item.bits.lat = location->lat;
    const Xyz xyz = xyz_of(*location);
    for (std::size_t i = 0; i < 3; ++i) item.bits.xyz[i] = static_cast<float>(xyz[i]);
    tree_.insert(item.bits, told);
  } else if (visible) {
    list(slot);
  }
}

// What is not in the tree has its place in the list.
void MapIndex::list(Slot slot) {
  items_[slot].place.at = static_cast<std::uint32_t>(unlocated_.size());
  unlocated_.push_back(slot);
  set_mark(slot, kListed, true);
}

void MapIndex::unlist(Slot slot) {
  if ((items_[slot].bits.marks & kListed) == 0) return;
  const std::uint32_t at = items_[slot].place.at;
  unlocated_[at] = unlocated_.back();
  items_[unlocated_[at]].place.at = at;
  unlocated_.pop_back();
  set_mark(slot, kListed, false);
}

void MapIndex::set_mark(Slot slot, Mark mark, bool on) {
  std::uint16_t& marks = items_[slot].bits.marks;
  marks = static_cast<std::uint16_t>(on ? marks | mark : marks & ~unsigned{mark});
}

// Whether an entity's rows must be looked at together.
void MapIndex::mark_siblings(std::string_view entity) {
  const std::vector<Slot> rows = rows_of(entity);
  for (const Slot slot : rows) {
    const bool before = (items_[slot].bits.marks & kSiblings) != 0;
    if (before == (rows.size() > 1)) continue;
    set_mark(slot, kSiblings, rows.size() > 1);
    if ((items_[slot].bits.marks & kLocated) != 0) tree_.change(items_[slot].place, items_[slot].bits);
  }
}

std::uint32_t MapIndex::class_of(const MapEntry& entry) {
  RowClass row{entry.audience, entry.place, entry.agency, entry.level, bit_of_county(entry.place)};
  const auto [found, fresh] = class_numbers_.emplace(std::move(row), static_cast<std::uint32_t>(classes_.size()));
  if (fresh) {
    classes_.push_back(found->first);
    class_rows_.push_back(0);
  }
  return found->second;
}

std::uint32_t MapIndex::words_of(const MapEntry& entry) {
  std::vector<std::uint32_t> set;
  for (const std::string& word : entry.capabilities) {
    const auto [found, fresh] = word_numbers_.emplace(word, static_cast<std::uint32_t>(word_rows_.size()));
    if (fresh) word_rows_.push_back(0);
    set.push_back(found->second);
  }
  std::ranges::sort(set);
  set.erase(std::ranges::unique(set).begin(), set.end());
  const auto [found, fresh] = set_numbers_.emplace(set, static_cast<std::uint32_t>(word_sets_.size()));
  if (fresh) word_sets_.push_back(std::move(set));
  return found->second;
}

std::vector<std::uint32_t> MapIndex::words_of(const std::vector<std::string>& words) const {
  std::vector<std::uint32_t> numbers;
  for (const std::string& word : words)
    if (const auto found = word_numbers_.find(word); found != word_numbers_.end()) numbers.push_back(found->second);
  return numbers;
}

bool MapIndex::has_word(Slot slot, const std::vector<std::uint32_t>& words) const {
  const std::vector<std::uint32_t>& set = word_sets_[items_[slot].word_set];
  return std::ranges::any_of(words, [&](std::uint32_t word) { return std::ranges::binary_search(set, word); });
}

std::string_view MapIndex::keep(std::string_view text) {
  if (blocks_.empty() || blocks_.back().size() + text.size() > kBlockBytes) {
    blocks_.emplace_back();
    blocks_.back().reserve(kBlockBytes);
  }
  std::vector<char>& block = blocks_.back();
  const std::size_t at = block.size();
  block.insert(block.end(), text.begin(), text.end());  // never beyond what it reserved: views stay
  return {block.data() + at, text.size()};
}

std::pair<std::size_t, std::size_t> MapIndex::order_at(std::string_view entity, std::int64_t audience) const {
  const auto before = [&](Slot slot) {
    const Item& item = items_[slot];
    return item.entity != entity ? item.entity < entity : item.audience < audience;
  };
  const auto run = std::ranges::partition_point(order_, [&](const std::vector<Slot>& slots) { return before(slots.back()); });
  // Behind the last: at the end of the last run.
  if (run == order_.end()) {
    if (order_.empty()) return {0, 0};
    return {order_.size() - 1, order_.back().size()};
  }
  const auto at = std::ranges::partition_point(*run, before);
  return {static_cast<std::size_t>(run - order_.begin()), static_cast<std::size_t>(at - run->begin())};
}

void MapIndex::in_order(std::string_view from, const std::function<bool(Slot)>& visit) const {
  auto [run, at] = order_at(from, std::numeric_limits<std::int64_t>::min());
  for (; run < order_.size(); ++run, at = 0)
    for (; at < order_[run].size(); ++at)
      if (!visit(order_[run][at])) return;
}

std::vector<MapIndex::Slot> MapIndex::rows_of(std::string_view entity) const {
  std::vector<Slot> rows;
  in_order(entity, [&](Slot slot) {
    if (items_[slot].entity != entity) return false;
    rows.push_back(slot);
    return true;
  });
  return rows;
}

std::size_t MapIndex::bytes() const {
  constexpr std::size_t kTreeNode = 48;  // of a std::map or an unordered one, beside its value
  std::size_t bytes = tree_.bytes() + items_.capacity() * sizeof(Item) + by_row_.size() * (kTreeNode + 16) +
                      rare_.size() * (kTreeNode + sizeof(Rare)) + blocks_.size() * kBlockBytes;
  for (const auto& run : order_) bytes += run.capacity() * sizeof(Slot);
  constexpr std::size_t kBlock = 16;  // what malloc adds and rounds up to
  bytes += cards_.capacity() * sizeof(MapCard);
  for (const MapCard& card : cards_) bytes += card.kept() ? card.bytes() + kBlock : 0;
  return bytes;
}

}  // namespace lianxi::store
