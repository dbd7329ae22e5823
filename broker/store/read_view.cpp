#include "broker/store/read_view.h"

#include <sqlite3.h>

#include <algorithm>
#include <set>

#include "broker/store/files.h"
#include "broker/store/map_reader.h"
#include "broker/store/mapped_vfs.h"
#include "broker/store/migrations.h"
#include "broker/store/read_tables.h"
#include "schemas/limits.h"
#include "schemas/places.h"

namespace lianxi::store {

namespace {

constexpr int kStepsBetweenLooks = 2'000;  // of SQLite's machine; some tens of microseconds
constexpr const char* kOffset = "SELECT value FROM meta WHERE name = 'offset'";
constexpr const char* kRollback = "ROLLBACK";

class SqliteReadView final : public ReadView {
 public:
  explicit SqliteReadView(const ViewOptions& options) : tables_(options), map_(options.map) {}

  [[nodiscard]] StoreResult<Offset> offset() override {
    return guarded("ask the view", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return tables_.offset();
    });
  }
  [[nodiscard]] Offset seen() const override { return tables_.offset(); }
  [[nodiscard]] StoreResult<void> follow() override {
    return guarded("follow the map", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      map_.follow(tables_);
    });
  }
  using ReadView::resources;
  [[nodiscard]] StoreResult<ResourceRows> resources(const AskResources& ask, const MapContext& context,
                                                    const Admits& admits) override {
    return guarded("ask for resources", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return map_.rows(tables_, ask, context, admits);
    });
  }
  [[nodiscard]] StoreResult<TotalRows> totals(const AskTotals& ask, const MapContext& context, const Admits& admits) override {
    return guarded("ask for totals", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return map_.totals(tables_, ask, context, admits);
    });
  }
  [[nodiscard]] StoreResult<AlertRows> alerts(const AskAlerts& ask, TimeMs now, const Admits& admits) override {
    return guarded("ask for alerts", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return read_alerts(tables_, ask, now, admits);
    });
  }
  [[nodiscard]] StoreResult<IncidentRows> incidents(const AskIncidents& ask, const Admits& admits) override {
    return guarded("ask for incidents", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return read_incidents(tables_, ask, admits);
    });
  }

  [[nodiscard]] StoreResult<MobilisationRows> mobilisations(const AskMobilisations& ask, TimeMs now,
                                                            const std::vector<RegionCode>& members,
                                                            const Admits& admits) override {
    return guarded("ask for mobilisations", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return read_mobilisations(tables_, ask, now, members, admits);
    });
  }

  [[nodiscard]] StoreResult<RetentionSurvey> retention(const FeedId& feed, Ordinal through, TimeMs now) override {
    return guarded("ask what a retention would be", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return read_retention(tables_, feed, through, now);
    });
  }

  [[nodiscard]] StoreResult<std::vector<Offset>> events_of(const std::string& entity, std::size_t most) override {
    return guarded("ask for an entity's events", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      return read_events_of(tables_, entity, most);
    });
  }

  [[nodiscard]] StoreResult<std::vector<DigestRow>> digests() override {
    return guarded("ask for digests", [&] {
      const ReadTables::Snapshot snapshot(tables_);
      std::map<std::string, DigestRow> rows;
      Run audiences(tables_.statement("SELECT id, digest FROM audience"));
      while (audiences.next()) {
        const Audience& audience = tables_.audience(audiences.number(0));
        rows[audience.text()] = {audience, hash_of(audiences.blob(1), "audience"), {}};
      }
      // While a retention is awaited from which a feed begins here, the digest is not that of its vector.
      std::set<std::string> open;
      Run feeds(tables_.statement("SELECT region, epoch, lane, audience, sequence, hash, awaits FROM feed"));
      while (feeds.next()) {
        const Audience& audience = tables_.audience(feeds.number(3));
        const FeedId feed{RegionCode(static_cast<std::uint32_t>(feeds.number(0))),
                          Epoch(static_cast<std::uint32_t>(feeds.number(1))), static_cast<Lane>(feeds.number(2)), audience};
        rows[audience.text()].vector.push_back({feed, {Sequence(feeds.number_u64(4)), hash_of(feeds.blob(5), "feed")}});
        if (feeds.number(6) > 0) open.insert(audience.text());
      }
      std::vector<DigestRow> digests;
      for (auto& [name, row] : rows) {
        if (open.contains(name)) continue;
        std::sort(row.vector.begin(), row.vector.end(), [](const auto& a, const auto& b) { return a.feed < b.feed; });
        digests.push_back(std::move(row));
      }
      return digests;
    });
  }

 private:
  ReadTables tables_;
  MapReader map_;
};

}  // namespace

ReadTables::ReadTables(const ViewOptions& options)
    : vfs_(options.vfs), db_(open_database(options.path, OpenMode::read, options.vfs.empty() ? mapped_vfs() : options.vfs)) {
  // Pages are read where the system has them: texts, threads and alerts lie all over their tables.
  db_->exec("PRAGMA cache_size=-8192; PRAGMA mmap_size=4294967296");
  if (!add_tokenizer(db_->getHandle())) fail(StoreError::io, "this SQLite has no FTS5");
  db_->exec("CREATE VIRTUAL TABLE temp.resource_words USING fts5vocab('main', 'resource_text', 'row'); PRAGMA query_only=1");
  check_version(*db_, view_migrations());
  const std::int64_t version = number_of(*db_, "SELECT value FROM meta WHERE name = 'view_version'");
  if (version != kViewVersion) fail(StoreError::newer_version, "the view is of version " + std::to_string(version));
  (void)statement(kRollback);
  sqlite3_progress_handler(db_->getHandle(), kStepsBetweenLooks, &ReadTables::give_up, this);
}

int ReadTables::give_up(void* tables) {
  const auto* self = static_cast<const ReadTables*>(tables);
  return self->deadline_ms_ != 0 && vfs_time_ms(self->vfs_) > self->deadline_ms_ ? 1 : 0;
}

std::int64_t ReadTables::Unbounded::vfs_now(const ReadTables& tables) {
  return vfs_time_ms(tables.vfs_);
}

ReadTables::Snapshot::Snapshot(ReadTables& tables) : tables_(tables) {
  Run(tables_.statement("BEGIN")).exec();
  try {
    begin();
  } catch (...) {
    end();
    throw;
  }
}

void ReadTables::Snapshot::begin() {
  tables_.deadline_ms_ = vfs_time_ms(tables_.vfs_) + kMaxReadTransactionMs;
  Run offset(tables_.statement(kOffset));
  if (!offset.next()) fail(StoreError::corrupt, "the view does not say where it stands");
  const Offset now(offset.number_u64(0));
  if (now == tables_.offset_) return;
  Run run(tables_.statement("SELECT id, name FROM audience"));
  while (run.next()) {
    if (auto audience = Audience::parse(run.text(1))) tables_.audiences_.insert_or_assign(run.number(0), *audience);
  }
  tables_.offset_ = now;
}

void ReadTables::Snapshot::end() noexcept {
  tables_.deadline_ms_ = 0;
  SQLite::Statement& rollback = tables_.statement(kRollback);  // prepared at the start
  (void)rollback.tryExecuteStep();
  (void)rollback.tryReset();
}

ReadTables::Snapshot::~Snapshot() {
  end();
}

SQLite::Statement& ReadTables::statement(Literal literal) {
  const auto found = literals_.find(literal.text);
  if (found != literals_.end()) return found->second;
  return literals_.emplace(literal.text, SQLite::Statement(*db_, literal.text)).first->second;
}

SQLite::Statement& ReadTables::composed(const std::string& sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  return statements_.emplace(sql, SQLite::Statement(*db_, sql)).first->second;
}

const Audience& ReadTables::audience(std::int64_t row) const {
  const auto found = audiences_.find(row);
  if (found == audiences_.end()) fail(StoreError::corrupt, "a row is of no known audience");
  return found->second;
}

std::int64_t ReadTables::conference() const {
  const auto found =
      std::find_if(audiences_.begin(), audiences_.end(), [](const auto& row) { return row.second == Audience::conference(); });
  return found == audiences_.end() ? 0 : found->first;
}

int width_of(const Audience& audience) {
  if (audience.is_local()) return 0;
  return audience == Audience::conference() ? 2 : 1;
}

bool is_narrower(const Audience& a, const Audience& b) {
  return std::pair(width_of(a), a.text()) < std::pair(width_of(b), b.text());
}

PlaceCode place_of(const std::string& stored) {
  return PlaceCode::parse(stored).value_or(PlaceCode());
}

PlaceRange range_of(const std::optional<PlaceCode>& place) {
  constexpr char kBehindDigits = '9' + 1;
  if (!place) return {"", std::string(1, kBehindDigits)};
  const std::string prefix(place->prefix());
  return {prefix, prefix + kBehindDigits};
}

bool concerns(const std::optional<PlaceCode>& asked, const PlaceCode& place) {
  return !asked || meet(*asked, place);
}

std::size_t limit_of(std::uint32_t asked) {
  return std::min(asked == 0 ? kDefaultQueryLimit : asked, kMaxQueryLimit);
}

StoreResult<std::unique_ptr<ReadView>> open_read_view(const ViewOptions& options) {
  return guarded("open the view for reading",
                 [&]() -> std::unique_ptr<ReadView> { return std::make_unique<SqliteReadView>(options); });
}

}  // namespace lianxi::store
