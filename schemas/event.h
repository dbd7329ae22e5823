// What an agent publishes: an envelope and a body, as plain values. codec/event_codec.h turns them into bytes and back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schemas/ids.h"

namespace lianxi {

// The numbers stand on the wire; a kind's number is its number in the body union.
enum class Kind : std::uint16_t {
  unknown = 0,
  alert = 1,
  incident = 2,
  resource = 3,
  mobilisation = 4,
  roll_call = 5,
  call_out = 6,
  conference = 7,
  duty = 8,
  response_level = 9,
  plan = 10,
  drill = 11,
  site_report = 12,
  attachment = 13,
  retention = 14,
  redaction = 15,
  override = 16,
};
inline constexpr Kind kLastKind = Kind::override;
enum class Status : std::uint8_t { Actual = 0, Exercise = 1, System = 2, Test = 3, Draft = 4 };  // CAP 1.2
enum class Level : std::uint8_t { none = 0, red = 1, orange = 2, yellow = 3, blue = 4 };         // I II III IV

struct LonLat {  // CGCS2000, degrees
  double lon = 0;
  double lat = 0;
  bool operator==(const LonLat&) const = default;
};
struct NameValue {
  std::string name;
  std::string value;
  bool operator==(const NameValue&) const = default;
};

// --- alert: CAP 1.2 names and values ---
enum class MsgType : std::uint8_t { Alert, Update, Cancel, Ack, Error };
enum class Scope : std::uint8_t { Public, Restricted, Private };
enum class Category : std::uint8_t { Geo, Met, Safety, Security, Rescue, Fire, Health, Env, Transport, Infra, CBRNE, Other };
enum class ResponseType : std::uint8_t { Shelter, Evacuate, Prepare, Execute, Avoid, Monitor, Assess, AllClear, None };
enum class Urgency : std::uint8_t { Immediate, Expected, Future, Past, Unknown };
enum class Severity : std::uint8_t { Extreme, Severe, Moderate, Minor, Unknown };
enum class Certainty : std::uint8_t { Observed, Likely, Possible, Unlikely, Unknown };

struct AlertReference {
  std::string sender;
  std::string identifier;
  TimeMs sent = 0;
  bool operator==(const AlertReference&) const = default;
};
struct Circle {
  LonLat centre;
  double radius_m = 0;
  bool operator==(const Circle&) const = default;
};
struct AlertArea {
  std::string description;
  std::vector<std::vector<LonLat>> polygons;  // each closed, at least 4 points
  std::vector<Circle> circles;
  std::vector<NameValue> geocodes;
  std::optional<double> altitude_ft;
  std::optional<double> ceiling_ft;
  bool operator==(const AlertArea&) const = default;
};
struct AlertResource {
  std::string description;
  std::string mime_type;
  std::optional<std::int64_t> size_bytes;
  std::string uri;
  std::string digest;
  bool operator==(const AlertResource&) const = default;
};
struct AlertInfo {
  std::string language = "en-US";  // CAP's default
  std::vector<Category> categories;
  std::string event;
  std::vector<ResponseType> response_types;
  Urgency urgency = Urgency::Unknown;
  Severity severity = Severity::Unknown;
  Certainty certainty = Certainty::Unknown;
  std::string audience_text;
  std::vector<NameValue> event_codes;
  std::optional<TimeMs> effective;
  std::optional<TimeMs> onset;
  std::optional<TimeMs> expires;
  std::string sender_name;
  std::string headline;
  std::string description;
  std::string instruction;
  std::string web;
  std::string contact;
  std::vector<NameValue> parameters;
  std::vector<AlertResource> resources;
  std::vector<AlertArea> areas;
  bool operator==(const AlertInfo&) const = default;
};
struct Alert {
  std::string identifier;
  std::string sender;
  TimeMs sent = 0;
  MsgType msg_type = MsgType::Alert;
  Scope scope = Scope::Public;
  std::string source;
  std::string restriction;
  std::vector<std::string> addresses;
  std::vector<std::string> codes;
  std::string note;
  std::vector<AlertReference> references;
  std::vector<std::string> incidents;
  std::vector<AlertInfo> infos;
  bool operator==(const Alert&) const = default;
};

// --- incident ---
enum class ReportType : std::uint8_t { first, follow_up, final };
enum class IncidentClass : std::uint8_t { unknown, natural_disaster, accident, public_health, social_security };  // GB/T 35561
enum class IncidentState : std::uint8_t { reported, verified, responding, controlled, closed };

struct IncidentReport {
  std::string case_reference;
  ReportType report_type = ReportType::first;
  IncidentClass incident_class = IncidentClass::unknown;
  IncidentState state = IncidentState::reported;
  std::string event_code;
  std::string title;
  std::string text;
  std::string address;
  std::optional<LonLat> location;
  std::optional<std::int32_t> deaths, missing, injured, trapped, affected;
  std::string own_reference;
  std::string reporter;
  std::vector<NameValue> fields;
  bool operator==(const IncidentReport&) const = default;
};

// --- resource ---
enum class ResourceType : std::uint8_t { team, expert, supply, equipment, shelter, site };
// A mobilisation moves it from available to committed, deployed, returning; `reserved`: held for somebody, not promised.
enum class ResourceState : std::uint8_t { available, reserved, deployed, out_of_service, committed, returning };
// Which fields count: `state`: state; `quantity`: quantity, capacity, occupancy; `place`: location, area, address and the
// envelope's place; `contact`: contact and phone, for an audience that is narrower than the record's; `upsert`: all but what
// `contact` states elsewhere; `remove`: none.
enum class ResourceChange : std::uint8_t { upsert, state, quantity, place, remove, contact };
// What an upsert may leave as the last event that states it left it, also one before a removal: in a resource that nobody has
// stated it is available, without quantity and contact, and placed in its home region.
enum class ResourceGroup : std::uint8_t { state, quantity, place, contact };
inline constexpr std::size_t kResourceGroups = 4;

struct ResourceGroups {
  std::uint8_t bits = 0;  // 1 << group
  [[nodiscard]] constexpr bool has(ResourceGroup group) const { return (bits >> static_cast<unsigned>(group) & 1U) != 0; }
  constexpr void add(ResourceGroup group) { bits = static_cast<std::uint8_t>(bits | 1U << static_cast<unsigned>(group)); }
  bool operator==(const ResourceGroups&) const = default;
};

// When somebody can be reached, week for week, in Beijing time. Over midnight: two of them.
struct OnCall {
  std::uint8_t days = 0;  // bit 0 Monday to bit 6 Sunday
  std::uint16_t from_minute = 0;
  std::uint16_t to_minute = 0;  // behind the last; at most 1440
  bool operator==(const OnCall&) const = default;
};

struct Resource {
  ResourceChange change = ResourceChange::upsert;
  ResourceType type = ResourceType::team;
  std::string name;
  std::string owner;
  std::string address;
  std::optional<LonLat> location;
  std::vector<std::string> capabilities;  // lower-case words as in config, e.g. "hazmat"
  ResourceState state = ResourceState::available;
  std::int64_t quantity_milli = 0;  // thousandths of `unit`
  std::string unit;
  std::optional<std::int32_t> capacity;   // persons
  std::optional<std::int32_t> occupancy;  // persons
  std::string supply_code;                // GB/T 38565
  std::string contact;
  std::string phone;
  std::vector<NameValue> attributes;
  // A restatement says where in its home's journal it was read: it is refused if the resource has changed since. 0: always taken.
  Offset as_of;
  std::string answerable;  // the person answerable for a site (包保责任人), and how to call them
  std::string answerable_phone;
  std::optional<TimeMs> valid_from, valid_until;
  std::vector<LonLat> area;            // closed ring, at least 4 points; of a site, a reach of river, a forest
  std::vector<std::string> languages;  // of an expert: BCP 47, e.g. "zh", "en"
  std::vector<OnCall> on_call;         // empty: at any time
  ResourceGroups keeps;                // of an upsert, which says nothing of them
  bool operator==(const Resource&) const = default;
};

// --- mobilisation: EDXL-RM 1.0 names and values; one event is one message of the 16 ---
enum class ResourceMessage : std::uint8_t {
  RequestResource,
  ResponseToRequestResource,
  RequisitionResource,
  CommitResource,
  RequestInformation,
  ResponseToRequestInformation,
  OfferUnsolicitedResource,
  ReleaseResource,
  RequestReturn,
  ResponseToRequestReturn,
  RequestQuote,
  ResponseToRequestQuote,
  RequestResourceDeploymentStatus,
  ReportResourceDeploymentStatus,
  RequestExtendedDeploymentDuration,
  ResponseToRequestExtendedDeploymentDuration,
};
enum class Response : std::uint8_t { Accept, Decline, Provisional };
enum class Recall : std::uint8_t { Update, Cancel };
enum class ScheduleType : std::uint8_t {
  RequestedArrival,
  EstimatedArrival,
  ActualArrival,
  RequestedDeparture,
  EstimatedDeparture,
  ActualDeparture,
  RequestedReturnDeparture,
  EstimatedReturnDeparture,
  ActualReturnDeparture,
  RequestedReturnArrival,
  EstimatedReturnArrival,
  ActualReturnArrival,
  BeginAvailable,
  EndAvailable,
  Committed,
  Current,
  ReportTo,
  Route,
};
enum class ContactRole : std::uint8_t { Sender, Requester, SubjectMatterExpert, Approver, RespondingOrg, OwningOrg };
// What a deployment status report states; EDXL-RM leaves the words to a list of the parties.
enum class Deployment : std::uint8_t { none, departed, arrived, returning, returned };

// Where a mobilisation stands, as its messages add up: of one resource for one item that was asked for, and of the whole.
enum class MobilisationState : std::uint8_t {
  offered,  // promised, and not asked for by a requisition yet; or offered to whoever wants it
  requested,
  provisional,
  requisitioned,
  committed,
  departed,
  arrived,
  extended,
  released,
  return_requested,
  returning,
  returned,
  declined,
  recalled,
};
[[nodiscard]] constexpr bool is_final(MobilisationState state) {
  return state >= MobilisationState::returned;
}
// What an addressed member is known to have answered.
enum class Answering : std::uint8_t { waiting, answered, declined, answer_unknown };

struct Schedule {
  ScheduleType type{};
  std::optional<TimeMs> at;
  std::optional<LonLat> location;
  std::string address;
  bool operator==(const Schedule&) const = default;
};
struct MobilisationContact {
  ContactRole role{};
  std::string name;
  std::string agency;
  std::string phone;
  bool operator==(const MobilisationContact&) const = default;
};
// One ResourceInformation of a message: what is asked for, or one resource that is offered, promised, moved.
struct MobilisationItem {
  std::string id;         // ResourceInfoElementID, its own within the message
  std::string preceding;  // the item that it answers: of the request, whatever stands between
  std::optional<Response> response;
  std::string reason_code, reason;
  std::string resource;  // entity; empty while nobody named one
  std::optional<ResourceType> type;
  std::string name;
  std::string capability;  // a word of the resources' capabilities
  std::string description;
  std::int64_t quantity_milli = 0;  // thousandths of `unit`
  std::string unit;
  std::string restrictions, anticipated_function, price_quote, order_id, instructions;
  Deployment deployment{};
  std::vector<Schedule> schedule;
  bool operator==(const MobilisationItem&) const = default;
};
// The first message of a thread names it: its message_id is the originating_id of all, and the entity's name.
struct Mobilisation {
  ResourceMessage message{};
  std::string message_id;
  std::string originating_id;
  std::string preceding_id;  // the message that it answers
  TimeMs sent = 0;
  std::string description;
  std::optional<Recall> recall;  // with recalled_id: an earlier message of the same sender counts no more
  std::string recalled_id;
  std::string incident;             // entity
  std::vector<RegionCode> to;       // whom a request is for; empty: all members of its audience
  std::optional<TimeMs> answer_by;  // judged by the clock of whoever owns the resource
  std::vector<NameValue> funding;
  std::vector<MobilisationContact> contacts;
  std::vector<MobilisationItem> items;
  bool operator==(const Mobilisation&) const = default;
};

// --- retention: of the feed that it stands in, nothing up to `through` counts any more ---
struct Retention {
  Epoch epoch;
  Lane lane{};
  FeedHead through;
  Ordinal ordinal;  // of the event at `through`
  TimeMs before = 0;
  Sequence position;  // of the feed; `digest` describes what a view keeps of it there
  Hash digest{};
  bool operator==(const Retention&) const = default;
};

// --- override: an officer lets a node do what it holds back by itself ---
enum class Overridden : std::uint8_t { fence };  // of the epoch that the entity names

struct Override {
  Overridden what = Overridden::fence;
  std::string reason;
  bool operator==(const Override&) const = default;
};

// monostate: a kind without rules here
using Body = std::variant<std::monostate, Alert, IncidentReport, Resource, Mobilisation, Retention, Override>;

struct Envelope {
  Kind kind = Kind::unknown;
  std::string entity;  // see entity.h
  Status status = Status::Actual;
  PlaceCode place;
  std::string agency;  // lower case letters, digits and '-': emergency, police, fire, ...
  Level level = Level::none;
  Audience audience;
  TimeMs occurred_at = 0;
  bool operator==(const Envelope&) const = default;
};

struct Event {
  Envelope envelope;
  Body body;
  bool operator==(const Event&) const = default;
};

// The one table that derives an event's lane: alert, mobilisation, call-out and roll call are flash; resource and
// attachment bulk, but a resource's change of state is normal; a retention has the lane of the feed that it cuts; all else
// normal. SDK and broker both use it.
[[nodiscard]] Lane lane_of(const Event& event);

// --- entity ids: "<home region>:<kind word>:<local name>" ---
[[nodiscard]] std::string alert_entity(RegionCode home, std::string_view sender, std::string_view identifier, TimeMs sent);
[[nodiscard]] std::string incident_entity(RegionCode home, std::string_view case_reference);
[[nodiscard]] std::string resource_entity(RegionCode home, std::string_view local_name);
[[nodiscard]] std::string mobilisation_entity(RegionCode home, std::string_view originating_id);
[[nodiscard]] std::string retention_entity(RegionCode home, Lane lane, const Audience& audience);
[[nodiscard]] std::string override_entity(RegionCode home, Epoch epoch);
[[nodiscard]] Result<RegionCode> home_region(std::string_view entity);  // checks the whole form

}  // namespace lianxi
