// A disk that forgets, for one process: LD_PRELOAD this, and every change below $LIANXI_CUT_FOLDER is noted in
// $LIANXI_CUT_UNDO with what stood there before, and every fsync with what it made durable. The notes outlive a SIGKILL, and
// power_cut.py takes back what was never synced.
//
//   LIANXI_CUT_AFTER=n   SIGKILL from within at the n-th change, before it, behind it, or in the middle of a write
//   LIANXI_CUT_NOSYNC=1    fsync and fdatasync do nothing and make nothing durable
//
// A record of the notes, in the machine's byte order: u64 type, number, inode, at, old size, length; u64 lengths of path,
// second path and bytes; then these three.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

constexpr std::uint64_t kSectorBytes = 512;

enum Type : std::uint64_t { kWrite = 1, kTruncate, kCreate, kUnlink, kRename, kMkdir, kSyncFile, kSyncFolder };

template <class F>
F real(const char* name) {
  return reinterpret_cast<F>(::dlsym(RTLD_NEXT, name));
}
#define REAL(name) static const auto real_##name = real<decltype(&::name)>(#name)

struct File {
  std::uint64_t inode = 0;
  std::string folder;  // its path, if it is a folder
};

class Shim {
 public:
  static Shim& get() {
    static Shim* shim = new Shim;  // outlives every destructor that still writes
    return *shim;
  }

  std::recursive_mutex mutex;

  // The path, whole, if it is one to watch; else empty.
  std::string watched(int at, const char* path) const {
    if (folder_.empty() || path == nullptr) return {};
    std::string whole = path;
    if (whole.empty()) return {};
    if (whole[0] != '/') {
      if (at != AT_FDCWD) return {};
      std::array<char, PATH_MAX> here{};
      if (::getcwd(here.data(), here.size()) == nullptr) return {};
      whole = std::string(here.data()) + "/" + whole;
    }
    for (std::size_t dot; (dot = whole.find("/./")) != std::string::npos;) whole.erase(dot, 2);
    const bool below = whole == folder_ || whole.starts_with(folder_ + "/");
    return below && !whole.ends_with("-shm") ? whole : std::string();
  }
  static bool find(const std::string& path, struct stat& status) { return ::stat(path.c_str(), &status) == 0; }

  File* file(int fd) {
    return fd >= 0 && static_cast<std::size_t>(fd) < files_.size() && files_[static_cast<std::size_t>(fd)].inode != 0
               ? &files_[static_cast<std::size_t>(fd)]
               : nullptr;
  }
  void opened(int fd, const std::string& path) {
    struct stat status {};
    if (fd < 0 || ::fstat(fd, &status) != 0) return;
    if (files_.size() <= static_cast<std::size_t>(fd)) files_.resize(static_cast<std::size_t>(fd) + 64);
    files_[static_cast<std::size_t>(fd)] = {status.st_ino, S_ISDIR(status.st_mode) ? path : std::string()};
  }
  void closed(int fd) {
    if (File* known = file(fd)) *known = {};
  }

  struct Note {
    std::uint64_t type, inode = 0, at = 0, old_size = 0, length = 0;
    std::string path, second;
    std::vector<char> bytes;
  };
  void note(const Note& what) {
    const std::uint64_t head[] = {what.type,   ++number_,        what.inode,         what.at,          what.old_size,
                                  what.length, what.path.size(), what.second.size(), what.bytes.size()};
    std::string record(reinterpret_cast<const char*>(head), sizeof head);
    record += what.path + what.second;
    record.append(what.bytes.data(), what.bytes.size());
    raw_write(record.data(), record.size());
  }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] bool lying() const { return lying_; }
  // The blocks of a file that loses its name stay within reach.
  void keep(const std::string& path, std::uint64_t inode) const {
    const std::string kept = undo_ + "/inode-" + std::to_string(inode);
    (void)::link(path.c_str(), kept.c_str());
  }

  // True if the process dies at this change; `moment` says when.
  bool dies() { return after_ > 0 && --after_ == 0; }
  enum class Moment : std::uint8_t { before, middle, behind };
  [[nodiscard]] Moment moment() const { return static_cast<Moment>(moment_ % 3); }
  [[noreturn]] static void die() {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
  }

 private:
  Shim() {
    const char* folder = ::getenv("LIANXI_CUT_FOLDER");
    const char* undo = ::getenv("LIANXI_CUT_UNDO");
    if (folder == nullptr || undo == nullptr) return;
    undo_ = undo;
    log_ = static_cast<int>(real<int (*)(const char*, int, ...)>("open")((undo_ + "/notes").c_str(),
                                                                         O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (log_ < 0) ::abort();
    folder_ = folder;
    lying_ = ::getenv("LIANXI_CUT_NOSYNC") != nullptr;
    if (const char* after = ::getenv("LIANXI_CUT_AFTER")) moment_ = after_ = std::strtoull(after, nullptr, 10);
  }
  void raw_write(const char* bytes, std::size_t count) const {
    static const auto write_it = real<ssize_t (*)(int, const void*, size_t)>("write");
    while (count > 0) {
      const ssize_t done = write_it(log_, bytes, count);
      if (done <= 0) ::abort();
      bytes += done;
      count -= static_cast<std::size_t>(done);
    }
  }

  std::string folder_, undo_;
  int log_ = -1;
  bool lying_ = false;
  std::uint64_t number_ = 0, after_ = 0, moment_ = 0;
  std::vector<File> files_;
};

using Guard = std::lock_guard<std::recursive_mutex>;

std::vector<char> stands(int fd, std::uint64_t at, std::uint64_t count) {
  std::vector<char> bytes(count);
  // The descriptor may be one for writing only.
  REAL(open);
  REAL(close);
  const int reader = real_open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = reader < 0 ? -1 : ::pread(reader, bytes.data(), count, static_cast<off_t>(at));
  if (reader >= 0) real_close(reader);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

// Performs a change after its note; dies at it if it is its turn.
template <class Change, class Half>
auto change(Shim& shim, const Shim::Note& note, const Change& perform, const Half& half) -> decltype(perform()) {
  const bool dies = shim.dies();
  if (dies && shim.moment() == Shim::Moment::before) Shim::die();
  shim.note(note);
  if (dies && shim.moment() == Shim::Moment::middle) {
    half();
    Shim::die();
  }
  const auto result = perform();
  if (dies) Shim::die();
  return result;
}

Shim::Note note_of_write(int fd, const File& file, std::uint64_t at, std::uint64_t count) {
  struct stat status {};
  (void)::fstat(fd, &status);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  Shim::Note note{kWrite, file.inode, at, size, count, {}, {}, {}};
  if (at < size) note.bytes = stands(fd, at, std::min(count, size - at));
  return note;
}

template <class Write>
ssize_t write_at(int fd, const void* from, size_t count, off_t at, const Write& perform) {
  Shim& shim = Shim::get();
  const Guard guard(shim.mutex);
  const File* file = shim.file(fd);
  if (file == nullptr || count == 0) return perform(count);
  (void)from;
  return change(
      shim, note_of_write(fd, *file, static_cast<std::uint64_t>(at), count), [&] { return perform(count); },
      // Neither the kernel nor a disk leaves half a sector behind.
      [&] {
        const auto begin = static_cast<std::uint64_t>(at);
        const std::uint64_t end = (begin + count / 2) / kSectorBytes * kSectorBytes;
        if (end > begin) (void)perform(static_cast<std::size_t>(end - begin));
      });
}

int truncate_to(int fd, off_t size) {
  REAL(ftruncate);
  Shim& shim = Shim::get();
  const Guard guard(shim.mutex);
  const File* file = shim.file(fd);
  if (file == nullptr) return real_ftruncate(fd, size);
  struct stat status {};
  (void)::fstat(fd, &status);
  const auto to = static_cast<std::uint64_t>(size);
  const auto old = static_cast<std::uint64_t>(status.st_size);
  Shim::Note note{kTruncate, file->inode, to, old, 0, {}, {}, {}};
  if (to < old) note.bytes = stands(fd, to, old - to);
  return change(
      shim, note, [&] { return real_ftruncate(fd, size); }, [] {});
}

template <class Open>
int open_at(int at, const char* path, int flags, const Open& perform) {
  Shim& shim = Shim::get();
  const Guard guard(shim.mutex);
  const std::string whole = shim.watched(at, path);
  if (whole.empty()) return perform(flags);
  struct stat before {};
  const bool there = Shim::find(whole, before);
  int fd = -1;
  if (!there && (flags & O_CREAT) != 0) {
    if (shim.dies()) Shim::die();
    fd = perform(flags);
    if (fd >= 0) {
      struct stat status {};
      (void)::fstat(fd, &status);
      shim.note({kCreate, status.st_ino, 0, 0, 0, whole, {}, {}});
    }
  } else {
    fd = perform(flags & ~O_TRUNC);
  }
  shim.opened(fd, whole);
  if (there && fd >= 0 && (flags & O_TRUNC) != 0) (void)truncate_to(fd, 0);
  return fd;
}

int sync_with(int fd, const char* name) {
  Shim& shim = Shim::get();
  File file;
  std::uint64_t through = 0;
  {
    const Guard guard(shim.mutex);
    if (shim.lying()) return 0;
    if (const File* known = shim.file(fd)) file = *known;
    through = shim.number();
    if (file.inode != 0 && shim.dies()) Shim::die();
  }
  const int rc = real<int (*)(int)>(name)(fd);
  if (rc != 0 || file.inode == 0) return rc;
  const Guard guard(shim.mutex);
  shim.note({file.folder.empty() ? kSyncFile : kSyncFolder, file.inode, through, 0, 0, file.folder, {}, {}});
  return rc;
}

int rename_it(const char* from, const char* to) {
  REAL(rename);
  Shim& shim = Shim::get();
  const Guard guard(shim.mutex);
  const std::string a = shim.watched(AT_FDCWD, from), b = shim.watched(AT_FDCWD, to);
  struct stat status {
  }, replaced{};
  if (a.empty() || b.empty() || !Shim::find(a, status)) return real_rename(from, to);
  Shim::Note note{kRename, status.st_ino, 0, 0, 0, a, b, {}};
  if (Shim::find(b, replaced)) {
    note.at = replaced.st_ino;
    shim.keep(b, replaced.st_ino);
  }
  return change(
      shim, note, [&] { return real_rename(from, to); }, [] {});
}

int unlink_it(const char* path) {
  REAL(unlink);
  Shim& shim = Shim::get();
  const Guard guard(shim.mutex);
  const std::string whole = shim.watched(AT_FDCWD, path);
  struct stat status {};
  if (whole.empty() || !Shim::find(whole, status)) return real_unlink(path);
  shim.keep(whole, status.st_ino);
  return change(
      shim, {kUnlink, status.st_ino, 0, 0, 0, whole, {}, {}}, [&] { return real_unlink(path); }, [] {});
}

}  // namespace

extern "C" {

#define OPEN_WITH(name, ...)                  \
  mode_t mode = 0;                            \
  if ((flags & (O_CREAT | O_TMPFILE)) != 0) { \
    va_list rest;                             \
    va_start(rest, flags);                    \
    mode = va_arg(rest, mode_t);              \
    va_end(rest);                             \
  }                                           \
  REAL(name);

int open(const char* path, int flags, ...) {
  OPEN_WITH(open)
  return open_at(AT_FDCWD, path, flags, [&](int with) { return real_open(path, with, mode); });
}
int open64(const char* path, int flags, ...) {
  OPEN_WITH(open64)
  return open_at(AT_FDCWD, path, flags, [&](int with) { return real_open64(path, with, mode); });
}
int openat(int at, const char* path, int flags, ...) {
  OPEN_WITH(openat)
  return open_at(at, path, flags, [&](int with) { return real_openat(at, path, with, mode); });
}
int openat64(int at, const char* path, int flags, ...) {
  OPEN_WITH(openat64)
  return open_at(at, path, flags, [&](int with) { return real_openat64(at, path, with, mode); });
}
int close(int fd) {
  REAL(close);
  {
    Shim& shim = Shim::get();
    const Guard guard(shim.mutex);
    shim.closed(fd);
  }
  return real_close(fd);
}
ssize_t pwrite(int fd, const void* from, size_t count, off_t at) {
  REAL(pwrite);
  return write_at(fd, from, count, at, [&](size_t n) { return real_pwrite(fd, from, n, at); });
}
ssize_t pwrite64(int fd, const void* from, size_t count, off64_t at) {
  REAL(pwrite64);
  return write_at(fd, from, count, at, [&](size_t n) { return real_pwrite64(fd, from, n, at); });
}
ssize_t write(int fd, const void* from, size_t count) {
  REAL(write);
  // Held for the look as well: another thread that opens a file may move the table.
  const Guard guard(Shim::get().mutex);
  if (Shim::get().file(fd) == nullptr) return real_write(fd, from, count);
  return write_at(fd, from, count, ::lseek(fd, 0, SEEK_CUR), [&](size_t n) { return real_write(fd, from, n); });
}
int ftruncate(int fd, off_t size) noexcept {
  return truncate_to(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  return truncate_to(fd, size);
}
int fallocate(int, int, off_t, off_t) {  // nothing here may grow a file unseen
  errno = EOPNOTSUPP;
  return -1;
}
int fsync(int fd) {
  return sync_with(fd, "fsync");
}
int fdatasync(int fd) {
  return sync_with(fd, "fdatasync");
}
int rename(const char* from, const char* to) noexcept {
  return rename_it(from, to);
}
int unlink(const char* path) noexcept {
  return unlink_it(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  REAL(mkdir);
  Shim& shim = Shim::get();
  const Guard guard(shim.mutex);
  const std::string whole = shim.watched(AT_FDCWD, path);
  const int rc = real_mkdir(path, mode);
  if (rc == 0 && !whole.empty()) shim.note({kMkdir, 0, 0, 0, 0, whole, {}, {}});
  return rc;
}

}  // extern "C"
