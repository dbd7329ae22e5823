#include "broker/store/view_memory.h"

namespace lianxi::store {

void visit_stock(SQLite::Database& db, RegionCode region, const View::StockVisitor& visit) {
  SQLite::Statement select(db,
                           "SELECT r.entity, a.name, r.status, r.unit, r.type, r.record_state, r.changed_state, r.record_version,"
                           " r.removed_version, r.state_version, r.quantity_version, r.quantity_milli,"
                           " coalesce(r.valid_from, 0), coalesce(r.valid_until, 0), r.record_state_version"
                           " FROM resource r JOIN audience a ON a.id = r.audience WHERE r.region = ?");
  Run run(select);
  for (run.put(region.value); run.next();) {
    View::StockOf of;
    of.entity = run.text(0);
    of.audience = run.text(1);
    of.status = static_cast<Status>(run.number(2));
    of.unit = run.text(3);
    of.type = static_cast<ResourceType>(run.number(4));
    of.record_state = static_cast<ResourceState>(run.number(5));
    of.changed_state = static_cast<ResourceState>(run.number(6));
    of.record = run.number(7);
    of.removed = run.number(8);
    of.state_version = run.number(9);
    of.quantity_version = run.number(10);
    of.quantity_milli = run.number(11);
    of.valid_from = run.number(12);
    of.valid_until = run.number(13);
    of.record_state_version = run.number(14);
    visit(of);
  }
}

void visit_cuts(SQLite::Database& db, RegionCode region, const View::CutVisitor& visit) {
  SQLite::Statement select(
      db, "SELECT a.name, r.lane, r.cut FROM retention r JOIN audience a ON a.id = r.audience WHERE r.region = ?");
  Run run(select);
  for (run.put(region.value); run.next();) visit({run.text(0), static_cast<Lane>(run.number(1)), run.number(2)});
}

void visit_mobilisations(const ThreadVisit& ask) {
  SQLite::Statement open(ask.db,
                         "SELECT m.region, m.version, m.time, m.event_bytes FROM mobilisation_message m"
                         " JOIN mobilisation t ON t.id = m.mobilisation WHERE t.over = 0");
  for (Run run(open); run.next();)
    ask.visit({RegionCode(static_cast<std::uint32_t>(run.number(0))), run.number(1), Hlc(run.number_u64(2)), run.blob(3)});
  SQLite::Statement done(ask.db, "SELECT entity, status FROM mobilisation WHERE over = 1 ORDER BY sent");
  for (Run run(done); run.next();) ask.over(run.text(0), static_cast<Status>(run.number(1)));
}

}  // namespace lianxi::store
