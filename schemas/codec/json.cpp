// The JSON contract's rows and lines. Field lists stand in schemas/README.md; names may be added, never changed.
#include "schemas/codec/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/json_parts.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

using nlohmann::ordered_json;

// Texts were checked as UTF-8 when they came in; if one is not, its bad bytes are replaced rather than the line lost.
std::string dump(const ordered_json& value) {
  return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

template <class T>
ordered_json or_null(const std::optional<T>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json time_or_null(const std::optional<TimeMs>& value) {
  return value ? ordered_json(to_iso8601(*value)) : ordered_json(nullptr);
}

void add_point(ordered_json& to, const std::optional<LonLat>& point) {
  to["lon"] = point ? ordered_json(point->lon) : ordered_json(nullptr);
  to["lat"] = point ? ordered_json(point->lat) : ordered_json(nullptr);
}

ordered_json name_values(const std::vector<NameValue>& values) {
  ordered_json to = ordered_json::array();
  for (const NameValue& item : values) to.push_back({{"name", item.name}, {"value", item.value}});
  return to;
}

ordered_json line(const ResourceRow& row) {
  ordered_json to;
  to["id"] = row.id;
  to["kind"] = to_word(row.type);
  to["name"] = row.name;
  to["region"] = to_text(row.region);
  to["place"] = row.place.text();
  add_point(to, row.location);
  to["distance_m"] = or_null(row.distance_m);
  to["capabilities"] = row.capabilities;
  to["state"] = to_word(row.state);
  to["quantity"] = codec::json_thousandths(row.quantity_milli);
  to["unit"] = row.unit;
  to["capacity"] = or_null(row.capacity);
  to["occupancy"] = or_null(row.occupancy);
  to["owner"] = row.owner;
  to["address"] = row.address;
  to["contact"] = row.contact;
  to["phone"] = row.phone;
  to["audience"] = row.audience.text();
  to["status"] = to_word(row.status);
  to["updated_at"] = to_iso8601(row.updated_at);
  to["free"] = codec::json_thousandths(row.free_milli);
  to["held"] = codec::json_thousandths(row.held_milli);
  to["supply_code"] = row.supply_code;
  to["attributes"] = name_values(row.attributes);
  to["answerable"] = row.answerable;
  to["answerable_phone"] = row.answerable_phone;
  to["valid_from"] = time_or_null(row.valid_from);
  to["valid_until"] = time_or_null(row.valid_until);
  to["languages"] = row.languages;
  to["on_call"] = ordered_json::array();
  for (const OnCall& time : row.on_call)
    to["on_call"].push_back({{"days", time.days}, {"from_minute", time.from_minute}, {"to_minute", time.to_minute}});
  to["area"] = ordered_json::array();
  for (const LonLat& point : row.area) to["area"].push_back({point.lon, point.lat});
  return to;
}

ordered_json line(const TotalRow& row) {
  ordered_json to;
  to["place"] = row.place.text();
  to["kind"] = to_word(row.type);
  to["count"] = row.count;
  to["states"] = ordered_json::object();
  for (std::size_t state = 0; state < row.by_state.size(); ++state)
    if (is_known<ResourceState>(state))
      to["states"][std::string(to_word(static_cast<ResourceState>(state)))] = row.by_state[state];
  to["capacity"] = row.capacity;
  to["occupancy"] = row.occupancy;
  return to;
}

ordered_json line(const AlertRow& row) {
  ordered_json to;
  to["id"] = row.id;
  to["sender"] = row.sender;
  to["identifier"] = row.identifier;
  to["sent"] = to_iso8601(row.sent);
  to["status"] = to_word(row.status);
  to["state"] = to_word(static_cast<AlertState>(row.state));
  to["msg_type"] = to_word(row.msg_type);
  to["level"] = to_word(row.level);
  to["event"] = row.event;
  to["headline"] = row.headline;
  to["area"] = row.area;
  to["region"] = to_text(row.region);
  to["place"] = row.place.text();
  to["expires"] = time_or_null(row.expires);
  to["audience"] = row.audience.text();
  return to;
}

ordered_json line(const ReportRow& row) {
  const IncidentReport& report = row.report;
  ordered_json to;
  to["agency"] = row.agency;
  to["publisher"] = row.publisher;
  to["region"] = to_text(row.region);
  to["report_type"] = to_word(report.report_type);
  to["class"] = to_word(report.incident_class);
  to["state"] = to_word(report.state);
  to["level"] = to_word(row.level);
  to["place"] = row.place.text();
  to["occurred_at"] = to_iso8601(row.occurred_at);
  to["received_at"] = to_iso8601(row.received_at);
  to["event_code"] = report.event_code;
  to["title"] = report.title;
  to["text"] = report.text;
  to["address"] = report.address;
  add_point(to, report.location);
  to["deaths"] = or_null(report.deaths);
  to["missing"] = or_null(report.missing);
  to["injured"] = or_null(report.injured);
  to["trapped"] = or_null(report.trapped);
  to["affected"] = or_null(report.affected);
  to["own_reference"] = report.own_reference;
  to["reporter"] = report.reporter;
  to["fields"] = name_values(report.fields);
  return to;
}

ordered_json line(const IncidentRow& row) {
  ordered_json to;
  to["id"] = row.id;
  to["class"] = to_word(row.incident_class);
  to["level"] = to_word(row.level);
  to["state"] = to_word(row.state);
  to["status"] = to_word(row.status);
  to["region"] = to_text(row.region);
  to["place"] = row.place.text();
  to["title"] = row.title;
  to["audience"] = row.audience.text();
  to["updated_at"] = to_iso8601(row.updated_at);
  to["reports"] = ordered_json::array();
  for (const ReportRow& report : row.reports) to["reports"].push_back(line(report));
  return to;
}

ordered_json state_of(const LinkRow& row) {
  ordered_json to = {{"region", to_text(row.region)},
                     {"lanes", row.lanes},
                     {"state", row.state},
                     {"last_contact", time_or_null(row.last_contact)},
                     {"reason", row.reason},
                     {"received_events", row.received_events}};
  if (row.members.value != 0) to["members"] = to_text(row.members);
  return to;
}

ordered_json line(const LinkRow& row) {
  ordered_json to = state_of(row);
  to["delivered_events"] = row.delivered_events;
  to["lag_events"] = or_null(row.lag_events);
  to["behind_ms"] = or_null(row.behind_ms);
  to["round_trip_ms"] = or_null(row.round_trip_ms);
  to["clock_ahead_ms"] = or_null(row.clock_ahead_ms);
  to["detour"] = row.detour.value == 0 ? ordered_json(nullptr) : ordered_json(to_text(row.detour));
  to["plain_bytes"] = row.plain_bytes;
  to["wire_bytes"] = row.wire_bytes;
  to["bytes_per_second"] = row.bytes_per_second == 0 ? ordered_json(nullptr) : ordered_json(row.bytes_per_second);
  return to;
}

template <class Rows>
std::string array_of(const Rows& rows) {
  ordered_json to = ordered_json::array();
  for (const auto& row : rows.rows) to.push_back(line(row));
  return dump(to);
}

}  // namespace

std::string event_json(const FeedId& feed, Offset offset, const RecordView& record) {
  const auto event = record.redacted ? refuse(RefusalCode::not_found, "", "") : decode_event(record.body);
  // A body of a newer vocabulary may still have an envelope that reads.
  const auto envelope = event             ? Result<Envelope>(event->envelope)
                        : record.redacted ? refuse(RefusalCode::not_found, "", "")
                                          : decode_envelope(record.body);
  ordered_json to;
  to["offset"] = offset.value;
  to["region"] = to_text(feed.region);
  to["epoch"] = feed.epoch.value;
  to["lane"] = to_word(feed.lane);
  to["audience"] = feed.audience.text();
  to["seq"] = record.stamp.sequence.value;
  to["ordinal"] = record.stamp.ordinal.value;
  to["time"] = to_iso8601(physical_ms(record.stamp.time));
  to["kind"] = envelope ? to_word(envelope->kind) : to_word(Kind::unknown);
  to["topic"] = envelope ? topic_of(*envelope) : std::string();
  to["publisher"] = record.stamp.publisher.text();
  to["body"] = nullptr;
  if (event) codec::write_json_body(to["body"], *event);
  return dump(to);
}

std::string to_json(const ResourceRows& rows) {
  return array_of(rows);
}

std::string to_json(const TotalRows& rows) {
  return array_of(rows);
}

std::string to_json(const AlertRows& rows) {
  return array_of(rows);
}

std::string to_json(const IncidentRows& rows) {
  return array_of(rows);
}

std::string to_json(const StatusReport& status) {
  ordered_json to;
  to["region"] = to_text(status.region);
  to["epoch"] = status.epoch.value;
  to["incarnation"] = std::to_string(status.incarnation.value);  // 64 random bits: more than a JSON number holds
  to["software"] = status.software;
  to["time"] = to_iso8601(status.time);
  to["head"] = status.head.value;
  to["view_offset"] = status.view_offset.value;
  to["view_version"] = status.view_version;
  if (status.members.value != 0) to["members"] = to_text(status.members);
  to["feeds"] = codec::json_feeds(status.feeds);
  to["digests"] = ordered_json::object();
  for (const DigestRow& row : status.digests) {
    to["digests"][row.audience.text()] = {{"digest", to_hex(row.digest)}, {"vector", codec::json_feeds(row.vector)}};
  }
  to["links"] = ordered_json::array();
  // What a link tells beyond that is in its own list.
  for (const LinkRow& row : status.links) to["links"].push_back(state_of(row));
  for (const AlarmRow& row : status.alarms) {
    to["alarms"].push_back({{"what", row.what}, {"about", row.about}, {"reason", row.reason}, {"since", to_iso8601(row.since)}});
  }
  if (status.fence) {
    ordered_json missing = ordered_json::array();
    for (const RegionCode region : status.fence->missing) missing.push_back(to_text(region));
    to["fence"] = {
        {"epoch", status.fence->epoch.value}, {"since", to_iso8601(status.fence->since)}, {"missing", std::move(missing)}};
  }
  to["counters"] = ordered_json::object();
  for (const CounterRow& row : status.counters) to["counters"][row.name] = row.value;
  return dump(to);
}

std::string to_json(const RetentionPlan& plan) {
  const auto time = [&](TimeMs value) { return plan.events == 0 ? ordered_json(nullptr) : ordered_json(to_iso8601(value)); };
  return dump({{"through", plan.through.value},
               {"asked_through", plan.asked_through.value},
               {"events", plan.events},
               {"alerts", plan.alerts},
               {"reports", plan.reports},
               {"incidents", plan.incidents},
               {"oldest", time(plan.oldest)},
               {"newest", time(plan.newest)},
               {"held_by", plan.held_by},
               {"to_restate", plan.to_restate}});
}

std::string to_json(const std::vector<LinkRow>& links) {
  ordered_json to = ordered_json::array();
  for (const LinkRow& row : links) to.push_back(line(row));
  return dump(to);
}

std::string to_json(const Refusal& refusal) {
  ordered_json error{{"code", to_word(refusal.code)}, {"field", refusal.field}, {"reason", refusal.reason}};
  if (refusal.retry_after_ms > 0) error["retry_after_ms"] = refusal.retry_after_ms;
  return dump(ordered_json{{"error", std::move(error)}});
}

std::string topic_of(const Envelope& envelope) {
  return fmt::format("{}/{}/{}", to_word(envelope.kind), envelope.place.text(), envelope.agency);
}

}  // namespace lianxi
