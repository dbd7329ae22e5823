// The folder where a node keeps what it must not lose. One process at a time.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "schemas/result.h"

namespace lianxi::app {

enum class FolderError : std::uint8_t { cannot_make, not_writable, in_use };

class DataFolder {
 public:
  DataFolder() = default;
  ~DataFolder();
  DataFolder(DataFolder&& other) noexcept : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}
  DataFolder& operator=(DataFolder&& other) noexcept;
  // Makes the folder if it is not there and locks it against a second broker.
  [[nodiscard]] static Result<DataFolder, Failure<FolderError>> open(const std::string& path);

  // `<folder>/endpoints.toml`: where this process listens, for tests and tools. Replaced whole. False: not written.
  [[nodiscard]] bool write_endpoints(const std::vector<std::pair<std::string, std::string>>& endpoints) const;

 private:
  std::string path_;
  int lock_ = -1;
};

}  // namespace lianxi::app
