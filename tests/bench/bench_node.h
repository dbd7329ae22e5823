// A real broker process on loopback with fresh keys in a temporary folder, for as long as the object lives.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "agents/sdk/profile.h"

namespace lianxi::bench {

class BenchNode {
 public:
  // Throws std::runtime_error if the folder, the files or the process cannot be made.
  explicit BenchNode(const std::filesystem::path& broker, Security security = Security::curve);
  ~BenchNode();
  BenchNode(const BenchNode&) = delete;
  BenchNode& operator=(const BenchNode&) = delete;

  [[nodiscard]] const sdk::Profile& profile() const { return profile_; }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] bool alive() const;
  [[nodiscard]] std::string last_words() const;  // the end of its log

 private:
  void write_files(Security security);
  void start(const std::filesystem::path& broker);

  std::filesystem::path folder_;
  sdk::Profile profile_;
  mutable pid_t pid_ = -1;
};

}  // namespace lianxi::bench
