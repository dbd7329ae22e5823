#include "broker/store/beginning_table.h"

namespace lianxi::store {

std::vector<Beginning> BeginningTable::load() const {
  std::vector<Beginning> rows;
  if (number_of(db_, "SELECT count(*) FROM sqlite_schema WHERE name = 'beginning'") == 0) return rows;
  SQLite::Statement select(db_,
                           "SELECT region, epoch, lane, audience, sequence, hash, retained_at, proof FROM beginning"
                           " ORDER BY region, epoch, lane, audience");
  for (Run row(select); row.next();) {
    auto audience = Audience::parse(row.text(3));
    const std::int64_t lane = row.number(2);
    if (!audience || lane < 0 || lane >= static_cast<std::int64_t>(kLaneCount))
      fail(StoreError::corrupt, "a beginning's row names no feed");
    Beginning beginning{{RegionCode(static_cast<std::uint32_t>(row.number(0))), Epoch(static_cast<std::uint32_t>(row.number(1))),
                         static_cast<Lane>(lane), *audience},
                        {Sequence(row.number_u64(4)), hash_of(row.blob(5), "beginning")},
                        Sequence(row.number_u64(6)),
                        {}};
    if (!row.is_null(7)) {
      const BytesView proof = row.blob(7);
      beginning.proof.assign(proof.begin(), proof.end());
    }
    rows.push_back(std::move(beginning));
  }
  return rows;
}

void BeginningTable::write(const Beginning& row) {
  SQLite::Statement insert(db_,
                           "INSERT INTO beginning (region, epoch, lane, audience, sequence, hash, retained_at, proof)"
                           " VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  Run run(insert);
  run.put(row.feed.region.value)
      .put(row.feed.epoch.value)
      .put(static_cast<int>(row.feed.lane))
      .put(row.feed.audience.text())
      .put(row.through.sequence.value)
      .put(BytesView(row.through.hash))
      .put(row.retained_at.value);
  if (row.proof.empty()) {
    run.put_null();
  } else {
    run.put(BytesView(row.proof));
  }
  run.exec();
}

}  // namespace lianxi::store
