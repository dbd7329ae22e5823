#include "agents/adapter/folder_watch.h"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cstring>

namespace lianxi::adapter {

FolderWatch::~FolderWatch() {
  if (notices_ >= 0) ::close(notices_);
}

void FolderWatch::watch(const std::string& folder) {
  if (notices_ < 0) notices_ = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (notices_ < 0 || watched_ >= 0) return;
  watched_ = ::inotify_add_watch(notices_, folder.c_str(), IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_ONLYDIR);
}

std::set<std::string> FolderWatch::wait(std::chrono::milliseconds timeout) {
  std::set<std::string> moved;
  pollfd item{notices_, POLLIN, 0};  // a negative descriptor is passed over: then this only waits
  if (::poll(&item, 1, static_cast<int>(timeout.count())) > 0) drain(moved);
  return moved;
}

void FolderWatch::drain(std::set<std::string>& moved) {
  alignas(inotify_event) std::array<char, 16 * 1024> buffer{};
  for (;;) {
    const ssize_t got = ::read(notices_, buffer.data(), buffer.size());
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      if ((event.mask & IN_MOVED_TO) != 0 && event.len > 0) moved.insert(buffer.data() + at + sizeof event);
      if ((event.mask & IN_IGNORED) != 0) watched_ = -1;  // the folder is gone
      at += sizeof event + event.len;
    }
  }
}

}  // namespace lianxi::adapter
