// Mobilisations as the messages add up that the asking agent may see, of all audiences together, so that nothing of a withheld
// one shows. A promise that ends by itself and a deadline are judged at the moment of the question.
#include <algorithm>
#include <set>
#include <tuple>

#include "broker/store/projections/mobilisation.h"
#include "broker/store/read_tables.h"
#include "schemas/limits.h"

namespace lianxi::store {

namespace {

const std::string kThreads =
    "SELECT entity, status, max(sent) AS begun, min(over) FROM mobilisation WHERE (?1 OR status = 0) AND (?2 = '' OR incident = "
    "?2)"
    " AND (NOT ?3 OR sent < ?4 OR (sent = ?4 AND (status > ?5 OR (status = ?5 AND entity > ?6))))"
    " GROUP BY entity, status ORDER BY begun DESC, status, entity";
const std::string kStatuses = "SELECT DISTINCT status FROM mobilisation WHERE entity = ? ORDER BY status";
const std::string kMessages =
    "SELECT m.region, m.version, m.time, m.publisher, m.event_bytes FROM mobilisation_message m"
    " JOIN mobilisation t ON t.id = m.mobilisation WHERE t.entity = ? AND t.status = ? ORDER BY m.region, m.version";

// A promise that has ended counts no more, whatever nobody has said of it.
void lapse(MobilisationRow& row, const Thread& thread, TimeMs now) {
  for (const ThreadHolding& holding : thread.holdings) {
    row.holdings.push_back(holding.row);
    HoldingRow& shown = row.holdings.back();
    if (!shown.held || holding.holds_at(now)) continue;
    shown.held = false;
    for (NeedRow& need : row.needs) {
      if (need.id != shown.item) continue;
      std::int64_t& sum = shown.state == MobilisationState::offered ? need.offered_milli : need.provisional_milli;
      sum = std::max<std::int64_t>(0, sum - shown.quantity_milli);
    }
  }
}

void add_members(MobilisationRow& row, const Thread& thread, TimeMs now, const std::vector<RegionCode>& members) {
  std::set<RegionCode> asked;
  if (thread.request != nullptr) {
    asked.insert(thread.request->to.begin(), thread.request->to.end());
    if (thread.request->to.empty() && !thread.offer) asked.insert(members.begin(), members.end());
  }
  asked.erase(row.region);
  for (const auto& [region, answer] : thread.answers)
    if (region != row.region || !thread.offer) asked.insert(region);
  const bool late = row.answer_by && *row.answer_by <= now;
  for (const RegionCode region : asked) {
    AddresseeRow member{region, late ? Answering::answer_unknown : Answering::waiting, late ? row.answer_by : std::nullopt, {}};
    if (const auto answer = thread.answers.find(region); answer != thread.answers.end()) {
      member.state = answer->second.declined ? Answering::declined : Answering::answered;
      member.since = answer->second.at;
      member.reason = answer->second.reason;
    }
    row.members.push_back(std::move(member));
  }
  const bool all_declined = !row.members.empty() && std::all_of(row.members.begin(), row.members.end(), [](const auto& member) {
    return member.state == Answering::declined;
  });
  if (!row.open || !all_declined || row.state != MobilisationState::requested) return;
  row.open = false;
  row.state = MobilisationState::declined;
}

void add_messages(MobilisationRow& row, StoredThread& stored) {
  std::sort(stored.messages.begin(), stored.messages.end(), [](const auto& a, const auto& b) {
    return std::tie(a.time, a.region, a.version) < std::tie(b.time, b.region, b.version);
  });
  constexpr std::uint64_t kOrdinalMask = (std::uint64_t{1} << kDecisionOrdinalBits) - 1;
  for (StoredThread::Message& message : stored.messages)
    row.messages.push_back({message.region, std::move(message.publisher), physical_ms(message.time),
                            Ordinal(static_cast<std::uint64_t>(message.version) & kOrdinalMask),
                            std::move(std::get<Mobilisation>(message.event.body))});
}

class Search {
 public:
  Search(ReadTables& tables, TimeMs now, const std::vector<RegionCode>& members, const ReadView::Admits& admits)
      : tables_(tables), now_(now), members_(members), admits_(admits) {}

  // Nothing if no message of it may be seen.
  [[nodiscard]] std::optional<MobilisationRow> row(const std::string& entity, Status status, bool with_messages) {
    StoredThread stored;
    {
      Run run(tables_.statement(kMessages));
      run.put(entity).put(static_cast<int>(status));
      stored = read_thread(run);
    }
    std::erase_if(stored.messages, [&](const auto& message) { return !admits_(message.event.envelope); });
    const auto home = home_region(entity);
    if (stored.messages.empty() || !home) return std::nullopt;
    const Thread thread = stored.add_up(*home);
    const Envelope& envelope = *stored.envelope(thread);
    MobilisationRow row;
    row.id = entity;
    row.audience = envelope.audience;
    row.status = status;
    row.region = *home;
    row.place = envelope.place;
    row.agency = envelope.agency;
    row.level = envelope.level;
    if (thread.request != nullptr) {
      row.incident = thread.request->incident;
      row.description = thread.request->description;
      row.sent = thread.first->sent;
      row.answer_by = thread.request->answer_by;
    }
    row.state = thread.state;
    row.open = !thread.over;
    row.updated_at = thread.updated_at;
    row.needs = thread.needs;
    lapse(row, thread, now_);
    add_members(row, thread, now_, members_);
    if (with_messages) add_messages(row, stored);
    return row;
  }

 private:
  ReadTables& tables_;
  TimeMs now_;
  const std::vector<RegionCode>& members_;
  const ReadView::Admits& admits_;
};

bool takes_part(const MobilisationRow& row, RegionCode region) {
  if (row.region == region) return true;
  const auto of = [&](const auto& each) { return each.region == region; };
  return std::any_of(row.members.begin(), row.members.end(), of) || std::any_of(row.holdings.begin(), row.holdings.end(), of);
}

bool matches(const MobilisationRow& row, const AskMobilisations& ask) {
  if (ask.open && !row.open) return false;
  if (!ask.incident.empty() && row.incident != ask.incident) return false;
  if (ask.region && !takes_part(row, *ask.region)) return false;
  return concerns(ask.place, row.place);
}

}  // namespace

MobilisationRows read_mobilisations(ReadTables& tables, const AskMobilisations& ask, TimeMs now,
                                    const std::vector<RegionCode>& members, const ReadView::Admits& admits) {
  MobilisationRows rows;
  Search search(tables, now, members, admits);
  if (!ask.entity.empty()) {
    std::vector<Status> statuses;
    {
      Run run(tables.statement(kStatuses));
      for (run.put(ask.entity); run.next();) statuses.push_back(static_cast<Status>(run.number(0)));
    }
    for (const Status status : statuses)
      if (auto row = search.row(ask.entity, status, true)) rows.rows.push_back(std::move(*row));
    return rows;
  }
  const std::size_t limit = limit_of(ask.limit);
  const auto cursor = parse_mobilisation_cursor(ask.after);
  const MobilisationCursor after = cursor ? *cursor : MobilisationCursor{};
  Run run(tables.statement(kThreads));
  run.put(ask.drills ? 1 : 0).put(ask.incident).put(cursor ? 1 : 0).put(after.sent).put(static_cast<int>(after.status));
  run.put(after.id);
  while (rows.rows.size() <= limit && run.next()) {
    if (ask.open && run.number(3) != 0) continue;
    auto row = search.row(run.text(0), static_cast<Status>(run.number(1)), false);
    if (row && matches(*row, ask)) rows.rows.push_back(std::move(*row));
  }
  rows.truncated = rows.rows.size() > limit;
  if (rows.truncated) rows.rows.resize(limit);
  return rows;
}

void hold_mobilisations(ReadTables& tables, const RetentionQuestion& ask, std::int64_t& cut, RetentionSurvey& survey) {
  for (std::int64_t before = cut + 1; before != cut;) {
    before = cut;
    Run run(
        tables.statement("SELECT t.entity, t.over, min(m.version), max(m.version) FROM mobilisation_message m"
                         " JOIN mobilisation t ON t.id = m.mobilisation WHERE m.region = ? AND t.audience = ?"
                         " GROUP BY t.id HAVING min(m.version) <= ?"));
    for (run.put(ask.feed.region.value).put(ask.audience).put(before); run.next();) {
      if (run.number(1) != 0 && run.number(3) <= before) continue;
      cut = std::min(cut, run.number(2) - 1);
      const std::string entity = run.text(0);
      const bool named = std::find(survey.held_by.begin(), survey.held_by.end(), entity) != survey.held_by.end();
      if (!named && survey.held_by.size() < kMaxRetentionHolders) survey.held_by.push_back(entity);
    }
  }
}

}  // namespace lianxi::store
