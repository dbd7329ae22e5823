// The columns of table `resource`: values, and what events make of them.
#pragma once

#include <span>

#include "broker/store/map_feed.h"
#include "broker/store/projections/applied.h"
#include "broker/store/projections/row_cache.h"

namespace lianxi::store {

// What mobilisations hold of a resource.
struct Holdings {
  std::int64_t milli = 0;
  std::optional<ResourceState> state;
};

// A team, an expert or a piece of equipment without a quantity is one.
[[nodiscard]] std::int64_t whole_milli(ResourceType type, std::int64_t quantity_milli);
// The state that is asked for: what the record or its last change says; where that is `available` and nothing is left, the phase
// of what is held.
[[nodiscard]] ResourceState effective_state(ResourceState stated, std::int64_t whole_milli, const Holdings& held);
// What may still be asked for: nothing of what is not available.
[[nodiscard]] std::int64_t free_milli(ResourceState stated, std::int64_t whole_milli, const Holdings& held);

struct ResourceRecord {
  // What decides whether more than the changes must be written.
  struct Seen {
    Version removed = 0, record = 0, place_version = 0, contact_version = 0;
    std::string text;  // as the text index has it; empty: it has nothing
    [[nodiscard]] bool same_but_changes(const Seen& other) const {
      return removed == other.removed && record == other.record && place_version == other.place_version &&
             contact_version == other.contact_version;
    }
  };

  std::int64_t id = 0;
  RegionCode region;
  Version removed = 0;
  Version record = 0;
  std::int64_t type = 0;
  std::int64_t level = 0;
  std::string agency, name, owner, capabilities, unit, supply_code, attributes, answerable, answerable_phone, languages, on_call;
  std::optional<TimeMs> valid_from, valid_until;
  Version record_state_version = 0;  // of the last record that says its state
  std::int64_t record_state = 0;
  Version state_version = 0;  // of the last change of state alone, in a lane of its own
  std::int64_t changed_state = 0;
  TimeMs state_at = 0;
  Version quantity_version = 0;
  std::int64_t quantity_milli = 0;
  std::optional<std::int32_t> capacity, occupancy;
  Version place_version = 0;
  std::string place, address;  // where no event states it, the home region
  std::optional<double> lon, lat;
  std::string area;
  Version contact_version = 0;
  std::string contact, phone, contact_place, contact_agency;
  std::int64_t contact_level = 0;
  TimeMs bulk_at = 0;          // when the last event of any group but the state's was accepted
  Holdings held;               // derived
  Hash hash{};                 // as stored
  std::optional<Seen> stored;  // as stored; none: the table has no such row
  AudienceRow* audience = nullptr;

  [[nodiscard]] bool visible() const { return record > removed; }
  [[nodiscard]] bool has_contact() const { return contact_version > removed; }
  [[nodiscard]] Seen seen(bool actual) const;
  [[nodiscard]] std::string text() const;  // for the text index
  [[nodiscard]] Hash content_hash(const RowKey& key) const;
  [[nodiscard]] ResourceState stated() const {
    return static_cast<ResourceState>(state_version > record_state_version ? changed_state : record_state);
  }
  [[nodiscard]] std::int64_t whole() const { return whole_milli(static_cast<ResourceType>(type), quantity_milli); }
  [[nodiscard]] std::int64_t state() const { return static_cast<std::int64_t>(effective_state(stated(), whole(), held)); }
  [[nodiscard]] std::int64_t free() const { return free_milli(stated(), whole(), held); }
  [[nodiscard]] TimeMs updated_at() const { return std::max(bulk_at, state_at); }
  [[nodiscard]] Version last_bulk() const;
  [[nodiscard]] bool empty() const { return last_bulk() == 0 && state_version == 0; }
  [[nodiscard]] MapEntry entry(const RowKey& key) const;
  [[nodiscard]] std::string home_place() const;
  void take(const Envelope& envelope, const ResourceView& resource, Version version, TimeMs received_at);
  void drop(Lane lane, Version cut);

 private:
  void take_bulk(const Envelope& envelope, const ResourceView& resource, Version version);
  void take_record(const Envelope& envelope, const ResourceView& resource, Version version);
};

// How lists stand in a column, and back.
[[nodiscard]] std::string join_lines(std::span<const std::string_view> words);
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);
[[nodiscard]] std::string attributes_text(std::span<const NameValueView> attributes);
[[nodiscard]] std::vector<NameValue> attributes_of(std::string_view text);
[[nodiscard]] std::string searchable(std::string_view attributes);  // the column as text to find words in
[[nodiscard]] std::string on_call_text(std::span<const OnCall> times);
[[nodiscard]] std::vector<OnCall> on_call_of(const std::string& text);
[[nodiscard]] std::string area_text(std::span<const LonLat> ring);
[[nodiscard]] std::vector<LonLat> area_of(const std::string& text);

}  // namespace lianxi::store
