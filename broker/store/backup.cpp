#include "broker/store/backup.h"

#include <sqlite3.h>

#include <filesystem>

#include "broker/store/files.h"
#include "broker/store/journal_file.h"

namespace lianxi::store {

namespace {

constexpr int kBusyWaitMs = 20;
constexpr int kBusyWaits = 500;  // of a recovery or a checkpoint

// All pages in one step, so that they are of one moment.
void copy_pages(SQLite::Database& from, SQLite::Database& to) {
  sqlite3_backup* backup = sqlite3_backup_init(to.getHandle(), "main", from.getHandle(), "main");
  if (backup == nullptr) throw SQLite::Exception(to.getHandle());
  int rc = SQLITE_BUSY;
  for (int wait = 0; wait < kBusyWaits; ++wait) {
    rc = sqlite3_backup_step(backup, -1);
    if (rc != SQLITE_BUSY && rc != SQLITE_LOCKED) break;
    sqlite3_sleep(kBusyWaitMs);
  }
  const int finished = sqlite3_backup_finish(backup);
  if (rc == SQLITE_DONE && finished == SQLITE_OK) return;
  throw SQLite::Exception(to.getHandle(), finished == SQLITE_OK ? rc : finished);
}

class Copier {
 public:
  Copier(const std::string& from, std::string to) : to_(std::move(to)) { from_.folder = from; }

  // Until no file was begun behind the newest one that was copied: that one, and so all, is of the moment of its copy.
  void run(const std::function<void(std::uint64_t, std::uint64_t)>& copied) {
    std::vector<std::uint64_t> begun = begun_files();
    if (begun.empty()) fail(StoreError::not_found, from_.folder + " holds no journal");
    for (std::size_t next = 0; next < begun.size();) {
      for (; next < begun.size(); ++next) {
        copy(begun[next], next + 1 == begun.size());
        if (copied) copied(next + 1, begun.size());
      }
      const std::size_t before = begun.size();
      begun = begun_files();
      if (begun.size() > before) next = before - 1;  // it may have grown before it was left behind
    }
    result_.files = begun.size();
    for (const std::uint64_t number : begun) result_.bytes += file_size(find_journal(to_, number, "").value().path, "");
    sync_folder(to_, "");
  }
  [[nodiscard]] const JournalCopy& result() const { return result_; }

 private:
  // A file may stand ready that was never begun.
  [[nodiscard]] std::vector<std::uint64_t> begun_files() const {
    std::vector<std::uint64_t> numbers = list_journal(from_.folder);
    while (!numbers.empty() && !read_meta(*open_for_reading(from_, numbers.back(), true))) numbers.pop_back();
    return numbers;
  }

  void copy(std::uint64_t number, bool newest) {
    const std::string path = journal_path(to_, number);
    remove_database(path, "");
    const Database from = open_for_reading(from_, number, newest);
    if (const auto place = find_journal(from_.folder, number, ""); place && place->archived) {
      std::filesystem::copy_file(place->path, archive_path(to_, number), std::filesystem::copy_options::overwrite_existing);
      const auto meta = read_meta(*open_for_reading({.folder = to_}, number, false));
      if (!meta) fail(StoreError::corrupt, place->path + " has no meta rows");
      result_.identity = meta->identity;
      return sync_file(archive_path(to_, number));
    }
    {
      const Database to = open_database(path, OpenMode::create, "");
      copy_pages(*from, *to);
      keep_wal(*to, path);
      const auto meta = read_meta(*to);
      if (!meta) fail(StoreError::corrupt, journal_path(from_.folder, number) + " was never begun, though a later file was");
      result_.identity = meta->identity;
    }
    sync_file(path);
  }

  JournalOptions from_;
  std::string to_;
  JournalCopy result_;
};

}  // namespace

StoreResult<JournalCopy> copy_journal(const std::string& folder, const std::string& to,
                                      const std::function<void(std::uint64_t files, std::uint64_t of)>& copied) {
  return guarded("copy the journal", [&] {
    Copier copier(folder, to);
    copier.run(copied);
    return copier.result();
  });
}

}  // namespace lianxi::store
