#include "agents/adapter/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "agents/adapter/reports.h"

namespace lianxi::adapter {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDone = "done";
constexpr const char* kRefused = "refused";
constexpr mode_t kFileMode = 0640;

tl::unexpected<Failure<SpoolError>> failed(SpoolError code, const fs::path& path, const std::string& why) {
  return tl::unexpected(Failure<SpoolError>{code, path.string() + ": " + why});
}
tl::unexpected<Failure<SpoolError>> failed(const fs::path& path, int error) {
  const bool gone = error == ENOENT || error == EISDIR || error == ELOOP;  // taken back, or something else under its name
  return failed(gone ? SpoolError::gone : SpoolError::disk, path, std::strerror(error));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

bool is_candidate(const std::string& name) {
  return !name.starts_with('.') && !name.ends_with(".tmp") && !name.ends_with(".part") && name != kDone && name != kRefused;
}

// Whole under its name or not there at all, also after a crash.
SpoolResult<void> write_file(const fs::path& path, const std::string& text) {
  const fs::path temporary = path.parent_path() / ("." + path.filename().string() + ".tmp");
  {
    const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
    if (file.get() < 0) return failed(temporary, errno);
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t wrote = ::write(file.get(), text.data() + at, text.size() - at);
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return failed(temporary, errno);
      at += static_cast<std::size_t>(wrote);
    }
    if (::fsync(file.get()) != 0) return failed(temporary, errno);
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failed(path, errno);
  return {};
}

SpoolResult<void> sync_folder(const fs::path& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || ::fsync(folder.get()) != 0) return failed(path, errno);
  return {};
}

SpoolResult<void> make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (error) return failed(path, error.value());
  return {};
}

}  // namespace

SpoolResult<std::vector<SpoolFile>> Spool::list() const {
  std::vector<SpoolFile> files;
  std::error_code error;
  const auto now = fs::file_time_type::clock::now();
  fs::directory_iterator entries(folder_, error);
  if (error) {
    return failed(SpoolError::gone, folder_, error.message() + ": make the spool folder, readable and writable for this program");
  }
  for (; entries != fs::directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code looked;
    if (!is_candidate(name) || !entries->is_regular_file(looked) || looked) continue;
    const auto changed = entries->last_write_time(looked);
    if (looked) continue;  // taken away meanwhile
    // A time in the future is some other machine's clock: as good as settled.
    files.push_back({name, changed > now || now - changed >= settle_});
  }
  if (error) return failed(folder_, error.value());
  std::ranges::sort(files, {}, &SpoolFile::name);
  return files;
}

SpoolResult<std::string> Spool::read(const std::string& name, std::size_t max_bytes) const {
  const fs::path path = folder_ / name;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file.get() < 0) return failed(path, errno);
  std::string content;
  std::array<char, 64 * 1024> buffer{};
  while (content.size() <= max_bytes) {
    const ssize_t got = ::read(file.get(), buffer.data(), std::min(buffer.size(), max_bytes + 1 - content.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, errno);
    if (got == 0) break;
    content.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return content;
}

// `refused_records`: what a run before a crash may have left in refused/; then the name is this file's own.
std::string Spool::free_name(const std::string& name, const std::string& refused_records) const {
  std::error_code error;
  const auto taken = [&](const std::string& candidate) {
    if (fs::exists(folder_ / kDone / candidate, error)) return true;
    if (!fs::exists(folder_ / kRefused / candidate, error)) return false;
    const auto content = read((fs::path(kRefused) / candidate).string(), refused_records.size());
    return !content || refused_records.empty() || *content != refused_records;
  };
  if (!taken(name)) return name;
  const fs::path path(name);
  for (std::size_t number = 2;; ++number) {
    const std::string candidate = path.stem().string() + "." + std::to_string(number) + path.extension().string();
    if (!taken(candidate)) return candidate;
  }
}

SpoolResult<void> Spool::finish(const std::string& name, const FileResult& result, TimeMs now) const {
  for (const char* folder : {kDone, kRefused}) {
    if (auto made = make_folder(folder_ / folder); !made) return made;
  }
  const bool any_accepted = result.accepted() > 0;
  const bool any_refused = result.refusals() > 0;
  // A file whose good records are published is done, and its bad ones alone are refused; a document or import goes as one.
  const bool to_done = !any_refused || (any_accepted && !result.whole);
  const std::string records = any_refused && to_done ? refused_text(result) : "";
  const std::string as = free_name(name, records);
  if (any_accepted || to_done) {
    if (auto wrote = write_file(folder_ / kDone / (as + ".receipt.jsonl"), receipt_text(result)); !wrote) return wrote;
  }
  if (any_refused) {
    if (auto wrote = write_file(folder_ / kRefused / (as + ".reason.json"), reason_text(name, result, now)); !wrote) return wrote;
  }
  if (!records.empty()) {
    if (auto wrote = write_file(folder_ / kRefused / as, records); !wrote) return wrote;
  }
  const fs::path target = folder_ / (to_done ? kDone : kRefused) / as;
  if (::rename((folder_ / name).c_str(), target.c_str()) != 0) return failed(folder_ / name, errno);
  for (const fs::path& folder : {folder_ / kDone, folder_ / kRefused, folder_}) {
    if (auto synced = sync_folder(folder); !synced) return synced;
  }
  return {};
}

}  // namespace lianxi::adapter
