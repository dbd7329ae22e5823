// Alerts with their state at a moment. A state is the first of these that holds:
// - Cancelled: a Cancel of its home region refers to it, with the same status, to the same audience or to the conference
//   (whose members hold every narrower row that they can see; so all holders of a row see one state);
// - Superseded: likewise by an Update;
// - Expired: `expiry_of` is not after the moment;
// - Dangling: it is no Alert, and something it refers to is not here (or it refers to nothing);
// - Active. A Cancel, Ack or Error is no warning itself: with all it refers to here, a Cancel reads Cancelled, the others
//   Superseded, so that none of them is ever listed as active.
#include <algorithm>

#include "broker/store/read_tables.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::store {

namespace {

const std::string kSelect =
    "SELECT a.entity, a.audience, a.status, a.region, a.sender, a.identifier, a.sent, a.msg_type, a.level, a.place, a.agency,"
    " a.event, a.headline, a.area, a.expires,"
    " (SELECT max(e.msg_type) FROM alert_reference n JOIN alert e ON e.id = n.alert"
    "   WHERE n.target = a.entity AND e.id <> a.id AND e.entity <> a.entity AND e.status = a.status AND e.region = a.region"
    "   AND e.audience IN (a.audience, ?1) AND e.msg_type IN (1, 2)),"
    " (SELECT count(*) FROM alert_reference n WHERE n.alert = a.id),"
    " (SELECT count(*) FROM alert_reference n WHERE n.alert = a.id AND EXISTS"
    "   (SELECT 1 FROM alert t WHERE t.entity = n.target AND t.status = a.status AND t.audience IN (a.audience, ?1))),"
    " a.version, a.id FROM alert a WHERE ";
const std::string kOrder = " ORDER BY a.sent DESC, a.entity";
// What can be active at all; the state itself is judged row by row.
const std::string kMaybeActive = "a.status = 0 AND a.msg_type <= 1 AND (a.expires IS NULL OR a.expires > ?2)";
static_assert(static_cast<int>(MsgType::Update) == 1 && static_cast<int>(MsgType::Cancel) == 2);

AlertState state_of(const Run& run, TimeMs now) {
  const auto type = static_cast<MsgType>(run.number(7));
  if (const auto ended_by = run.optional_number<int>(15)) {
    return *ended_by == static_cast<int>(MsgType::Cancel) ? AlertState::cancelled : AlertState::superseded;
  }
  if (const auto expires = run.optional_number<TimeMs>(14); expires && *expires <= now) return AlertState::expired;
  const std::int64_t references = run.number(16);
  if (type != MsgType::Alert && (references == 0 || run.number(17) < references)) return AlertState::dangling;
  if (type == MsgType::Cancel) return AlertState::cancelled;
  return type == MsgType::Ack || type == MsgType::Error ? AlertState::superseded : AlertState::active;
}

AlertRow read(const Run& run, const ReadTables& tables, TimeMs now) {
  AlertRow row;
  row.id = run.text(0);
  row.audience = tables.audience(run.number(1));
  row.status = static_cast<Status>(run.number(2));
  row.region = RegionCode(static_cast<std::uint32_t>(run.number(3)));
  row.sender = run.text(4);
  row.identifier = run.text(5);
  row.sent = run.number(6);
  row.msg_type = static_cast<MsgType>(run.number(7));
  row.level = static_cast<Level>(run.number(8));
  row.place = place_of(run.text(9));
  row.event = run.text(11);
  row.headline = run.text(12);
  row.area = run.text(13);
  row.expires = run.optional_number<TimeMs>(14);
  row.state = static_cast<std::uint8_t>(state_of(run, now));
  return row;
}

bool admitted(const AlertRow& row, const std::string& agency, const ReadView::Admits& admits) {
  Envelope envelope;
  envelope.kind = Kind::alert;
  envelope.entity = row.id;
  envelope.status = row.status;
  envelope.place = row.place;
  envelope.agency = agency;
  envelope.level = row.level;
  envelope.audience = row.audience;
  return admits(envelope);
}

struct Held {
  std::int64_t version = 0;
  std::string entity;
};

// What must stay of the source at or before the cut because it is active, or something active refers to it.
std::vector<Held> needed_by_active(ReadTables& tables, const RetentionQuestion& ask, std::int64_t cut) {
  std::vector<Held> needed;
  Run run(tables.statement(kSelect + "a.region = ?3 AND a.msg_type <= 1 AND (a.expires IS NULL OR a.expires > ?2)"));
  for (run.put(tables.conference()).put(ask.now).put(ask.feed.region.value); run.next();) {
    if (state_of(run, ask.now) != AlertState::active) continue;
    if (run.number(1) == ask.audience && run.number(18) <= cut) needed.push_back({run.number(18), run.text(0)});
    Run targets(
        tables.statement("SELECT t.version, t.entity FROM alert_reference n JOIN alert t ON t.entity = n.target"
                         " WHERE n.alert = ? AND t.region = ? AND t.audience = ? AND t.version <= ?"));
    for (targets.put(run.number(19)).put(ask.feed.region.value).put(ask.audience).put(cut); targets.next();)
      needed.push_back({targets.number(0), targets.text(1)});
  }
  return needed;
}

// Updates and Cancels of the source at or before the cut that end what stays: without them it would be active again.
std::vector<Held> needed_as_ends(ReadTables& tables, const RetentionQuestion& ask, std::int64_t cut) {
  std::vector<Held> needed;
  Run run(
      tables.statement("SELECT e.version, e.entity FROM alert e JOIN alert_reference n ON n.alert = e.id"
                       " JOIN alert t ON t.entity = n.target AND t.status = e.status AND t.region = e.region AND t.id <> e.id"
                       " WHERE e.region = ?1 AND e.audience = ?2 AND e.version <= ?3 AND e.msg_type IN (1, 2) AND t.msg_type <= 1"
                       " AND (t.audience = ?2 OR ?2 = ?4) AND (t.expires IS NULL OR t.expires > ?5)"
                       " AND NOT (t.audience = ?2 AND t.version <= ?3)"));
  run.put(ask.feed.region.value).put(ask.audience).put(cut).put(tables.conference()).put(ask.now);
  while (run.next()) needed.push_back({run.number(0), run.text(1)});
  return needed;
}

}  // namespace

void hold_alerts(ReadTables& tables, const RetentionQuestion& ask, std::int64_t& cut, RetentionSurvey& survey) {
  for (std::int64_t before = cut + 1; before != cut;) {
    before = cut;
    std::vector<Held> needed = needed_by_active(tables, ask, before);
    const std::vector<Held> ends = needed_as_ends(tables, ask, before);
    needed.insert(needed.end(), ends.begin(), ends.end());
    for (const Held& held : needed) {
      cut = std::min(cut, held.version - 1);
      const bool named = std::find(survey.held_by.begin(), survey.held_by.end(), held.entity) != survey.held_by.end();
      if (!named && survey.held_by.size() < kMaxRetentionHolders) survey.held_by.push_back(held.entity);
    }
  }
}

AlertRows read_alerts(ReadTables& tables, const AskAlerts& ask, TimeMs now, const ReadView::Admits& admits) {
  AlertRows rows;
  const std::size_t limit = limit_of(ask.limit);
  Run run(tables.statement(kSelect + (ask.all ? "?2 = ?2" : kMaybeActive) + kOrder));
  run.put(tables.conference()).put(now);

  // Rows of one message for several audiences stand behind each other: they share its time and id.
  std::string entity;
  std::map<Status, AlertRow> by_status;
  const auto close_entity = [&] {
    for (auto& [status, row] : by_status) {
      const bool stands = ask.all || row.state == static_cast<std::uint8_t>(AlertState::active);
      if (stands && concerns(ask.place, row.place)) rows.rows.push_back(std::move(row));
    }
    by_status.clear();
  };
  while (rows.rows.size() <= limit && run.next()) {
    AlertRow row = read(run, tables, now);
    if (row.id != entity) {
      close_entity();
      entity = row.id;
    }
    if (!admitted(row, run.text(10), admits)) continue;
    const auto found = by_status.find(row.status);
    if (found == by_status.end() || is_narrower(row.audience, found->second.audience))
      by_status.insert_or_assign(row.status, row);
  }
  close_entity();
  rows.truncated = rows.rows.size() > limit;
  if (rows.truncated) rows.rows.resize(limit);
  return rows;
}

}  // namespace lianxi::store
