#include "broker/store/journal_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "broker/store/files.h"
#include "broker/store/log_vfs.h"
#include "broker/store/migrations.h"
#include "broker/store/wal_scan.h"

namespace lianxi::store {

namespace {

constexpr std::uint64_t kFrameHeaderBytes = 24;

FeedId read_feed_id(const Run& row, int column) {
  auto audience = Audience::parse(row.text(column + 3));
  const std::int64_t lane = row.number(column + 2);
  if (!audience || lane < 0 || lane >= static_cast<std::int64_t>(kLaneCount))
    fail(StoreError::corrupt, "a feed row cannot be read");
  return {RegionCode(static_cast<std::uint32_t>(row.number(column))), Epoch(static_cast<std::uint32_t>(row.number(column + 1))),
          static_cast<Lane>(lane), *audience};
}

SessionKey read_session_key(const Run& row) {
  auto agent = AgentId::parse(row.text(0));
  if (!agent) fail(StoreError::corrupt, "a session row names no agent");
  return {*agent, SessionId(row.number_u64(1))};
}

// The last stamps of the region's own feeds: where its ordinal and clock stand.
void read_last_stamps(SQLite::Database& db, const JournalIdentity& identity, JournalState& state) {
  SQLite::Statement last(db,
                         "SELECT s.bytes FROM segment s JOIN (SELECT feed, max(sequence), offset FROM seal GROUP BY feed) l"
                         " ON l.offset = s.offset JOIN feed f ON f.id = l.feed WHERE f.region = ?");
  Run run(last);
  run.put(identity.region.value);
  while (run.next()) {
    const auto segment = Segment::parse(run.blob(0));
    if (!segment || segment->records().empty()) fail(StoreError::corrupt, "the last segment of a feed cannot be read");
    const Stamp& stamp = segment->records().back().stamp;
    state.last_time = std::max(state.last_time, stamp.time);
    if (segment->info().feed.epoch == identity.epoch) state.last_ordinal = std::max(state.last_ordinal, stamp.ordinal);
  }
}

}  // namespace

std::optional<JournalMeta> read_meta(SQLite::Database& db) {
  if (number_of(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'meta'") == 0) return std::nullopt;
  std::map<std::string, std::int64_t> values;
  SQLite::Statement select(db, "SELECT name, value FROM meta");
  for (Run run(select); run.next();) values[run.text(0)] = run.number(1);
  if (values.empty()) return std::nullopt;
  const auto value = [&](const char* name) {
    const auto found = values.find(name);
    if (found == values.end()) fail(StoreError::corrupt, std::string("meta has no ") + name);
    return from_stored(found->second);
  };
  return JournalMeta{{RegionCode(static_cast<std::uint32_t>(value("region"))), Epoch(static_cast<std::uint32_t>(value("epoch"))),
                      Incarnation(value("incarnation"))},
                     value("file"),
                     Offset(value("first_offset")),
                     Ordinal(value("opening_ordinal")),
                     Hlc(value("opening_time"))};
}

std::map<FeedId, StoredFeed> read_feeds(SQLite::Database& db) {
  std::map<FeedId, StoredFeed> feeds;
  SQLite::Statement select(db, "SELECT id, opening_sequence, opening_hash, region, epoch, lane, audience FROM feed");
  for (Run run(select); run.next();) {
    feeds[read_feed_id(run, 3)] = {run.number(0), {Sequence(run.number_u64(1)), hash_of(run.blob(2), "feed")}};
  }
  return feeds;
}

FeedHead read_head(SQLite::Database& db, const StoredFeed& feed) {
  SQLite::Statement select(db, "SELECT sequence, hash FROM seal WHERE feed = ? ORDER BY sequence DESC LIMIT 1");
  Run run(select);
  if (!run.put(feed.row).next()) return feed.opening;
  return {Sequence(run.number_u64(0)), hash_of(run.blob(1), "seal")};
}

JournalFile::JournalFile(const JournalOptions& options, std::uint64_t number, OpenMode mode)
    : number_(number),
      folder_(options.folder),
      path_(journal_path(options.folder, number)),
      keeps_log_(options.vfs.empty()),
      db_(open_database(path_, mode, keeps_log_ ? log_vfs() : options.vfs)) {
  db_->exec(options.sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
  db_->exec("PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=FAST; PRAGMA cache_size=-3072");
}

// Counts the log's pages after each commit; being set, it also keeps SQLite from checkpointing by itself.
void JournalFile::watch_log() {
  const auto note = [](void* log, sqlite3*, const char*, int pages) {
    auto& noted = *static_cast<Log*>(log);
    noted.bytes = static_cast<std::uint64_t>(pages) * noted.frame_bytes;
    return SQLITE_OK;
  };
  log_.frame_bytes = static_cast<std::uint64_t>(number_of(*db_, "PRAGMA page_size")) + kFrameHeaderBytes;
  sqlite3_wal_hook(db_->getHandle(), note, &log_);
}

// An empty database that keeps a log; no connection is left to it.
void JournalFile::make_database(const std::string& path, const std::string& vfs) {
  const Database db = open_database(path, OpenMode::create, vfs);
  db->exec("PRAGMA page_size=" + std::to_string(kJournalPageBytes));
  keep_wal(*db, path);
}

std::unique_ptr<JournalFile> JournalFile::make(const JournalOptions& options, std::uint64_t number) {
  const std::string path = journal_path(options.folder, number);
  if (options.vfs.empty()) {
    // Whoever sees the database finds its log beside it: a reader that opened another one would look for commits there.
    const std::string fresh = path + ".new";
    remove_database(fresh, "");
    make_database(fresh, log_vfs());
    (void)give_log(options.folder, path);
    move_file(fresh, path);
    sync_folder(options.folder, "");
  } else {
    make_database(path, options.vfs);
  }
  std::unique_ptr<JournalFile> file(new JournalFile(options, number, OpenMode::write));
  migrate(*file->db_, journal_migrations());
  file->watch_log();
  sync_folder(options.folder, options.vfs);
  file->database_bytes_ = kJournalPageBytes;
  return file;
}

std::unique_ptr<JournalFile> JournalFile::open(const JournalOptions& options, std::uint64_t number) {
  const std::string path = journal_path(options.folder, number);
  const WalScan wal = scan_wal(path + "-wal", page_bytes_of(path, options.vfs), options.vfs);
  if (wal.later_commits) {
    fail(StoreError::corrupt, path + "-wal is damaged at " + wal.place +
                                  " and later commits stand behind it; SQLite would drop them: repair from a peer or a backup");
  }
  // Before the checkpoint: of pages that are half copied when the power goes, the rest stands in the log alone.
  if (wal.valid_bytes > 0)
    VfsFile(path + "-wal", FileKind::wal, options.vfs, FileAccess::read_write).write_again(wal.valid_bytes);
  if (options.vfs.empty() && !file_exists(path + "-wal", "")) (void)give_log(options.folder, path);
  std::unique_ptr<JournalFile> file(new JournalFile(options, number, OpenMode::write));
  if (!file->checkpoint()) fail(StoreError::io, path + ": its log cannot be checkpointed, another process holds it");
  // An emptied log that comes back after a power cut changes nothing if all of it was on disk. After a sync that failed it was
  // not, and what comes back may be its older half. (For a VFS an empty file is none.)
  if (std::filesystem::exists(path + "-wal")) VfsFile(path + "-wal", FileKind::wal, options.vfs).sync();
  file->watch_log();
  check_version(*file->db_, journal_migrations());
  file->meta_ = read_meta(*file->db_);
  if (file->meta_) {
    migrate(*file->db_, journal_migrations());
    file->load_heads();
    file->database_bytes_ =
        static_cast<std::uint64_t>(number_of(*file->db_, "PRAGMA page_count")) * (file->log_.frame_bytes - kFrameHeaderBytes);
  }
  return file;
}

void JournalFile::load_heads() {
  next_ = meta_->first_offset;
  for (const auto& [id, feed] : read_feeds(*db_)) feeds_[id] = {feed.row, read_head(*db_, feed)};
  SQLite::Statement last(*db_, "SELECT offset, count FROM segment ORDER BY offset DESC LIMIT 1");
  if (Run run(last); run.next()) next_ = Offset(run.number_u64(0) + run.number_u64(1));
}

JournalState JournalFile::load() {
  JournalState state;
  state.next_offset = next_;
  state.last_ordinal = meta_->opening_ordinal;
  state.last_time = meta_->opening_time;
  for (const auto& [id, feed] : feeds_) state.heads.push_back({id, feed.head});
  read_last_stamps(*db_, meta_->identity, state);

  std::map<std::pair<SessionKey, Lane>, Sequence> answered;
  SQLite::Statement sessions(*db_, "SELECT agent, session, lane, high_water, answered_through, used_at FROM session");
  for (Run run(sessions); run.next();) {
    SessionRow row{read_session_key(run), static_cast<Lane>(run.number(2)), Sequence(run.number_u64(3)),
                   Sequence(run.number_u64(4)), run.number(5)};
    answered[{row.key, row.lane}] = row.answered_through;
    state.sessions.push_back(std::move(row));
  }
  SQLite::Statement answers(*db_, "SELECT agent, session, lane, first, answers FROM answer");
  for (Run run(answers); run.next();) {
    AnswerRun held{read_session_key(run), static_cast<Lane>(run.number(2)), Sequence(run.number_u64(3)), {}};
    auto decoded = decode_answers(run.blob(4));
    if (!decoded) fail(StoreError::corrupt, "stored answers cannot be read: " + decoded.error().reason);
    held.answers = std::move(*decoded);
    // The row goes when all of it is held by the client; until then its lower part may be already.
    const std::uint64_t through = answered[{held.key, held.lane}].value;
    if (through >= held.first.value) {
      const auto drop = std::min<std::uint64_t>(through - held.first.value + 1, held.answers.size());
      held.answers.erase(held.answers.begin(), held.answers.begin() + static_cast<std::ptrdiff_t>(drop));
      held.first = Sequence(held.first.value + drop);
    }
    if (!held.answers.empty()) state.answers.push_back(std::move(held));
  }
  state.cursors = cursors_.load();
  state.fence = forks_.load_fence();
  state.quarantined = forks_.load_quarantine();
  state.beginnings = beginnings_.load();
  return state;
}

void JournalFile::commit(const JournalBatch& batch, const Birth* birth) {
  prepared(sql_.begin, "BEGIN IMMEDIATE");
  prepared(sql_.commit, "COMMIT");
  Run(*sql_.begin).exec();
  struct Undo {
    SQLite::Database& db;
    bool open = true;
    ~Undo() {
      if (open) (void)db.tryExec("ROLLBACK");
    }
  } undo{*db_};
  if (birth != nullptr) write_birth(*birth);
  if (!batch.segments.empty() && batch.first_offset != next_) {
    fail(StoreError::corrupt, "the batch begins at offset " + std::to_string(batch.first_offset.value) +
                                  ", the journal stands at " + std::to_string(next_.value));
  }
  for (const Beginning& beginning : batch.beginnings) write_beginning(beginning);
  for (const StoredSegment& segment : batch.segments) write_segment(segment);
  // First: a session closed here may be opened again by the same batch, and its fresh rows must stay.
  for (const SessionKey& session : batch.closed) forget(session);
  write_sessions(batch.sessions);
  write_answers(batch.answers);
  cursors_.forget(batch.cursors_gone);
  cursors_.write(batch.cursors);
  if (batch.fence) forks_.write(*batch.fence);
  for (const QuarantinedSegment& segment : batch.quarantined) forks_.write(segment);
  Run(*sql_.commit).exec();
  undo.open = false;
}

bool JournalFile::checkpoint() {
  SQLite::Statement checkpoint(*db_, "PRAGMA wal_checkpoint(TRUNCATE)");
  const bool done = checkpoint.executeStep() && checkpoint.getColumn(0).getInt() == 0;
  if (done) log_.bytes = 0;
  return done;
}

void JournalFile::retire(std::unique_ptr<JournalFile> file) {
  if (!file->keeps_log_) return;
  const std::string folder = file->folder_, path = file->path_;
  int keep = 1;
  (void)sqlite3_file_control(file->db_->getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  file.reset();
  keep_log(folder, path);
}

}  // namespace lianxi::store
