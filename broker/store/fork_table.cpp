#include "broker/store/fork_table.h"

namespace lianxi::store {

namespace {

bool has_tables(SQLite::Database& db) {
  return number_of(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'quarantine'") != 0;
}

FeedId feed_of(const Run& row) {
  auto audience = Audience::parse(row.text(3));
  const std::int64_t lane = row.number(2);
  if (!audience || lane < 0 || lane >= static_cast<std::int64_t>(kLaneCount))
    fail(StoreError::corrupt, "a quarantine row names no feed");
  return {RegionCode(static_cast<std::uint32_t>(row.number(0))), Epoch(static_cast<std::uint32_t>(row.number(1))),
          static_cast<Lane>(lane), *audience};
}

}  // namespace

std::optional<Fence> ForkTable::load_fence() const {
  if (!has_tables(db_)) return std::nullopt;
  SQLite::Statement select(db_, "SELECT epoch, state, since FROM fence");
  Run run(select);
  if (!run.next()) return std::nullopt;
  const std::int64_t state = run.number(1);
  if (state < 0 || state > static_cast<std::int64_t>(Fence::State::overridden))
    fail(StoreError::corrupt, "the fence's row has no known state");
  Fence fence{Epoch(static_cast<std::uint32_t>(run.number(0))), static_cast<Fence::State>(state), run.number(2), {}};
  SQLite::Statement missing(db_, "SELECT region, lanes FROM fence_missing ORDER BY region");
  for (Run row(missing); row.next();)
    fence.missing.emplace_back(RegionCode(static_cast<std::uint32_t>(row.number(0))), static_cast<LaneMask>(row.number(1)));
  return fence;
}

void ForkTable::write(const Fence& fence) {
  db_.exec("DELETE FROM fence; DELETE FROM fence_missing");
  SQLite::Statement insert(db_, "INSERT INTO fence (epoch, state, since) VALUES (?, ?, ?)");
  Run(insert).put(fence.epoch.value).put(static_cast<int>(fence.state)).put(fence.since).exec();
  SQLite::Statement missing(db_, "INSERT INTO fence_missing (region, lanes) VALUES (?, ?)");
  for (const auto& [region, lanes] : fence.missing) Run(missing).put(region.value).put(static_cast<int>(lanes)).exec();
}

std::vector<Quarantined> ForkTable::load_quarantine() const {
  std::vector<Quarantined> rows;
  if (!has_tables(db_)) return rows;
  SQLite::Statement select(
      db_,
      "SELECT region, epoch, lane, audience, first_sequence, last_sequence, last_hash, differs, held_hash,"
      " other_hash, by, at, bytes FROM quarantine ORDER BY at, region, epoch, lane, audience, last_sequence");
  for (Run row(select); row.next();) {
    rows.push_back({feed_of(row), Sequence(row.number_u64(4)), Sequence(row.number_u64(5)), hash_of(row.blob(6), "quarantine"),
                    Sequence(row.number_u64(7)), hash_of(row.blob(8), "quarantine"), hash_of(row.blob(9), "quarantine"),
                    RegionCode(static_cast<std::uint32_t>(row.number(10))), row.number(11), row.number_u64(12)});
  }
  return rows;
}

std::vector<QuarantinedSegment> ForkTable::load_segments() const {
  std::vector<QuarantinedSegment> segments;
  if (!has_tables(db_)) return segments;
  SQLite::Statement select(db_, "SELECT segment FROM quarantined_segment WHERE last_hash = ?");
  for (const Quarantined& about : load_quarantine()) {
    Run row(select);
    if (!row.put(BytesView(about.last_hash)).next()) continue;  // it came while another file was written
    const BytesView bytes = row.blob(0);
    segments.push_back({about, Bytes(bytes.begin(), bytes.end())});
  }
  return segments;
}

void ForkTable::write(const Quarantined& row) {
  SQLite::Statement insert(db_,
                           "INSERT OR IGNORE INTO quarantine (region, epoch, lane, audience, first_sequence, last_sequence,"
                           " last_hash, differs, held_hash, other_hash, by, at, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
                           " ?, ?)");
  Run(insert)
      .put(row.feed.region.value)
      .put(row.feed.epoch.value)
      .put(static_cast<int>(row.feed.lane))
      .put(row.feed.audience.text())
      .put(row.first.value)
      .put(row.last.value)
      .put(BytesView(row.last_hash))
      .put(row.differs.value)
      .put(BytesView(row.held))
      .put(BytesView(row.other))
      .put(row.by.value)
      .put(row.at)
      .put(row.bytes)
      .exec();
}

void ForkTable::write(const QuarantinedSegment& segment) {
  write(segment.about);
  if (number_of(db_, "SELECT changes()") == 0) return;  // it is kept, in this file or one before
  SQLite::Statement insert(db_, "INSERT OR IGNORE INTO quarantined_segment (last_hash, segment) VALUES (?, ?)");
  Run(insert).put(BytesView(segment.about.last_hash)).put(BytesView(segment.segment)).exec();
}

}  // namespace lianxi::store
