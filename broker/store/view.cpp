#include "broker/store/view.h"

#include <utility>

#include "broker/store/files.h"
#include "broker/store/log_vfs.h"
#include "broker/store/map_text.h"
#include "broker/store/migrations.h"
#include "broker/store/projections/alert.h"
#include "broker/store/projections/beginning.h"
#include "broker/store/projections/incident.h"
#include "broker/store/projections/mobilisation.h"
#include "broker/store/projections/resource.h"
#include "broker/store/projections/retention.h"
#include "broker/store/view_memory.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment_scan.h"

namespace lianxi::store {

namespace {

class SqliteView final : public View {
 public:
  SqliteView(Database db, std::shared_ptr<MapFeed> feed)
      : db_(std::move(db)),
        feed_(std::move(feed)),
        alerts_(*db_),
        incidents_(*db_),
        mobilisations_(*db_),
        resources_(*db_, feed_),
        retentions_(*db_),
        beginnings_(*db_),
        set_meta_(*db_, "UPDATE meta SET value = ? WHERE name = 'offset'"),
        set_digest_(*db_, "UPDATE audience SET digest = ? WHERE id = ?"),
        set_feed_(*db_,
                  "INSERT OR REPLACE INTO feed (region, epoch, lane, audience, sequence, hash, awaits)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?)"),
        count_unread_(*db_,
                      "INSERT INTO unread (reason, events) VALUES (?, ?)"
                      " ON CONFLICT (reason) DO UPDATE SET events = events + excluded.events") {
    reload();
  }

  [[nodiscard]] Offset offset() const override { return offset_; }

  [[nodiscard]] Offset taken() const override { return taken_; }

  using View::take;
  [[nodiscard]] StoreResult<void> take(std::span<const SegmentView> segments) override {
    return in_transaction("apply to the view", [&] {
      if (!transaction_) transaction_.emplace(*db_);
      for (const SegmentView& segment : segments) apply_segment(segment);
    });
  }

  [[nodiscard]] StoreResult<void> commit() override {
    if (!transaction_) return {};
    return in_transaction("commit the view", [&] {
      flush();
      // Before it can be seen: who reads the view at an offset finds what led there.
      if (feed_) feed_->post(taken_, resources_.changes());
      transaction_->commit();
      transaction_.reset();
      offset_ = taken_;
    });
  }

  [[nodiscard]] std::vector<Count> counts() override {
    std::vector<Count> counts;
    for (const auto& [of, events] : counts_) counts.push_back({std::get<0>(of), std::get<1>(of), std::get<2>(of), events});
    counts_.clear();
    return counts;
  }

  [[nodiscard]] std::vector<std::string> mismatches() override { return std::exchange(mismatches_, {}); }

  [[nodiscard]] std::vector<RetainedFeed> retained() override { return beginnings_.take_fresh(); }
  [[nodiscard]] StoreResult<void> each_stock(RegionCode region, const StockVisitor& visit) const override {
    return guarded("read the view's resources", [&] { visit_stock(*db_, region, visit); });
  }

  [[nodiscard]] StoreResult<void> each_cut(RegionCode region, const CutVisitor& visit) const override {
    return guarded("read the view's retentions", [&] { visit_cuts(*db_, region, visit); });
  }

  [[nodiscard]] StoreResult<void> each_mobilisation(const MobilisationVisitor& visit,
                                                    const FinishedVisitor& over) const override {
    return guarded("read the view's mobilisations", [&] { visit_mobilisations({*db_, visit, over}); });
  }

  [[nodiscard]] StoreResult<void> each_alert(RegionCode region, const AlertVisitor& visit) const override {
    return guarded("read the view's alerts", [&] {
      SQLite::Statement select(*db_, "SELECT entity, event_bytes FROM alert WHERE region = ? ORDER BY id");
      Run run(select);
      for (run.put(region.value); run.next();) visit(run.text(0), run.blob(1));
    });
  }

 private:
  template <class F>
  [[nodiscard]] StoreResult<void> in_transaction(const char* what, F&& f) {
    auto done = guarded(what, std::forward<F>(f));
    if (!done) {
      transaction_.reset();
      (void)guarded("reload the view", [&] { reload(); });
    }
    return done;
  }

  void reload() {
    incidents_.forget();
    mobilisations_.forget();
    resources_.forget();
    retentions_.reload();
    audiences_.clear();
    heads_.clear();
    unread_.clear();
    offset_ = Offset(from_stored(number_of(*db_, "SELECT value FROM meta WHERE name = 'offset'")));
    taken_ = offset_;
    if (feed_) feed_->withdraw(offset_);
    SQLite::Statement select(*db_, "SELECT name, id, digest FROM audience");
    for (Run run(select); run.next();) {
      const std::string name = run.text(0);
      audiences_[name] = {run.number(1), name, Digest(hash_of(run.blob(2), "audience")), false};
    }
    beginnings_.reload(audiences_);
  }

  AudienceRow& audience(const Audience& audience) {
    const auto found = audiences_.find(audience.text());
    if (found != audiences_.end()) return found->second;
    AudienceRow& row = audiences_[audience.text()];
    row.id = static_cast<std::int64_t>(audiences_.size());
    row.name = audience.text();
    SQLite::Statement insert(*db_, "INSERT INTO audience (id, name, digest) VALUES (?, ?, ?)");
    Run(insert).put(row.id).put(row.name).put(BytesView(row.digest.sum())).exec();
    return row;
  }

  void apply_segment(const SegmentView& stored) {
    if (auto read = scan_.read(stored.bytes); !read) {
      fail(StoreError::corrupt, "the segment at offset " + std::to_string(stored.first_offset.value) +
                                    " cannot be read: " + read.error().field + ": " + read.error().reason);
    }
    if (scan_.segments().size() != 1)
      fail(StoreError::corrupt, "no segment stands at offset " + std::to_string(stored.first_offset.value));
    const SegmentScan::Run& run = scan_.segments().front();
    const SegmentInfo& info = run.info;
    const Offset end(stored.first_offset.value + info.count);
    if (end <= taken_) return;
    if (stored.first_offset > taken_) {
      fail(StoreError::corrupt, "offsets " + std::to_string(taken_.value) + " to " + std::to_string(stored.first_offset.value) +
                                    " are missing before the next segment");
    }
    AudienceRow& of = audience(info.feed.audience);
    of.touched = true;
    beginnings_.arrives(info);
    std::map<Kind, std::uint64_t> kinds;
    for (std::uint32_t i = 0; i < info.count; ++i) {
      const Offset at(stored.first_offset.value + i);
      if (at < taken_) continue;
      Kind kind = Kind::unknown;
      const char* reason = apply_record(info.feed, scan_.record(run, i), at, of, kind);
      if (reason != nullptr) ++unread_[reason];
      ++kinds[kind];
    }
    for (const auto& [kind, events] : kinds) counts_[{info.feed.region, info.feed.lane, kind}] += events;
    const RecordView& last = scan_.record(run, info.count - 1);
    heads_[info.feed] = {of.id, FeedHead{last.stamp.sequence, last.hash}};
    taken_ = end;
  }

  // Why the event left no row; nullptr if it left one. Says its kind if it can be read.
  const char* apply_record(const FeedId& feed, const RecordView& record, Offset at, AudienceRow& of, Kind& kind) {
    if (record.redacted) return "redacted";
    if (!reader_.read(record.body)) return "unreadable";
    const Envelope& envelope = reader_.envelope();
    kind = envelope.kind;
    if (envelope.audience != feed.audience) return "audience is not the feed's";
    const auto version = decision_of(feed.epoch, record.stamp.ordinal);
    if (!version) return "unreadable";
    const Applied applied{feed, record, envelope, reader_.home(), *version, at, of};
    if (const Retention* retention = reader_.retention()) beginnings_.note(applied, *retention);
    if (!retentions_.counts({feed.region, feed.lane, of.id}, *version)) return "before the retention";
    if (reader_.has_body() && reader_.lane() != feed.lane) return "lane is not the feed's";
    if (const Retention* retention = reader_.retention()) return apply_retention(applied, *retention);
    constexpr const char* kNotHome = "not the home region's";
    if (const Alert* alert = reader_.alert()) return alerts_.apply(applied, *alert) ? nullptr : kNotHome;
    if (const ResourceView* resource = reader_.resource()) return resources_.apply(applied, *resource) ? nullptr : kNotHome;
    if (reader_.mobilisation() != nullptr) {
      mobilisations_.apply(applied);
      return nullptr;
    }
    const ReportView* report = reader_.report();
    if (report == nullptr) return "unknown kind";
    incidents_.apply(applied, *report);
    return nullptr;
  }

  const char* apply_retention(const Applied& applied, const Retention& retention) {
    const auto cut = retentions_.take(applied, retention);
    if (!cut) return "no retention of its feed";
    if (*cut == 0) return nullptr;
    const FeedId& feed = applied.feed;
    const Source source{feed.region, feed.lane, applied.audience.id};
    incidents_.flush();
    resources_.flush();
    if (feed.lane == Lane::flash) {
      alerts_.drop(source, *cut, applied.audience);
      mobilisations_.drop(source, *cut, applied.audience);
    }
    if (feed.lane == Lane::normal) incidents_.drop(source, *cut, applied.audience);
    if (feed.lane != Lane::flash) resources_.drop(source, *cut, applied.audience);
    // It describes what never comes here, where the feed begins behind a later one.
    if (beginnings_.awaits(feed).value > 0) return nullptr;
    // A later epoch of the region may have changed the same rows before this feed came so far.
    if (later_epoch(feed, applied.audience.id) || kept_digest(*db_, feed, applied.audience.id, *cut) == retention.digest)
      return nullptr;
    mismatches_.push_back("what stands here of " + to_text(feed) + " up to sequence " + std::to_string(retention.position.value) +
                          " is not what its region says in its retention of sequence " +
                          std::to_string(applied.record.stamp.sequence.value) +
                          "; compare the digests of `lianxi status` with the other nodes and rebuild the view that differs");
    return nullptr;
  }

  bool later_epoch(const FeedId& feed, std::int64_t audience) {
    for (const auto& [other, head] : heads_)
      if (other.region == feed.region && other.lane == feed.lane && other.audience == feed.audience && other.epoch > feed.epoch)
        return true;
    SQLite::Statement select(*db_, "SELECT 1 FROM feed WHERE region = ? AND epoch > ? AND lane = ? AND audience = ? LIMIT 1");
    return Run(select).put(feed.region.value).put(feed.epoch.value).put(static_cast<int>(feed.lane)).put(audience).next();
  }

  void flush() {
    incidents_.flush();
    mobilisations_.flush([this](const std::string& resource, Status status, std::int64_t milli, auto state) {
      resources_.held(resource, status, milli, state);
    });
    resources_.flush();
    for (auto& [name, row] : audiences_) {
      if (!row.touched) continue;
      Run(set_digest_).put(BytesView(row.digest.sum())).put(row.id).exec();
      row.touched = false;
    }
    for (const auto& [feed, at] : heads_) {
      Run(set_feed_)
          .put(feed.region.value)
          .put(feed.epoch.value)
          .put(static_cast<int>(feed.lane))
          .put(at.first)
          .put(at.second.sequence.value)
          .put(BytesView(at.second.hash))
          .put(beginnings_.awaits(feed).value)
          .exec();
    }
    heads_.clear();
    for (const auto& [reason, events] : unread_) Run(count_unread_).put(reason).put(events).exec();
    unread_.clear();
    Run(set_meta_).put(taken_.value).exec();
  }

  Database db_;
  std::shared_ptr<MapFeed> feed_;
  AlertProjection alerts_;
  IncidentProjection incidents_;
  MobilisationProjection mobilisations_;
  ResourceProjection resources_;
  RetentionProjection retentions_;
  BeginningProjection beginnings_;
  SQLite::Statement set_meta_, set_digest_, set_feed_, count_unread_;
  Offset offset_{1}, taken_{1};
  std::map<std::string, AudienceRow> audiences_;
  SegmentScan scan_;
  EventReader reader_;
  std::optional<Transaction> transaction_;
  // Of the open transaction.
  std::map<FeedId, std::pair<std::int64_t, FeedHead>> heads_;
  std::map<std::string, std::uint64_t> unread_;
  std::vector<std::string> mismatches_;
  // Since they were asked for.
  std::map<std::tuple<RegionCode, Lane, Kind>, std::uint64_t> counts_;
};

Database open_tables(const ViewOptions& options, const JournalIdentity& journal) {
  Database db = open_database(options.path, OpenMode::create, options.vfs.empty() ? view_vfs() : options.vfs);
  // Large pages and few checkpoints: an event's bytes are copied by log and checkpoint alike, and each page costs its calls.
  db->exec("PRAGMA page_size=16384");
  db->exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=FAST");
  db->exec("PRAGMA cache_size=-32768; PRAGMA wal_autocheckpoint=1000");
  if (!add_tokenizer(db->getHandle())) fail(StoreError::io, "this SQLite has no FTS5");
  migrate(*db, view_migrations());
  if (number_of(*db, "SELECT count(*) FROM meta") == 0) {
    Transaction transaction(*db);
    SQLite::Statement insert(*db, "INSERT INTO meta (name, value) VALUES (?, ?)");
    const std::pair<std::string, std::uint64_t> values[] = {{"region", journal.region.value},
                                                            {"incarnation", journal.incarnation.value},
                                                            {"view_version", kViewVersion},
                                                            {"offset", 1}};
    for (const auto& [name, value] : values) Run(insert).put(name).put(value).exec();
    transaction.commit();
  }
  return db;
}

bool is_view_of(SQLite::Database& db, const JournalIdentity& journal) {
  const auto value = [&](const char* name) {
    return from_stored(number_of(db, std::string("SELECT value FROM meta WHERE name = '") + name + "'"));
  };
  return value("region") == journal.region.value && value("incarnation") == journal.incarnation.value &&
         value("view_version") == kViewVersion;
}

}  // namespace

StoreResult<std::unique_ptr<View>> open_view(const ViewOptions& options, const JournalIdentity& journal) {
  // What cannot be read as this journal's view is made anew: everything in it stands in the journal.
  auto found = guarded("open the view", [&]() -> std::unique_ptr<View> {
    Database db = open_tables(options, journal);
    if (!is_view_of(*db, journal)) return nullptr;
    return std::make_unique<SqliteView>(std::move(db), options.map);
  });
  if (found && *found) return found;
  if (!found && found.error().code != StoreError::corrupt && found.error().code != StoreError::newer_version) {
    return tl::unexpected(found.error());
  }
  return guarded("rebuild the view", [&]() -> std::unique_ptr<View> {
    remove_database(options.path, options.vfs);
    return std::make_unique<SqliteView>(open_tables(options, journal), options.map);
  });
}

StoreResult<void> View::take(const std::vector<JournalSegment>& segments) {
  std::vector<SegmentView> views;
  views.reserve(segments.size());
  for (const JournalSegment& segment : segments) views.push_back({segment.first_offset, segment.bytes});
  return take(views);
}

StoreResult<void> View::apply(const std::vector<JournalSegment>& segments) {
  if (auto done = take(segments); !done) return done;
  return commit();
}

StoreResult<void> catch_up(View& view, JournalReader& journal, std::size_t max_bytes) {
  const auto head = journal.next_offset();
  if (!head) return tl::unexpected(head.error());
  if (view.offset() > *head) {
    return tl::unexpected(StoreFailure{StoreError::corrupt, "the view stands at offset " + std::to_string(view.offset().value) +
                                                                ", the journal ends at " + std::to_string(head->value) +
                                                                ": rebuild the view"});
  }
  while (true) {
    std::size_t bytes = 0;
    while (bytes < max_bytes) {
      const auto segments = journal.read(view.taken(), std::min(max_bytes - bytes, kTakeBytes));
      if (!segments) return tl::unexpected(segments.error());
      if (segments->empty()) return view.commit();
      for (const JournalSegment& segment : *segments) bytes += segment.bytes.size();
      if (auto taken = view.take(*segments); !taken) return taken;
    }
    if (auto done = view.commit(); !done) return done;
  }
}

}  // namespace lianxi::store
