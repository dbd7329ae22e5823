// Reading committed segments through read-only connections, file by file.
#include <algorithm>
#include <list>

#include "broker/store/archive.h"
#include "broker/store/files.h"
#include "broker/store/journal_file.h"
#include "broker/store/migrations.h"
#include "schemas/limits.h"

namespace lianxi::store {

namespace {

constexpr int kReaderBusyMs = 5'000;         // a recovery or a checkpoint that stands in the way is over sooner
constexpr std::size_t kMaxOpenArchives = 8;  // of a reader: each holds some unpacked frames

// One file under a read-only connection.
class ReadFile {
 public:
  ReadFile(const JournalOptions& options, std::uint64_t number, bool newest)
      : number_(number),
        stand_(stand_of(options, number)),
        db_(open_for_reading(options, number, newest)),
        meta_(read_meta(*db_)) {}

  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] bool archived() const { return stand_.place.archived; }
  // Another file bears its number now: it was archived or repaired.
  [[nodiscard]] bool replaced(const JournalOptions& options) const {
    const Stand now = stand_of(options, number_);
    return now.identity != 0 && now != stand_;
  }
  // Made but not begun: looks again each time it is asked.
  [[nodiscard]] bool begun() {
    if (!meta_) meta_ = read_meta(*db_);
    return meta_.has_value();
  }
  [[nodiscard]] Offset first_offset() const { return meta_->first_offset; }

  [[nodiscard]] Offset next_offset() {
    Run run(prepared(next_, "SELECT offset, count FROM segment ORDER BY offset DESC LIMIT 1"));
    return run.next() ? Offset(run.number_u64(0) + run.number_u64(1)) : meta_->first_offset;
  }

  // Adds segments from `from` until `bytes_left` is used up; moves both on.
  void read(Offset& from, std::size_t& bytes_left, std::vector<JournalSegment>& into) {
    Run run(prepared(read_,
                     "SELECT s.offset, s.count, s.bytes, l.sequence, l.hash, l.signature FROM segment s LEFT JOIN seal l"
                     " ON l.feed = s.feed AND l.sequence = s.first_sequence + s.count - 1"
                     " WHERE s.offset >= coalesce((SELECT max(offset) FROM segment WHERE offset <= ?), 0) ORDER BY s.offset"));
    run.put(from.value);
    while ((bytes_left > 0) && run.next()) {
      const Offset first(run.number_u64(0));
      const Offset end(first.value + run.number_u64(1));
      if (end <= from) continue;
      const BytesView bytes = run.blob(2);
      check_place(from, first, run.number_u64(1), bytes);
      JournalSegment segment{first, Bytes(bytes.begin(), bytes.end()), std::nullopt};
      if (!run.is_null(5)) segment.seal = read_seal(run);
      bytes_left -= std::min(bytes_left, bytes.size());
      into.push_back(std::move(segment));
      from = end;
    }
  }

  // True if every event before this file is covered.
  [[nodiscard]] bool opening_covered(const std::map<FeedId, Sequence>& have) {
    if (feeds_.empty()) feeds_ = read_feeds(*db_);
    return std::all_of(feeds_.begin(), feeds_.end(), [&](const auto& feed) {
      const auto found = have.find(feed.first);
      return feed.second.opening.sequence.value == 0 || (found != have.end() && found->second >= feed.second.opening.sequence);
    });
  }

  [[nodiscard]] std::optional<Offset> first_beyond(const std::map<FeedId, Sequence>& have) {
    std::optional<Offset> lowest;
    feeds_ = read_feeds(*db_);  // the newest file gains feeds
    for (const auto& [id, feed] : feeds_) {
      const auto found = have.find(id);
      const std::uint64_t held = std::max(found == have.end() ? 0 : found->second.value, feed.opening.sequence.value);
      Run run(prepared(beyond_,
                       "SELECT s.offset, s.first_sequence FROM seal l JOIN segment s ON s.offset = l.offset"
                       " WHERE l.feed = ? AND l.sequence > ? ORDER BY l.sequence LIMIT 1"));
      if (!run.put(feed.row).put(held).next()) continue;
      const Offset offset(run.number_u64(0) + (held + 1 - run.number_u64(1)));
      if (!lowest || offset < *lowest) lowest = offset;
    }
    return lowest;
  }

 private:
  // A damaged key or page pointer shows rows in other places than their own: none is given out there, and none left out.
  void check_place(Offset wanted, Offset first, std::uint64_t count, BytesView bytes) const {
    const auto info = segment_info(bytes);
    if (first <= wanted && info && info->first_offset == first && info->count == count) return;
    fail(StoreError::corrupt, "file " + std::to_string(number_) + " of the journal: what stands at offset " +
                                  std::to_string(first.value) + " is not what belongs at " + std::to_string(wanted.value) +
                                  (info ? "" : ": " + info.error().reason));
  }
  static Seal read_seal(const Run& run) {
    Seal seal{Sequence(run.number_u64(3)), hash_of(run.blob(4), "seal"), {}};
    const BytesView signature = run.blob(5);
    if (signature.size() != seal.signature.size()) fail(StoreError::corrupt, "a seal's signature has the wrong size");
    std::copy(signature.begin(), signature.end(), seal.signature.begin());
    return seal;
  }
  SQLite::Statement& prepared(std::unique_ptr<SQLite::Statement>& slot, const char* sql) {
    if (!slot) slot = std::make_unique<SQLite::Statement>(*db_, sql);
    return *slot;
  }

  struct Stand {
    JournalPlace place;
    std::uint64_t identity = 0;
    bool operator==(const Stand&) const = default;
  };
  // Looked at before the file is opened: if it is replaced in between, it is opened once more than it must be.
  static Stand stand_of(const JournalOptions& options, std::uint64_t number) {
    if (!options.vfs.empty()) return {};
    const auto place = find_journal(options.folder, number, "");
    return place ? Stand{*place, file_identity(place->path)} : Stand{};
  }

  std::uint64_t number_;
  Stand stand_;
  Database db_;
  std::optional<JournalMeta> meta_;
  std::map<FeedId, StoredFeed> feeds_;
  std::unique_ptr<SQLite::Statement> next_, read_, beyond_;
};

class SqliteReader final : public JournalReader {
 public:
  explicit SqliteReader(JournalOptions options) : options_(std::move(options)) { list_files(); }

  [[nodiscard]] StoreResult<std::vector<JournalSegment>> read(Offset from, std::size_t max_bytes) override {
    return guarded("read the journal", [&] {
      std::vector<JournalSegment> segments;
      std::size_t left = std::max<std::size_t>(max_bytes, 1);
      from = std::max(from, Offset(1));
      std::uint64_t number = file_holding(from);
      if (from < file(number).first_offset()) {
        fail(StoreError::not_found, "offset " + std::to_string(from.value) + " is in an older file, which is not here");
      }
      std::uint64_t at = number;  // which file is looked at
      try {
        while (true) {
          at = number;
          file(number).read(from, left, segments);
          if (left == 0) return segments;
          at = number + 1;
          if (!has(number + 1)) return segments;
          // What the file took in between our reading and the next one's birth comes first.
          if (file(number + 1).first_offset() == from) {
            ++number;
          } else if (file(number).next_offset() <= from) {
            fail(StoreError::corrupt,
                 journal_path(options_.folder, number + 1) + " does not begin at offset " + std::to_string(from.value));
          }
        }
      } catch (const Broken&) {
        // What is whole before it is given; the caller comes again for the rest, and hears from where on it is damaged.
        if (segments.empty()) throw;
      } catch (const SQLite::Exception& error) {
        if (segments.empty()) throw Broken{failure_of(error, journal_path(options_.folder, at))};
      }
      return segments;
    });
  }

  [[nodiscard]] StoreResult<Offset> first_beyond(const FeedVector& have) override {
    return guarded("search the journal", [&] {
      std::map<FeedId, Sequence> held;
      for (const FeedPosition& position : have) held[position.feed] = position.head.sequence;
      const std::uint64_t last = newest();
      std::uint64_t number = last_file([&](ReadFile& f) { return f.opening_covered(held); });
      for (; number <= last; ++number) {
        if (const auto offset = file(number).first_beyond(held)) return *offset;
      }
      return file(last).next_offset();
    });
  }

  [[nodiscard]] StoreResult<Offset> next_offset() override {
    return guarded("ask the journal for its head", [&] { return file(newest()).next_offset(); });
  }

  [[nodiscard]] StoreResult<Offset> first_offset() override {
    return guarded("ask the journal for its beginning", [&] { return file(first_).first_offset(); });
  }

 private:
  void list_files() {
    const std::vector<std::uint64_t> numbers = list_journal(options_.folder);
    if (numbers.empty()) fail(StoreError::not_found, "no journal in " + options_.folder);
    first_ = numbers.front();
    newest_ = numbers.back();
    while (newest_ > first_ && !file(newest_).begun()) --newest_;
    if (!file(newest_).begun()) fail(StoreError::not_found, "no journal in " + options_.folder);
  }

  // True if the file is there and was begun; learns of new ones.
  bool has(std::uint64_t number) {
    if (number <= newest_) return true;
    if (!find_journal(options_.folder, number, options_.vfs) || !file(number).begun()) return false;
    newest_ = number;
    return true;
  }
  std::uint64_t newest() {
    while (has(newest_ + 1)) {
    }
    return newest_;
  }

  // Nothing if the file cannot be read.
  template <class Holds>
  std::optional<bool> tried(std::uint64_t number, const Holds& holds) {
    try {
      return holds(file(number));
    } catch (const Broken&) {
      return std::nullopt;
    } catch (const SQLite::Exception&) {
      return std::nullopt;
    }
  }

  // The last file for which `holds`, which is true for the files up to some one; the first file if there is none.
  template <class Holds>
  std::uint64_t last_file(const Holds& holds) {
    std::uint64_t low = first_;
    std::uint64_t high = newest();
    if (holds(file(high))) return high;  // the usual case
    while (low < high) {
      const std::uint64_t middle = low + (high - low + 1) / 2;
      // One that cannot be opened hides none of the others.
      std::uint64_t seen = middle;
      std::optional<bool> there = tried(seen, holds);
      while (!there && seen < high) there = tried(++seen, holds);
      if (there.value_or(false)) {
        low = seen;
      } else {
        high = middle - 1;
      }
    }
    return low;
  }
  std::uint64_t file_holding(Offset from) {
    return last_file([&](ReadFile& f) { return f.first_offset() <= from; });
  }

  // Open files, the last used first.
  ReadFile& file(std::uint64_t number) {
    auto found = std::find_if(open_.begin(), open_.end(), [&](const ReadFile& f) { return f.number() == number; });
    if (found != open_.end() && number < newest_ && found->replaced(options_)) {
      open_.erase(found);
      found = open_.end();
    }
    if (found != open_.end()) {
      open_.splice(open_.begin(), open_, found);
    } else {
      // What was replaced takes room on the disk until it is closed.
      std::erase_if(open_, [&](const ReadFile& f) { return f.number() < newest_ && f.replaced(options_); });
      open_.emplace_front(options_, number, number >= newest_);
      if (open_.size() > kMaxOpenJournalFiles) open_.pop_back();
      std::size_t archives = 0;
      std::erase_if(open_, [&](const ReadFile& f) { return f.archived() && ++archives > kMaxOpenArchives; });
    }
    return open_.front();
  }

  JournalOptions options_;
  std::uint64_t first_ = 0, newest_ = 0;
  std::list<ReadFile> open_;
};

}  // namespace

namespace {

void prepare(SQLite::Database& db) {
  db.exec("PRAGMA cache_size=-256");
  check_version(db, journal_migrations());
  (void)read_meta(db);
}

}  // namespace

Database open_for_reading(const JournalOptions& options, std::uint64_t number, bool newest) {
  const std::string path = journal_path(options.folder, number);
  const auto log_of = [&] { return options.vfs.empty() ? file_identity(path + "-wal") : 0; };
  // The first read decides which log belongs to the file. One that was left behind in between has given its blocks away, and
  // they may already be another's; or it was archived: then again.
  constexpr int kLooks = 5;
  for (int look = 1;; ++look) {
    const auto place = find_journal(options.folder, number, options.vfs);
    if (place && place->archived) {
      Database db = open_database(place->path, OpenMode::immutable, archive_vfs(), kReaderBusyMs);
      prepare(*db);
      return db;
    }
    const std::uint64_t log = log_of();
    // A file left behind whose log is empty is never written again.
    const bool still = !newest && file_size(path + "-wal", options.vfs) == 0;
    Database db;
    try {
      db = open_database(path, still ? OpenMode::immutable : OpenMode::read, options.vfs, kReaderBusyMs);
      prepare(*db);
    } catch (const SQLite::Exception&) {
      const bool gone = options.vfs.empty() && place && !file_exists(path, "");
      if (look == kLooks || !options.vfs.empty() || (log_of() == log && !gone)) throw;
      continue;
    }
    const std::uint64_t now = log_of();
    if (now == log || log == 0) return db;
    if (look == kLooks) fail(StoreError::io, path + ": its log changes while it is opened");
  }
}

StoreResult<std::unique_ptr<JournalReader>> open_reader(const JournalOptions& options) {
  return guarded("open the journal for reading",
                 [&]() -> std::unique_ptr<JournalReader> { return std::make_unique<SqliteReader>(options); });
}

}  // namespace lianxi::store
