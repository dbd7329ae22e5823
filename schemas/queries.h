// What is asked of a node's view, and what it answers, as plain values. Field meanings stand in wire/query.fbs and its
// neighbours.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schemas/event.h"
#include "schemas/membership.h"
#include "schemas/mobilisation_rows.h"

namespace lianxi {

struct LonLatBox {  // degrees; does not cross the date line
  double west = 0, south = 0, east = 0, north = 0;
  bool operator==(const LonLatBox&) const = default;
};
// All that is given must hold. Nearest first with `near`, else by id; what lies nowhere has no place in the first order.
struct AskResources {
  std::optional<LonLat> near;
  std::optional<double> within_m;  // needs `near`
  std::vector<ResourceType> types;
  std::string capability;              // a word of the resources, or what the node's [map] file calls it in Chinese or English
  std::optional<PlaceCode> place;      // with all below, and what took a former code's place
  bool available = false;              // the effective state is available
  std::uint32_t limit = 0;             // 0: kDefaultQueryLimit
  std::vector<LonLat> polygon;         // closed ring; where a resource lies, or its area, is in it or touches it
  std::optional<LonLatBox> box;        // likewise
  std::string alert;                   // entity: likewise in its polygons and circles, or in the places of its geocodes
  std::string text;                    // every word of it stands in name, owner, address, capabilities or attributes
  std::vector<ResourceState> states;   // effective ones
  std::int64_t at_least_milli = 0;     // so much is free
  std::vector<std::string> languages;  // any of them; "zh" takes in "zh-CN"
  std::optional<TimeMs> reachable_at;  // its times on call hold this moment, or it has none
  std::string after;                   // ResourceRows.next of the answer before, of the same question
  std::optional<TimeMs> valid_at;      // absent: now, by the node's clock
  bool any_time = false;               // valid or not, whatever valid_at says
  bool operator==(const AskResources&) const = default;
};
// How many resources there are, by county and type. What may not be seen is not counted.
struct AskTotals {
  std::optional<PlaceCode> place;  // as for resources
  std::vector<ResourceType> types;
  std::string capability;
  bool operator==(const AskTotals&) const = default;
};
struct AskAlerts {
  bool all = false;
  std::optional<PlaceCode> place;  // with all below, and alerts for a place that it lies in
  std::uint32_t limit = 0;
  bool operator==(const AskAlerts&) const = default;
};
struct AskIncidents {
  std::optional<PlaceCode> place;  // as for alerts
  std::uint32_t limit = 0;
  bool operator==(const AskIncidents&) const = default;
};
struct AskStatus {
  bool counters = true;
  bool operator==(const AskStatus&) const = default;
};
struct AskExplain {  // the event is named in one of three ways
  std::string entity;
  std::optional<FeedPosition> feed;  // the sequence counts, not the hash
  Offset offset;
  bool operator==(const AskExplain&) const = default;
};
// What a retention of this node's feed in today's epoch would be.
struct AskRetention {
  Lane lane{};
  Audience audience;
  TimeMs before = 0;
  bool operator==(const AskRetention&) const = default;
};
using Ask = std::variant<AskResources, AskAlerts, AskIncidents, AskStatus, AskExplain, AskRetention, AskTotals, AskMobilisations>;
struct Query {
  std::uint64_t request = 0;
  Offset after_offset;            // 0: as the view stands
  std::uint32_t deadline_ms = 0;  // 0: kMaxQueryWaitMs
  Ask ask;
  bool operator==(const Query&) const = default;
};

struct ResourceRow {
  std::string id;
  Audience audience;
  Status status{};
  ResourceType type{};
  std::string name;
  RegionCode region;
  PlaceCode place;
  std::optional<LonLat> location;
  std::optional<double> distance_m;  // geodesic from `near`
  std::vector<std::string> capabilities;
  ResourceState state{};
  std::int64_t quantity_milli = 0;
  std::string unit;
  std::optional<std::int32_t> capacity, occupancy;
  std::string owner, address, contact, phone;
  TimeMs updated_at = 0;
  std::int64_t free_milli = 0, held_milli = 0;  // free to be asked for; held by mobilisations
  std::string supply_code;
  std::vector<NameValue> attributes;
  std::string answerable, answerable_phone;
  std::optional<TimeMs> valid_from, valid_until;
  std::vector<std::string> languages;
  std::vector<OnCall> on_call;
  std::vector<LonLat> area;
  bool operator==(const ResourceRow&) const = default;
};
struct ResourceRows {
  std::vector<ResourceRow> rows;
  bool truncated = false;  // there are more
  std::string next;        // to go on behind the last row: AskResources.after; empty at the end
  bool operator==(const ResourceRows&) const = default;
};
struct TotalRow {
  PlaceCode place;  // a county, or what the resource names where that is above one
  ResourceType type{};
  std::uint64_t count = 0;
  std::vector<std::uint64_t> by_state;       // of the effective states, by their number
  std::int64_t capacity = 0, occupancy = 0;  // of those that name one
  bool operator==(const TotalRow&) const = default;
};
struct TotalRows {
  std::vector<TotalRow> rows;  // by (place, type)
  bool truncated = false;
  bool operator==(const TotalRows&) const = default;
};
struct AlertRow {
  std::string id;
  Audience audience;
  std::string identifier, sender;
  TimeMs sent = 0;
  Status status{};
  std::uint8_t state = 0;  // AlertState of vocabulary.h
  MsgType msg_type{};
  Level level{};
  std::string event, headline, area;
  RegionCode region;
  PlaceCode place;
  std::optional<TimeMs> expires;
  bool operator==(const AlertRow&) const = default;
};
struct AlertRows {
  std::vector<AlertRow> rows;
  bool truncated = false;
  bool operator==(const AlertRows&) const = default;
};
struct ReportRow {
  std::string agency, publisher;
  IncidentReport report;  // case_reference left empty
  Level level{};
  PlaceCode place;
  TimeMs occurred_at = 0, received_at = 0;
  RegionCode region;
  bool operator==(const ReportRow&) const = default;
};
struct IncidentRow {
  std::string id;
  Audience audience;
  Status status{};
  IncidentClass incident_class{};
  Level level{};
  IncidentState state{};
  RegionCode region;
  PlaceCode place;
  std::string title;
  TimeMs updated_at = 0;
  std::vector<ReportRow> reports;  // by (received_at, region)
  bool operator==(const IncidentRow&) const = default;
};
struct IncidentRows {
  std::vector<IncidentRow> rows;
  bool truncated = false;
  bool operator==(const IncidentRows&) const = default;
};
struct DigestRow {
  Audience audience;
  Hash digest{};
  FeedVector vector;
  bool operator==(const DigestRow&) const = default;
};
struct LinkRow {
  RegionCode region;
  std::string lanes;  // "flash", "normal", "bulk"
  std::string state;  // down, connecting, following, refused
  std::optional<TimeMs> last_contact;
  std::string reason;
  std::uint64_t received_events = 0;  // taken into the journal
  MembersVersion members = {};
  std::uint64_t delivered_events = 0;       // that came, also what was held already
  std::optional<std::uint64_t> lag_events;  // what the peer is known to hold of its own, and this node does not
  std::optional<TimeMs> behind_ms;          // so long ago this node held all that the peer had
  std::optional<TimeMs> round_trip_ms;
  std::optional<TimeMs> clock_ahead_ms;  // the peer's clock before this node's
  RegionCode detour;                     // whom its feeds are asked of instead; 0: nobody
  std::uint64_t plain_bytes = 0;         // of deliveries
  std::uint64_t wire_bytes = 0;          // as they came, compressed
  std::uint64_t bytes_per_second = 0;    // the bound of this node's file; 0: none
  bool operator==(const LinkRow&) const = default;
};
struct CounterRow {
  std::string name;
  std::uint64_t value = 0;
  bool operator==(const CounterRow&) const = default;
};
struct AlarmRow {  // one that stands
  std::string what;
  std::string about;  // the feed, the region
  std::string reason;
  TimeMs since = 0;
  bool operator==(const AlarmRow&) const = default;
};
struct FenceRow {  // commitments are refused
  Epoch epoch;
  TimeMs since = 0;
  std::vector<RegionCode> missing;  // not seen since the restore
  bool operator==(const FenceRow&) const = default;
};
struct StatusReport {
  RegionCode region;
  Epoch epoch;
  Incarnation incarnation;
  std::string software;
  Offset head;
  Offset view_offset;  // the view has applied all below
  std::uint32_t view_version = 0;
  FeedVector feeds;
  std::vector<DigestRow> digests;
  std::vector<LinkRow> links;
  std::vector<CounterRow> counters;
  TimeMs time = 0;
  MembersVersion members = {};
  std::vector<AlarmRow> alarms;
  std::optional<FenceRow> fence;
  bool operator==(const StatusReport&) const = default;
};
// Whether a member has an event: as it said itself, or as the audience forbids. `unknown`: nobody here has heard.
enum class Holding : std::uint8_t { unknown = 0, holds = 1, behind = 2, outside = 3 };
[[nodiscard]] std::string_view to_word(Holding holding);  // "unknown", "holds", "behind", "outside"
struct ReceiverRow {
  RegionCode region;
  std::string name_zh, name_en;
  Standing standing{};
  Holding holding{};
  Sequence held;
  std::optional<TimeMs> seen;
  std::string link;
  std::optional<TimeMs> last_contact;
  std::string reason;
  bool operator==(const ReceiverRow&) const = default;
};
struct RightRow {
  std::string agent;
  bool follow = false, query = false;
  std::string follow_why, query_why;
  bool operator==(const RightRow&) const = default;
};
// Who receives an event and who does not, and why.
struct ExplainReport {
  Offset offset;
  FeedPosition feed;  // the event's own sequence and hash
  Ordinal ordinal;
  TimeMs time = 0;
  std::string publisher;
  bool redacted = false;
  Kind kind{};
  std::string entity;
  Status status{};
  PlaceCode place;
  std::string agency;
  Level level{};
  std::vector<ReceiverRow> receivers;
  std::vector<RightRow> rights;
  std::uint32_t rights_left_out = 0;
  std::vector<std::string> topics;
  Offset kept_from;
  std::vector<Offset> others;
  bool operator==(const ExplainReport&) const = default;
};
struct RetentionPlan {
  Sequence through;        // 0: nothing can go
  Sequence asked_through;  // what lies before the time asked for, if nothing held it back
  std::uint64_t events = 0, alerts = 0, reports = 0, incidents = 0;  // that count no more; incidents that go whole
  TimeMs oldest = 0, newest = 0;
  std::vector<std::string> held_by;  // entities that keep it from going further; at most kMaxRetentionHolders
  std::uint64_t to_restate = 0;      // resources
  std::vector<Bytes> restate;        // events that state them again; at most kMaxRestatements
  Bytes retention;                   // the event to publish; empty while something is to be restated, or nothing can go
  bool operator==(const RetentionPlan&) const = default;
};
struct Answer {
  std::uint64_t request = 0;
  Offset offset;
  std::variant<ResourceRows, AlertRows, IncidentRows, StatusReport, ExplainReport, RetentionPlan, TotalRows, MobilisationRows>
      rows;
  bool operator==(const Answer&) const = default;
};

}  // namespace lianxi
