// The visible resources of a view in memory, as the tables have them at one offset: what questions about places, words, states
// and quantities are answered from, without reading a row. Made from the tables, then kept by the view's feed (map_feed.h).
// One thread: the one that asks. About 500 bytes a resource.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "broker/store/map_feed.h"
#include "broker/store/map_tree.h"

namespace lianxi::store {

class MapIndex {
 public:
  using Slot = std::uint32_t;
  static constexpr Slot kNone = ~Slot{0};
  static constexpr std::uint32_t kWordBits = 64;

  // What rights judge, and a place: rows share it by the thousand.
  struct RowClass {
    std::int64_t audience = 0;
    std::string place, agency;
    Level level{};
    std::uint64_t county = 0;  // its bit in the tree
    auto operator<=>(const RowClass&) const = default;
  };
  // What few rows say.
  struct Rare {
    std::optional<TimeMs> valid_from, valid_until;
    std::vector<std::string> languages;
    std::vector<OnCall> on_call;
    std::vector<LonLat> area;
    DegreeBox area_box{1, 1, -1, -1};
  };
  enum Mark : std::uint16_t {
    kVisible = 1,  // else the row states a contact alone
    kContact = 2,
    kSiblings = 4,  // other rows of the same resource, to other audiences
    kLocated = 8,
    kRare = 16,
    kArea = 32,
    kListed = 64,
  };

  struct Item {
    std::string_view entity;
    std::int64_t id = 0;
    std::int64_t audience = 0;
    std::int64_t free_milli = 0;
    MapTree::Place place;
    TreePoint bits;  // of what is in the tree, the same but for its place
    std::uint32_t word_set = 0;
    std::int32_t capacity = 0, occupancy = 0;  // 0: it names none
  };

  void clear();
  // Rows that come in order of entity and audience are the cheapest.
  void apply(MapEntry entry);
  [[nodiscard]] std::size_t size() const { return visible_; }

  [[nodiscard]] const Item& item(Slot slot) const { return items_[slot]; }
  [[nodiscard]] const RowClass& row_class(std::uint32_t number) const { return classes_[number]; }
  [[nodiscard]] std::size_t classes() const { return classes_.size(); }
  [[nodiscard]] const Rare* rare(Slot slot) const;
  [[nodiscard]] const MapCard& card(Slot slot) const { return cards_[slot]; }
  [[nodiscard]] Slot slot_of_row(std::int64_t id) const;
  [[nodiscard]] const MapTree& tree() const { return tree_; }
  // Numbers of those words that any row has.
  [[nodiscard]] std::vector<std::uint32_t> words_of(const std::vector<std::string>& words) const;
  [[nodiscard]] bool has_word(Slot slot, const std::vector<std::uint32_t>& words) const;
  // Each word has a bit of its own: a row whose bits are asked for has the word.
  [[nodiscard]] bool bits_are_words() const { return word_rows_.size() <= kWordBits; }
  [[nodiscard]] std::uint64_t rows_with(std::uint32_t word) const { return word_rows_[word]; }
  [[nodiscard]] std::uint64_t rows_in(std::uint32_t row_class) const { return class_rows_[row_class]; }
  // Rows of one entity, and all in order of (entity, audience) from a key on; contacts alone are among them. `visit` ends it
  // by returning false.
  void in_order(std::string_view from, const std::function<bool(Slot)>& visit) const;
  [[nodiscard]] std::vector<Slot> rows_of(std::string_view entity) const;
  [[nodiscard]] const std::unordered_map<Slot, Rare>& rares() const { return rare_; }
  [[nodiscard]] const std::vector<Slot>& unlocated() const { return unlocated_; }  // visible ones
  [[nodiscard]] std::size_t slots() const { return items_.size(); }
  [[nodiscard]] std::size_t bytes() const;

  [[nodiscard]] static std::uint64_t bit_of_word(std::uint32_t word) { return std::uint64_t{1} << (word % kWordBits); }
  [[nodiscard]] static std::uint64_t bit_of_county(std::string_view place);

 private:
  static constexpr std::size_t kRunSlots = 512;
  static constexpr std::size_t kBlockBytes = 1 << 20;

  Slot add(const MapEntry& entry);
  void drop(Slot slot);
  void fill(Slot slot, MapEntry& entry);
  void lay(Slot slot, const std::optional<LonLat>& location, bool visible);
  void mark_siblings(std::string_view entity);
  void set_mark(Slot slot, Mark mark, bool on);
  std::uint32_t class_of(const MapEntry& entry);
  std::uint32_t words_of(const MapEntry& entry);
  void count(const Item& item, int by);
  std::string_view keep(std::string_view text);
  [[nodiscard]] std::pair<std::size_t, std::size_t> order_at(std::string_view entity, std::int64_t audience) const;
  void list(Slot slot);  // among the unlocated
  void unlist(Slot slot);

  MapTree tree_;
  std::vector<Item> items_;
  std::vector<MapCard> cards_;  // beside them: a search reads none
  std::vector<Slot> free_;
  std::unordered_map<std::int64_t, Slot> by_row_;
  std::unordered_map<Slot, Rare> rare_;
  std::vector<std::vector<Slot>> order_;  // runs, each not empty
  std::vector<Slot> unlocated_;
  std::vector<RowClass> classes_;
  std::map<RowClass, std::uint32_t> class_numbers_;
  std::vector<std::uint64_t> class_rows_;
  std::map<std::string, std::uint32_t, std::less<>> word_numbers_;
  std::vector<std::uint64_t> word_rows_;
  std::vector<std::vector<std::uint32_t>> word_sets_;
  std::map<std::vector<std::uint32_t>, std::uint32_t> set_numbers_;
  std::vector<std::vector<char>> blocks_;  // of entities' text
  std::size_t visible_ = 0;
};

}  // namespace lianxi::store
