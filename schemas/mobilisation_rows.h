// What a node answers about mobilisations, as plain values: threads, what they ask for, who has answered, what is promised.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "schemas/event.h"

namespace lianxi {

struct AskMobilisations {
  std::string entity;  // one thread, with all its messages, of every status; what follows but the limit does not count then
  bool open = false;   // only what is not final
  std::string incident;
  std::optional<RegionCode> region;  // that asks, is asked, or has answered
  std::optional<PlaceCode> place;    // as for alerts
  bool drills = false;               // every status; else Actual
  std::uint32_t limit = 0;
  std::string after;  // cursor_of the last row that was had
  bool operator==(const AskMobilisations&) const = default;
};

// What was asked for, or offered to whoever wants it, and what came of it: disjoint sums over the holdings.
struct NeedRow {
  std::string id;
  std::optional<ResourceType> type;
  std::string capability, name;
  std::int64_t quantity_milli = 0;
  std::string unit;
  std::int64_t offered_milli = 0;      // offered, requisitioned
  std::int64_t provisional_milli = 0;  // while it holds
  std::int64_t committed_milli = 0;
  std::int64_t deployed_milli = 0;  // departed, arrived, extended, released, asked back, on its way home
  std::int64_t returned_milli = 0;
  bool operator==(const NeedRow&) const = default;
};
struct AddresseeRow {  // a member that is asked
  RegionCode region;
  Answering state{};            // answer_unknown: the deadline has passed, and nothing of an answer is known here
  std::optional<TimeMs> since;  // of its answer; of the deadline
  std::string reason;           // of a Decline
  bool operator==(const AddresseeRow&) const = default;
};
struct HoldingRow {      // one resource of one region for one item
  RegionCode region;     // the owner
  std::string resource;  // entity; empty: a region declined without naming one
  std::string name;
  std::string item;  // id of the need
  MobilisationState state{};
  bool held = false;  // it counts against the resource's quantity
  std::int64_t quantity_milli = 0;
  std::string unit;
  std::optional<TimeMs> eta;    // when it is to arrive, or has arrived
  std::optional<TimeMs> until;  // it is available so long; a provisional promise ends then
  TimeMs updated_at = 0;
  std::string reason;  // of a Decline or a recall
  bool operator==(const HoldingRow&) const = default;
};
struct ThreadMessageRow {
  RegionCode region;  // of the node that accepted it
  std::string publisher;
  TimeMs received_at = 0;
  Ordinal ordinal;
  Mobilisation message;
  bool operator==(const ThreadMessageRow&) const = default;
};
struct MobilisationRow {
  std::string id;
  Audience audience;
  Status status{};
  RegionCode region;  // that asks, or offers
  PlaceCode place;
  std::string agency;
  Level level{};
  std::string incident;  // entity
  std::string description;
  TimeMs sent = 0;
  std::optional<TimeMs> answer_by;
  MobilisationState state{};  // the furthest of the holdings that are not over; else how it ended, or requested
  bool open = false;          // not final
  TimeMs updated_at = 0;
  std::vector<NeedRow> needs;
  std::vector<AddresseeRow> members;       // by region
  std::vector<HoldingRow> holdings;        // by region, resource and item
  std::vector<ThreadMessageRow> messages;  // of one thread that was asked for; in the order of their times
  bool operator==(const MobilisationRow&) const = default;
};
// Newest first.
struct MobilisationRows {
  std::vector<MobilisationRow> rows;
  bool truncated = false;
  bool operator==(const MobilisationRows&) const = default;
};
// Where a list of mobilisations goes on behind this row: AskMobilisations.after.
[[nodiscard]] std::string cursor_of(const MobilisationRow& row);
struct MobilisationCursor {
  TimeMs sent = 0;
  Status status{};
  std::string id;
};
[[nodiscard]] Result<MobilisationCursor> parse_mobilisation_cursor(std::string_view text);

}  // namespace lianxi
