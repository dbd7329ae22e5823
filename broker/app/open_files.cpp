#include "broker/app/open_files.h"

#include <sys/resource.h>

#include <algorithm>

#include "broker/net/descriptor_watch.h"

namespace lianxi::app {

std::size_t raise_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1'024;
  const rlim_t wanted = std::min<rlim_t>(kWantedFiles, limit.rlim_max);
  if (limit.rlim_cur >= wanted) return limit.rlim_cur;
  rlimit raised = limit;
  raised.rlim_cur = wanted;
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? wanted : limit.rlim_cur;
}

std::size_t connections_per_endpoint(std::size_t files) {
  constexpr std::size_t kFewest = 16;
  constexpr std::size_t kEndpoints = 5;
  const std::size_t left = files > kOwnFiles ? files - kOwnFiles : 0;
  return std::clamp(left / (2 * kEndpoints), kFewest, net::WatchBounds{}.connections);
}

}  // namespace lianxi::app
