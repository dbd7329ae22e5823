// Wakes when a folder changes and knows which files were renamed into it: those are complete at once. Only a help: without
// inotify (or on a network folder) it just waits.
#pragma once

#include <chrono>
#include <set>
#include <string>

namespace lianxi::adapter {

class FolderWatch {
 public:
  FolderWatch() = default;
  ~FolderWatch();
  FolderWatch(const FolderWatch&) = delete;
  FolderWatch& operator=(const FolderWatch&) = delete;

  // Watches `folder`; again after it was gone. Cheap if nothing changed.
  void watch(const std::string& folder);
  // Waits for a change, at most `timeout`; returns the names that were renamed into the folder since the last call.
  [[nodiscard]] std::set<std::string> wait(std::chrono::milliseconds timeout);

 private:
  void drain(std::set<std::string>& moved);

  int notices_ = -1;
  int watched_ = -1;
};

}  // namespace lianxi::adapter
