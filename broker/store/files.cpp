#include "broker/store/files.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "broker/store/sqlite.h"

namespace lianxi::store {

namespace {

sqlite3_vfs* find_vfs(const std::string& name) {
  start_sqlite();
  sqlite3_vfs* vfs = sqlite3_vfs_find(name.empty() ? nullptr : name.c_str());
  if (vfs == nullptr) fail(StoreError::io, "no SQLite VFS named '" + name + "'");
  return vfs;
}

constexpr std::string_view kSuffix = ".db", kArchiveSuffix = ".db.zst";
constexpr std::size_t kMinDigits = 6;

}  // namespace

bool file_exists(const std::string& path, const std::string& vfs) {
  sqlite3_vfs* v = find_vfs(vfs);
  int found = 0;
  const int rc = v->xAccess(v, path.c_str(), SQLITE_ACCESS_EXISTS, &found);
  return rc == SQLITE_OK && found != 0;
}

std::uint64_t file_size(const std::string& path, const std::string& vfs) {
  if (!file_exists(path, vfs)) return 0;
  return VfsFile(path, path.ends_with("-wal") ? FileKind::wal : FileKind::database, vfs).size_bytes();
}

void remove_database(const std::string& path, const std::string& vfs) {
  sqlite3_vfs* v = find_vfs(vfs);
  for (const char* suffix : {"-journal", "-wal", "-shm", ""}) {
    const std::string file = path + suffix;
    const int rc = v->xDelete(v, file.c_str(), 1);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_DELETE_NOENT) fail(StoreError::io, "cannot delete " + file);
  }
}

std::int64_t vfs_time_ms(const std::string& vfs) {
  sqlite3_vfs* v = find_vfs(vfs);
  sqlite3_int64 now = 0;
  if (v->iVersion >= 2 && v->xCurrentTimeInt64 != nullptr) {
    (void)v->xCurrentTimeInt64(v, &now);
  } else {
    double days = 0;
    (void)v->xCurrentTime(v, &days);
    now = static_cast<sqlite3_int64>(days * 86'400'000.0);
  }
  return now;
}

VfsFile::VfsFile(const std::string& path, FileKind kind, const std::string& vfs, FileAccess access) {
  sqlite3_vfs* v = find_vfs(vfs);
  const auto words = (static_cast<std::size_t>(v->szOsFile) + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t);
  memory_ = std::make_unique<std::uint64_t[]>(words);
  file_ = reinterpret_cast<sqlite3_file*>(memory_.get());
  name_ = sqlite3_create_filename(path.c_str(), "", "", 0, nullptr);
  if (name_ == nullptr) throw std::bad_alloc();
  const int type = kind == FileKind::wal ? SQLITE_OPEN_WAL : SQLITE_OPEN_MAIN_DB;
  int flags = 0;
  if (v->xOpen(v, name_, file_, (access == FileAccess::read ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | type, &flags) !=
      SQLITE_OK) {
    if (file_->pMethods != nullptr) file_->pMethods->xClose(file_);
    sqlite3_free_filename(const_cast<char*>(name_));
    fail(StoreError::io, "cannot open " + path);
  }
}

VfsFile::~VfsFile() {
  file_->pMethods->xClose(file_);
  sqlite3_free_filename(const_cast<char*>(name_));
}

std::uint64_t VfsFile::size_bytes() {
  sqlite3_int64 size = 0;
  if (file_->pMethods->xFileSize(file_, &size) != SQLITE_OK)
    fail(StoreError::io, std::string("cannot tell the size of ") + name_);
  return static_cast<std::uint64_t>(size);
}

void VfsFile::sync() {
  if (file_->pMethods->xSync(file_, SQLITE_SYNC_NORMAL) != SQLITE_OK) fail(StoreError::io, std::string("cannot sync ") + name_);
}

void VfsFile::write_again(std::uint64_t bytes) {
  constexpr std::uint64_t kBlockBytes = 1 << 16;  // SQLite's own writes may not be above 128 KiB
  std::vector<std::uint8_t> block(std::min(bytes, kBlockBytes));
  for (std::uint64_t at = 0; at < bytes; at += block.size()) {
    block.resize(std::min(bytes - at, kBlockBytes));
    if (!read(at, block.data(), block.size()))
      fail(StoreError::io, std::string(name_) + " ends before byte " + std::to_string(bytes));
    if (file_->pMethods->xWrite(file_, block.data(), static_cast<int>(block.size()), static_cast<sqlite3_int64>(at)) != SQLITE_OK)
      fail(StoreError::io, std::string("cannot write ") + name_ + " at byte " + std::to_string(at));
  }
  sync();
}

bool VfsFile::read(std::uint64_t offset, std::uint8_t* into, std::size_t bytes) {
  const int rc = file_->pMethods->xRead(file_, into, static_cast<int>(bytes), static_cast<sqlite3_int64>(offset));
  if (rc == SQLITE_IOERR_SHORT_READ) return false;
  if (rc != SQLITE_OK) fail(StoreError::io, std::string("cannot read ") + name_ + " at byte " + std::to_string(offset));
  return true;
}

std::string journal_path(const std::string& folder, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < kMinDigits) digits.insert(0, kMinDigits - digits.size(), '0');
  return folder + "/" + digits + std::string(kSuffix);
}

std::vector<std::uint64_t> list_journal(const std::string& folder) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(folder, error); !error && it != std::filesystem::directory_iterator();
       it.increment(error)) {
    const std::string name = it->path().filename().string();
    const std::string_view suffix = name.ends_with(kArchiveSuffix) ? kArchiveSuffix : kSuffix;
    if (!name.ends_with(suffix)) continue;
    const std::string digits = name.substr(0, name.size() - suffix.size());
    const bool number =
        digits.size() >= kMinDigits && digits.size() <= 18 && digits.find_first_not_of("0123456789") == std::string::npos;
    if (number) numbers.push_back(std::stoull(digits));
  }
  if (error) fail(StoreError::io, "cannot list " + folder + ": " + error.message());
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

std::string archive_path(const std::string& folder, std::uint64_t number) {
  return journal_path(folder, number) + ".zst";
}

std::optional<JournalPlace> find_journal(const std::string& folder, std::uint64_t number, const std::string& vfs) {
  // A file goes from plain to archived and never back, but its archive may be named between the two looks.
  const std::string plain = journal_path(folder, number);
  if (file_exists(plain, vfs)) return JournalPlace{plain, false};
  if (vfs.empty() && file_exists(plain + ".zst", "")) return JournalPlace{plain + ".zst", true};
  return std::nullopt;
}

std::uint64_t file_identity(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

NewFile::NewFile(std::string path) : path_(std::move(path)) {
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(StoreError::io, "cannot make " + path_ + ": " + std::strerror(errno));
}

NewFile::~NewFile() {
  ::close(descriptor_);
}

void NewFile::write(BytesView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      fail(errno == ENOSPC || errno == EDQUOT ? StoreError::full : StoreError::io,
           "cannot write " + path_ + ": " + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void NewFile::sync() {
  if (::fsync(descriptor_) != 0) fail(StoreError::io, "cannot sync " + path_ + ": " + std::strerror(errno));
}

void sync_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) fail(StoreError::io, "cannot sync " + path + ": " + std::strerror(error));
}

void move_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0)
    fail(StoreError::io, "cannot rename " + from + " to " + to + ": " + std::strerror(errno));
}

void sync_folder(const std::string& folder, const std::string& vfs) {
  if (!vfs.empty()) return;
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) fail(StoreError::io, "cannot sync the folder " + folder + ": " + std::strerror(error));
}

FolderLock::FolderLock(const std::string& folder, const std::string& vfs) {
  if (!vfs.empty()) return;
  const std::string path = folder + "/lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0) fail(StoreError::io, "cannot open " + path + ": " + std::strerror(errno));
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor_);
    descriptor_ = -1;
    fail(StoreError::io, "another process writes this journal (it holds " + path + ")");
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace lianxi::store
