#include "broker/app/data_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace lianxi::app {

namespace fs = std::filesystem;

DataFolder::~DataFolder() {
  if (lock_ >= 0) ::close(lock_);
}

DataFolder& DataFolder::operator=(DataFolder&& other) noexcept {
  if (lock_ >= 0 && this != &other) ::close(lock_);
  path_ = std::move(other.path_);
  lock_ = std::exchange(other.lock_, -1);
  return *this;
}

Result<DataFolder, Failure<FolderError>> DataFolder::open(const std::string& path) {
  const auto failed = [](FolderError code, std::string detail) {
    return tl::unexpected(Failure<FolderError>{code, std::move(detail)});
  };
  std::error_code error;
  fs::create_directories(path, error);
  if (error)
    return failed(FolderError::cannot_make,
                  fmt::format("data_dir {} cannot be made: {}; make it, or change data_dir", path, error.message()));
  const std::string file = path + "/lock";
  DataFolder folder;
  folder.path_ = path;
  folder.lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (folder.lock_ < 0)
    return failed(FolderError::not_writable,
                  fmt::format("data_dir {} cannot be written: {}; give the broker's user the right to write there", path,
                              std::strerror(errno)));
  if (::flock(folder.lock_, LOCK_EX | LOCK_NB) != 0)
    return failed(
        FolderError::in_use,
        fmt::format("data_dir {} is used by another lianxi-broker; stop it, or give this node a data_dir of its own", path));
  return folder;
}

bool DataFolder::write_endpoints(const std::vector<std::pair<std::string, std::string>>& endpoints) const {
  const std::string file = path_ + "/endpoints.toml";
  const std::string fresh = file + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << "# Where the running broker listens. Written at each start.\n";
    for (const auto& [name, endpoint] : endpoints) out << name << " = \"" << endpoint << "\"\n";
    if (!out.flush()) return false;
  }
  std::error_code error;
  fs::rename(fresh, file, error);
  return !error;
}

}  // namespace lianxi::app
