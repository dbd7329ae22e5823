#include "broker/store/sqlite_journal.h"

#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "broker/store/files.h"
#include "broker/store/journal_file.h"
#include "broker/store/log_vfs.h"

namespace lianxi::store {

namespace {

class SqliteJournal final : public Journal {
 public:
  SqliteJournal(JournalOptions options, const JournalIdentity& fresh)
      : options_(std::move(options)), lock_(options_.folder, options_.vfs) {
    open_newest();
    if (!active_) {
      begin_first(fresh);
    } else if (active_->meta()->identity.region != fresh.region) {
      fail(StoreError::wrong_node, "the journal is that of region " + to_text(active_->meta()->identity.region) +
                                       ", this node is " + to_text(fresh.region));
    }
    identity_ = active_->meta()->identity;
    active_number_ = active_->number();
  }
  ~SqliteJournal() override {
    // What fails here is done at the next open.
    (void)guarded("close the journal", [&] {
      for (auto& file : left_) leave(std::move(file));
      if (spare_) discard(std::move(spare_));
      if (active_) leave(std::move(active_));
    });
  }

  [[nodiscard]] const JournalIdentity& identity() const override { return identity_; }

  [[nodiscard]] StoreResult<JournalState> load() const override {
    return guarded("load the journal", [&] { return active_->load(); });
  }

  [[nodiscard]] StoreResult<void> commit(const JournalBatch& batch) override {
    if (batch.empty()) return {};
    if (failed_) return tl::unexpected(StoreFailure{StoreError::io, "an earlier commit failed: restart"});
    auto done = guarded("commit to the journal", [&] {
      if (fit_to_move_on()) {
        move_on(batch);
      } else {
        active_->commit(batch, nullptr);
      }
      if (active_->size_bytes() > options_.file_bytes / 4 && !spare_asked_) spare_asked_ = wants_spare_ = true;
    });
    failed_ = !done;
    return done;
  }

  [[nodiscard]] StoreResult<void> maintain() override {
    const std::lock_guard one_at_a_time(maintaining_);
    return guarded("maintain the journal", [&] {
      if (wants_spare_.exchange(false)) make_spare();
      std::vector<std::unique_ptr<JournalFile>> left;
      {
        const std::lock_guard hold(shared_);
        left.swap(left_);
        has_left_ = false;
      }
      std::vector<std::unique_ptr<JournalFile>> held_back;
      for (auto& file : left) {
        // Nothing depends on it, and more files than one say that the writer is in a hurry.
        if (left.size() == 1) join(*file);
        if (!file->checkpoint()) {
          held_back.push_back(std::move(file));
        } else {
          JournalFile::retire(std::move(file));
        }
        if (wants_spare_.exchange(false)) make_spare();
      }
      const std::lock_guard hold(shared_);
      for (auto& file : held_back) left_.push_back(std::move(file));
      if (!left_.empty()) has_left_ = true;
    });
  }

  void begin_epoch(Epoch at_least, Incarnation fresh) {
    const JournalIdentity next{identity_.region, std::max(Epoch(identity_.epoch.value + 1), at_least), fresh};
    move_on({}, next);
    identity_ = next;
  }

  [[nodiscard]] bool wants_maintenance() const override { return wants_spare_ || has_left_; }

  [[nodiscard]] StoreResult<std::uint64_t> free_bytes() const override {
    std::error_code error;
    const auto space = std::filesystem::space(options_.folder, error);
    if (error) return tl::unexpected(StoreFailure{StoreError::io, options_.folder + ": " + error.message()});
    return static_cast<std::uint64_t>(space.available);
  }

 private:
  // The newest file that was begun becomes the active one; a later one that was made but never begun goes.
  void open_newest() {
    std::vector<std::uint64_t> numbers = list_journal(options_.folder);
    while (!numbers.empty() && !active_) {
      const std::uint64_t number = numbers.back();
      numbers.pop_back();
      if (find_journal(options_.folder, number, options_.vfs).value_or(JournalPlace{}).archived)
        fail(StoreError::corrupt, archive_path(options_.folder, number) +
                                      " is archived, and the files behind it are missing: restore the journal from a backup");
      auto file = JournalFile::open(options_, number);
      if (file->meta()) {
        active_ = std::move(file);
      } else {
        discard(std::move(file));
      }
    }
    // Left behind with a log by a process that ended before its maintenance.
    for (const std::uint64_t number : numbers) {
      const std::string path = journal_path(options_.folder, number);
      if (!file_exists(path + "-wal", options_.vfs)) continue;
      if (options_.vfs.empty() && file_size(path + "-wal", "") == 0) {
        keep_log(options_.folder, path);  // made by a reader; it goes
      } else {
        JournalFile::retire(JournalFile::open(options_, number));
      }
    }
  }

  // What cannot be read stays as it is. A write that failed is followed by no other: the disk may lack what was there before.
  static void join(JournalFile& file) {
    const auto joined = guarded("join small segments", [&] { (void)file.merge_small(); });
    if (!joined && joined.error().code != StoreError::corrupt) fail(joined.error().code, joined.error().detail);
  }

  // Nobody writes it any more.
  static void leave(std::unique_ptr<JournalFile> file) {
    if (file->checkpoint()) JournalFile::retire(std::move(file));
  }
  // One that was never begun.
  void discard(std::unique_ptr<JournalFile> file) {
    const std::uint64_t number = file->number();
    JournalFile::retire(std::move(file));
    remove_database(journal_path(options_.folder, number), options_.vfs);
  }

  void begin_first(const JournalIdentity& fresh) {
    active_ = JournalFile::make(options_, 1);
    const JournalFile::Birth birth{{fresh, 1, Offset(1), Ordinal(0), Hlc(0)}, {}};
    active_->commit({}, &birth);
  }

  // A reader that looks for the next file may stand in the way for a moment: then the next maintenance makes it, or the writer.
  void make_spare() {
    if (options_.vfs.empty() && !has_spare_) make_kept_log(options_.folder, options_.file_bytes);
    const std::lock_guard make_one(making_);
    if (spare_) return;
    try {
      spare_ = JournalFile::make(options_, active_number_ + 1);
      has_spare_ = true;
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() != SQLITE_BUSY && error.getErrorCode() != SQLITE_LOCKED) throw;
      wants_spare_ = true;
    }
  }

  // Nobody waits for a fresh file that is still being made, unless far too much stands in the old one.
  [[nodiscard]] bool fit_to_move_on() const {
    const std::uint64_t size = active_->size_bytes();
    return size > options_.file_bytes && (has_spare_ || size > 2 * options_.file_bytes);
  }

  void move_on(const JournalBatch& batch) { move_on(batch, identity_); }

  // The batch opens the next file, in the same transaction as the file's opening state.
  void move_on(const JournalBatch& batch, const JournalIdentity& identity) {
    std::unique_ptr<JournalFile> next;
    {
      const std::lock_guard make_one(making_);
      next = spare_ ? std::move(spare_) : JournalFile::make(options_, active_number_ + 1);
      active_number_ = next->number();
      has_spare_ = spare_asked_ = false;
    }
    JournalFile::Birth birth{{}, active_->load()};
    const Ordinal opening = identity.epoch == identity_.epoch ? birth.state.last_ordinal : Ordinal(0);
    birth.meta = {identity, next->number(), birth.state.next_offset, opening, birth.state.last_time};
    // What the epoch before promised, and this journal lost, is not known yet.
    if (identity.epoch != identity_.epoch) birth.state.fence = Fence{identity.epoch, Fence::State::begun, 0, {}};
    next->commit(batch, &birth);
    const std::lock_guard hold(shared_);
    left_.push_back(std::move(active_));
    has_left_ = true;
    active_ = std::move(next);
  }

  JournalOptions options_;
  FolderLock lock_;
  JournalIdentity identity_;
  std::unique_ptr<JournalFile> active_;
  bool failed_ = false;

  // Between the writer and whoever maintains. `making_` is held while a file is made, so that each number is made once.
  std::mutex maintaining_, making_, shared_;
  std::atomic<bool> wants_spare_ = false, has_spare_ = false, has_left_ = false;
  bool spare_asked_ = false;                        // the writer's
  std::uint64_t active_number_ = 0;                 // under making_
  std::unique_ptr<JournalFile> spare_;              // under making_
  std::vector<std::unique_ptr<JournalFile>> left_;  // under shared_
};

}  // namespace

StoreResult<std::unique_ptr<Journal>> open_journal(const JournalOptions& options, const JournalIdentity& fresh) {
  return guarded("open the journal", [&]() -> std::unique_ptr<Journal> {
    if (std::filesystem::create_directories(options.folder)) {
      sync_folder(std::filesystem::path(options.folder).parent_path().string(), options.vfs);
    }
    return std::make_unique<SqliteJournal>(options, fresh);
  });
}

StoreResult<JournalIdentity> begin_epoch(const JournalOptions& options, Epoch at_least, Incarnation fresh) {
  return guarded("begin an epoch of the journal", [&] {
    const std::vector<std::uint64_t> files = list_journal(options.folder);
    if (files.empty()) fail(StoreError::not_found, options.folder + " holds no journal");
    const auto meta = read_meta(*open_for_reading(options, files.front(), false));
    if (!meta) fail(StoreError::corrupt, options.folder + ": its first file was never begun");
    SqliteJournal journal(options, meta->identity);
    journal.begin_epoch(at_least, fresh);
    return journal.identity();
  });
}

}  // namespace lianxi::store
