// The folder of a run's disks; gone with the run.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

namespace lianxi::sim {

// In memory where the system has such a folder: the simulator knows by itself what was synced.
class Folder {
 public:
  Folder() {
    namespace fs = std::filesystem;
    const fs::path base = fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string name = (base / "lianxi-sim-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lianxi::sim
