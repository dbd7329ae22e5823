#include "broker/store/cursor_table.h"

namespace lianxi::store {

std::vector<CursorRow> CursorTable::load() const {
  std::vector<CursorRow> rows;
  SQLite::Statement select(db_, "SELECT agent, name, incarnation, offset, used_at FROM cursor");
  for (Run run(select); run.next();) {
    auto agent = AgentId::parse(run.text(0));
    if (!agent) fail(StoreError::corrupt, "a cursor row names no agent");
    rows.push_back({{std::move(*agent), run.text(1)}, Incarnation(run.number_u64(2)), Offset(run.number_u64(3)), run.number(4)});
  }
  return rows;
}

void CursorTable::write(const std::vector<CursorRow>& rows) {
  if (rows.empty()) return;
  if (!write_)
    write_ = std::make_unique<SQLite::Statement>(
        db_, "INSERT OR REPLACE INTO cursor (agent, name, incarnation, offset, used_at) VALUES (?, ?, ?, ?, ?)");
  for (const CursorRow& row : rows) {
    Run(*write_)
        .put(row.key.agent.text())
        .put(row.key.name)
        .put(row.incarnation.value)
        .put(row.offset.value)
        .put(row.used_at)
        .exec();
  }
}

void CursorTable::forget(const std::vector<CursorKey>& keys) {
  if (keys.empty()) return;
  if (!forget_) forget_ = std::make_unique<SQLite::Statement>(db_, "DELETE FROM cursor WHERE agent = ? AND name = ?");
  for (const CursorKey& key : keys) Run(*forget_).put(key.agent.text()).put(key.name).exec();
}

}  // namespace lianxi::store
