#include "broker/store/verify_copy.h"

#include <sqlite3.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "broker/store/archive.h"

namespace lianxi::store {

namespace {

void copy_bytes(VfsFile& from, std::uint64_t size, const std::string& to) {
  std::ofstream out(to, std::ios::binary | std::ios::trunc);
  std::vector<std::uint8_t> buffer(1 << 20);
  for (std::uint64_t at = 0; at < size; at += buffer.size()) {
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - at));
    if (!from.read(at, buffer.data(), count)) fail(StoreError::io, "a file became shorter while it was copied");
    out.write(reinterpret_cast<const char*>(buffer.data()), static_cast<std::streamsize>(count));
  }
  if (!out.flush()) fail(StoreError::io, "cannot write the copy " + to);
}

using Head = std::array<std::uint8_t, 100>;
Head head_of(VfsFile& file) {
  Head head{};
  (void)file.read(0, head.data(), head.size());
  return head;
}

// Copies the log first: a database that a checkpoint is just writing is whole together with the whole log. False if the file
// was still taking commits and a checkpoint began in between.
bool copy_pair(const std::string& path, const std::string& to) {
  VfsFile database(path, FileKind::database, "");
  VfsFile log(path + "-wal", FileKind::wal, "");
  const Head database_head = head_of(database);
  const Head log_head = head_of(log);
  const std::uint64_t size = log.size_bytes();
  copy_bytes(log, size, to + "-wal");
  copy_bytes(database, database.size_bytes(), to);
  return log.size_bytes() >= size && head_of(log) == log_head && head_of(database) == database_head;
}

}  // namespace

QuietCopy::QuietCopy(const JournalPlace& place) {
  const std::string& path = place.path;
  if (place.archived) {
    db_ = open_database(path, OpenMode::immutable, archive_vfs());
    return;
  }
  constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts && file_size(path + "-wal", "") > 0; ++attempt) {
    if (folder_.empty()) {
      std::string pattern = (std::filesystem::temp_directory_path() / "lianxi-verify-XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) fail(StoreError::io, "cannot make a folder for the copy in " + pattern);
      folder_ = pattern;
    }
    const std::string copy = folder_ + "/copy.db";
    if (!copy_pair(path, copy)) continue;
    db_ = open_database(copy, OpenMode::write, "");
    db_->exec("PRAGMA synchronous=OFF");
    sqlite3_db_config(db_->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    return;
  }
  if (file_size(path + "-wal", "") > 0) fail(StoreError::io, "the file changes while it is copied");
  db_ = open_database(path, OpenMode::immutable, "");
}

QuietCopy::~QuietCopy() {
  db_.reset();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

}  // namespace lianxi::store
