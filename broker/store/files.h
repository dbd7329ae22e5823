// The few things done to the files beside SQLite, through its VFS, so that the simulator sees them; only the folder itself
// is listed and made on the real file system.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "schemas/ids.h"

struct sqlite3_file;

namespace lianxi::store {

[[nodiscard]] bool file_exists(const std::string& path, const std::string& vfs);
// 0 if it is not there.
[[nodiscard]] std::uint64_t file_size(const std::string& path, const std::string& vfs);
// Deletes the database with its side files, the WAL first so that no database is ever seen without it; the folder is synced.
void remove_database(const std::string& path, const std::string& vfs);
// Milliseconds by the VFS's clock, for bounding a reader's transaction.
[[nodiscard]] std::int64_t vfs_time_ms(const std::string& vfs);

enum class FileKind : std::uint8_t { database, wal };
enum class FileAccess : std::uint8_t { read, read_write };
// A file beside SQLite's own connections to it. Throws Broken if it cannot be opened, read or written.
class VfsFile {
 public:
  VfsFile(const std::string& path, FileKind kind, const std::string& vfs, FileAccess access = FileAccess::read);
  ~VfsFile();
  VfsFile(const VfsFile&) = delete;
  VfsFile& operator=(const VfsFile&) = delete;
  [[nodiscard]] std::uint64_t size_bytes();
  // Fills `into` from `offset`; false if the file ends before.
  [[nodiscard]] bool read(std::uint64_t offset, std::uint8_t* into, std::size_t bytes);
  void sync();  // what others have written to it, its size included
  // Writes the first `bytes` once more as they are, and syncs. What a sync that failed has left in memory alone, where it counts
  // as written, reaches the disk in no other way.
  void write_again(std::uint64_t bytes);

 private:
  const char* name_;
  std::unique_ptr<std::uint64_t[]> memory_;  // holds the VFS's file object
  sqlite3_file* file_;
};

// --- the journal's folder ---
[[nodiscard]] std::string journal_path(const std::string& folder, std::uint64_t number);  // "<folder>/000001.db"
[[nodiscard]] std::string archive_path(const std::string& folder, std::uint64_t number);  // "<folder>/000001.db.zst"
[[nodiscard]] std::vector<std::uint64_t> list_journal(const std::string& folder);         // numbers, ascending, of both kinds
// Where a file of the journal stands. While both kinds of it are there, which are equal, the plain one is meant.
struct JournalPlace {
  std::string path;
  bool archived = false;
  bool operator==(const JournalPlace&) const = default;
};
[[nodiscard]] std::optional<JournalPlace> find_journal(const std::string& folder, std::uint64_t number, const std::string& vfs);
// Which file bears the name now: it stays the same while somebody has it open. 0 if there is none.
[[nodiscard]] std::uint64_t file_identity(const std::string& path);
// A file that is written from its beginning, in the place of whatever bore the name. Throws Broken: `full` if the disk is.
class NewFile {
 public:
  explicit NewFile(std::string path);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  void write(BytesView bytes);
  void sync();  // its bytes are on disk then

 private:
  std::string path_;
  int descriptor_;
};
// Puts a file's bytes on disk, and under a name, whatever bore it before. Throw Broken. move_file: the caller syncs the folder.
void sync_file(const std::string& path);
void move_file(const std::string& from, const std::string& to);
// Makes a new file's name durable. Nothing to do under a named VFS: there the VFS keeps the names.
void sync_folder(const std::string& folder, const std::string& vfs);

// Held by the one process that writes a journal; throws Broken if another has it. Under a named VFS it holds nothing.
class FolderLock {
 public:
  FolderLock(const std::string& folder, const std::string& vfs);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace lianxi::store
