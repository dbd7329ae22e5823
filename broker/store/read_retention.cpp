// What stands in the way of a retention, what would go, and what must be stated again first.
#include <algorithm>
#include <unordered_map>

#include "broker/store/projections/incident.h"
#include "broker/store/projections/resource.h"
#include "broker/store/projections/retention.h"
#include "broker/store/read_tables.h"
#include "schemas/limits.h"

namespace lianxi::store {

namespace {

void hold(RetentionSurvey& survey, Version& cut, Version needed, const std::string& entity) {
  cut = std::min(cut, needed - 1);
  if (survey.held_by.size() < kMaxRetentionHolders &&
      std::find(survey.held_by.begin(), survey.held_by.end(), entity) == survey.held_by.end())
    survey.held_by.push_back(entity);
}

// The reports of one incident, as a cut of one source would part them.
struct Parted {
  Version first = 0;    // of the source
  bool others = false;  // some would stay
};

std::unordered_map<std::int64_t, Parted> parted(ReadTables& tables, const RetentionQuestion& ask, Version cut) {
  std::unordered_map<std::int64_t, Parted> incidents;
  Run run(tables.statement(
      "SELECT r.incident, r.region, r.version FROM report r JOIN incident i ON i.id = r.incident WHERE i.audience = ?"));
  for (run.put(ask.audience); run.next();) {
    Parted& of = incidents[run.number(0)];
    const Version version = run.number(2);
    if (run.number(1) != ask.feed.region.value || version > cut) {
      of.others = true;
    } else {
      of.first = of.first == 0 ? version : std::min(of.first, version);
    }
  }
  return incidents;
}

// An incident that is not closed needs all its reports. One that is closed must not be opened again by what would be left of
// it: its last word stays while others do.
void hold_incidents(ReadTables& tables, const RetentionQuestion& ask, Version& cut, RetentionSurvey& survey) {
  for (Version before = cut + 1; before != cut;) {
    before = cut;
    for (const auto& [id, of] : parted(tables, ask, before)) {
      if (of.first == 0 || of.first > cut) continue;
      Run run(tables.statement("SELECT entity, state, head_key, head_region FROM incident WHERE id = ?"));
      if (!run.put(id).next()) continue;
      const bool closed = run.number(1) == static_cast<int>(IncidentState::closed);
      const Version head = run.number(2) & ((Version{1} << (kDecisionOrdinalBits + kDecisionEpochBits)) - 1);
      if (!closed)
        hold(survey, cut, of.first, run.text(0));
      else if (of.others && run.number(3) == ask.feed.region.value && head <= cut)
        hold(survey, cut, head, run.text(0));
    }
  }
}

void count_reports(ReadTables& tables, const RetentionQuestion& ask, Version cut, RetentionSurvey& survey) {
  for (const auto& [id, of] : parted(tables, ask, cut))
    if (of.first != 0 && !of.others) ++survey.incidents;
  Run run(
      tables.statement("SELECT count(*) FROM report r JOIN incident i ON i.id = r.incident"
                       " WHERE r.region = ? AND i.audience = ? AND r.version <= ?"));
  if (run.put(ask.feed.region.value).put(ask.audience).put(cut).next()) survey.reports = run.number_u64(0);
}

void count_alerts(ReadTables& tables, const RetentionQuestion& ask, Version cut, RetentionSurvey& survey) {
  Run run(tables.statement("SELECT count(*) FROM alert WHERE region = ? AND audience = ? AND version <= ?"));
  if (run.put(ask.feed.region.value).put(ask.audience).put(cut).next()) survey.alerts = run.number_u64(0);
}

const std::string kRestated =
    "SELECT entity, status, type, level, agency, name, owner, capabilities, unit, supply_code, contact, phone, attributes,"
    " CASE WHEN state_version > record_state_version THEN changed_state ELSE record_state END, quantity_milli, capacity, "
    "occupancy,"
    " place, address, lon, lat, answerable, answerable_phone, valid_from, valid_until, languages, on_call, area, contact_place,"
    " contact_agency, contact_level, record_version > removed_version FROM resource WHERE region = ? AND audience = ? AND ";

// A row that has no record states its contact alone.
Event restated(const Run& run, const RetentionQuestion& ask, Offset as_of) {
  const auto number = [&](int column) { return run.optional_number<std::int32_t>(column); };
  const bool whole = run.number(31) != 0;
  Resource resource;
  resource.change = whole ? ResourceChange::upsert : ResourceChange::contact;
  resource.type = static_cast<ResourceType>(run.number(2));
  resource.contact = run.text(10);
  resource.phone = run.text(11);
  resource.as_of = as_of;
  if (whole) {
    resource.name = run.text(5);
    resource.owner = run.text(6);
    resource.capabilities = split_lines(run.text(7));
    resource.unit = run.text(8);
    resource.supply_code = run.text(9);
    resource.attributes = attributes_of(run.text(12));
    resource.state = static_cast<ResourceState>(run.number(13));
    resource.quantity_milli = run.number(14);
    resource.capacity = number(15);
    resource.occupancy = number(16);
    resource.address = run.text(18);
    if (!run.is_null(19) && !run.is_null(20)) resource.location = LonLat{run.real(19), run.real(20)};
    resource.answerable = run.text(21);
    resource.answerable_phone = run.text(22);
    resource.valid_from = run.optional_number<TimeMs>(23);
    resource.valid_until = run.optional_number<TimeMs>(24);
    resource.languages = split_lines(run.text(25));
    resource.on_call = on_call_of(run.text(26));
    resource.area = area_of(run.text(27));
  }
  Event event;
  event.envelope = {Kind::resource,
                    run.text(0),
                    static_cast<Status>(run.number(1)),
                    place_of(run.text(whole ? 17 : 28)),
                    run.text(whole ? 4 : 29),
                    static_cast<Level>(run.number(whole ? 3 : 30)),
                    ask.feed.audience,
                    ask.now};
  event.body = std::move(resource);
  return event;
}

// Visible resources, and contacts alone, of which the lane has something at or before the cut that still counts.
void find_restatements(ReadTables& tables, const RetentionQuestion& ask, Version cut, Offset as_of, RetentionSurvey& survey) {
  const bool states = ask.feed.lane == lane_of(Kind::resource, ResourceChange::state);
  const std::string visible = "record_version > removed_version AND ";
  // An upsert may have kept what an older event stated.
  const std::string any_old =
      "(record_version <= ?3 OR record_state_version BETWEEN 1 AND ?3 OR quantity_version BETWEEN 1 AND ?3 OR place_version"
      " BETWEEN 1 AND ?3 OR contact_version BETWEEN 1 AND ?3)";
  const std::string old = states ? visible + "state_version > record_state_version AND state_version <= ?"
                                 : "((" + visible + any_old +
                                       ") OR (record_version <= removed_version AND contact_version > removed_version AND"
                                       " contact_version <= ?3))";
  Run run(tables.statement(kRestated + old + " ORDER BY entity"));
  for (run.put(ask.feed.region.value).put(ask.audience).put(cut); run.next();) {
    ++survey.to_restate;
    if (survey.restate.size() < kMaxRestatements) survey.restate.push_back(restated(run, ask, as_of));
  }
}

void hold_flash(ReadTables& tables, const RetentionQuestion& ask, Version& cut, RetentionSurvey& survey) {
  for (Version before = cut + 1; before != cut;) {
    before = cut;
    hold_alerts(tables, ask, cut, survey);
    hold_mobilisations(tables, ask, cut, survey);
  }
}

// The lowest version of the cut that still stands is kept as ordinal 0: nothing of today's epoch may go.
Ordinal ordinal_in(Epoch epoch, Version cut) {
  const Version first = static_cast<Version>(std::uint64_t{epoch.value} << kDecisionOrdinalBits);
  return Ordinal(cut <= first ? 0 : static_cast<std::uint64_t>(cut - first));
}

}  // namespace

RetentionSurvey read_retention(ReadTables& tables, const FeedId& feed, Ordinal through, TimeMs now) {
  RetentionSurvey survey;
  RetentionQuestion ask{feed, 0, now};
  for (const auto& [row, audience] : tables.audiences())
    if (audience == feed.audience) ask.audience = row;
  const auto asked = decision_of(feed.epoch, through);
  if (!asked) fail(StoreError::corrupt, "ordinal " + std::to_string(through.value) + " is beyond what a view orders");
  Version cut = *asked;
  if (feed.lane == Lane::flash) hold_flash(tables, ask, cut, survey);
  if (feed.lane == Lane::normal) hold_incidents(tables, ask, cut, survey);
  survey.allowed = ordinal_in(feed.epoch, cut);
  {
    Run run(tables.statement("SELECT cut FROM retention WHERE region = ? AND lane = ? AND audience = ?"));
    if (run.put(feed.region.value).put(static_cast<int>(feed.lane)).put(ask.audience).next())
      survey.held_already = ordinal_in(feed.epoch, run.number(0));
  }
  {
    Run run(tables.statement("SELECT sequence FROM feed WHERE region = ? AND epoch = ? AND lane = ? AND audience = ?"));
    run.put(feed.region.value).put(feed.epoch.value).put(static_cast<int>(feed.lane)).put(ask.audience);
    if (run.next()) survey.position = Sequence(run.number_u64(0));
  }
  if (feed.lane == Lane::flash) count_alerts(tables, ask, cut, survey);
  if (feed.lane == Lane::normal) count_reports(tables, ask, cut, survey);
  if (feed.lane != Lane::flash) find_restatements(tables, ask, cut, tables.offset(), survey);
  survey.digest = kept_digest(tables.db(), feed, ask.audience, cut);
  return survey;
}

}  // namespace lianxi::store
