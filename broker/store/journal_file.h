// One file of the journal under its only writing connection: its birth, its commits, its checkpoint. One thread at a time.
// Throws Broken or SQLite::Exception.
#pragma once

#include <map>
#include <memory>

#include "broker/store/beginning_table.h"
#include "broker/store/cursor_table.h"
#include "broker/store/fork_table.h"
#include "broker/store/sqlite.h"
#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

inline constexpr int kJournalPageBytes = 2048;  // a commit of one event touches five pages or so; smaller ones cost batches
// Answers that a client holds are deleted so many at a time: each deletion touches a page of its own.
inline constexpr std::uint64_t kMinAnswersDropped = 64;

// What a file says of itself; committed with its first batch. A file without it was never begun.
struct JournalMeta {
  JournalIdentity identity;
  std::uint64_t file = 0;
  Offset first_offset;
  Ordinal opening_ordinal;
  Hlc opening_time;
};
[[nodiscard]] std::optional<JournalMeta> read_meta(SQLite::Database& db);

struct StoredFeed {
  std::int64_t row = 0;
  FeedHead opening;
};
[[nodiscard]] std::map<FeedId, StoredFeed> read_feeds(SQLite::Database& db);

// A journal file under a read-only connection, while its node may go on writing, and may give the file's log away. `newest`: no
// later file is there. Throws.
[[nodiscard]] Database open_for_reading(const JournalOptions& options, std::uint64_t number, bool newest);

// The head of a feed as the last seal row tells; the opening head if the file has no segment of it.
[[nodiscard]] FeedHead read_head(SQLite::Database& db, const StoredFeed& feed);

class JournalFile {
 public:
  // Makes the file with its tables and its name on disk, but without meta; its log takes the folder's kept blocks, if any.
  [[nodiscard]] static std::unique_ptr<JournalFile> make(const JournalOptions& options, std::uint64_t number);
  // Opens an existing file; what its WAL holds is judged, checkpointed and synced before anything is read.
  [[nodiscard]] static std::unique_ptr<JournalFile> open(const JournalOptions& options, std::uint64_t number);

  [[nodiscard]] const std::optional<JournalMeta>& meta() const { return meta_; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] Offset next_offset() const { return next_; }
  [[nodiscard]] JournalState load();
  // WAL and database together, as after the last commit.
  [[nodiscard]] std::uint64_t size_bytes() const { return database_bytes_ + log_.bytes; }

  // One transaction; with `birth`, the file's first: meta and opening state go with the batch.
  struct Birth {
    JournalMeta meta;
    JournalState state;
  };
  void commit(const JournalBatch& batch, const Birth* birth);

  // Moves the WAL into the database, syncs, and empties it; false while a reader holds it back.
  [[nodiscard]] bool checkpoint();
  // Joins neighbours of one feed that were committed in small pieces, each run under the seal of its last: for a file left
  // behind, before its checkpoint. How many segments went.
  std::size_t merge_small();
  // Closes a file whose checkpoint succeeded last; the blocks of its log are kept for the next file.
  static void retire(std::unique_ptr<JournalFile> file);

 private:
  JournalFile(const JournalOptions& options, std::uint64_t number, OpenMode mode);
  static void make_database(const std::string& path, const std::string& vfs);
  void watch_log();
  void load_heads();
  void write_birth(const Birth& birth);
  void write_beginning(const Beginning& beginning);
  void write_segment(const StoredSegment& segment);
  std::int64_t feed_row(const FeedId& feed, const FeedHead& opening);
  void write_sessions(const std::vector<SessionRow>& sessions);
  void write_answers(const std::vector<AnswerRun>& answers);
  void drop_held(const SessionRow& session);
  void forget(const SessionKey& session);
  SQLite::Statement& prepared(std::unique_ptr<SQLite::Statement>& slot, const char* sql);

  struct Feed {
    std::int64_t row = 0;
    FeedHead head;
  };
  std::uint64_t number_;
  std::string folder_, path_;
  bool keeps_log_, merged_ = false;
  Database db_;
  CursorTable cursors_{*db_};
  ForkTable forks_{*db_};
  BeginningTable beginnings_{*db_};
  std::optional<JournalMeta> meta_;
  std::map<FeedId, Feed> feeds_;
  Offset next_{1};
  struct Log {
    std::uint64_t frame_bytes = 0, bytes = 0;
  };
  std::uint64_t database_bytes_ = 0;
  Log log_;
  std::map<std::pair<SessionKey, Lane>, std::uint64_t> dropped_through_;  // of answers
  struct Statements {
    std::unique_ptr<SQLite::Statement> begin, commit, meta, feed, segment, seal, session, answer, answered, close_session,
        close_answers;
  } sql_;
};

}  // namespace lianxi::store
