#include "broker/app/members_watch.h"

#include <sys/stat.h>

namespace lianxi::app {

MembersWatch::Look MembersWatch::look() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return {};
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return {info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size),
          info.st_mtim.tv_sec * kNanoseconds + info.st_mtim.tv_nsec};
}

bool MembersWatch::changed() {
  const Look now = look();
  const bool still = now == last_;
  last_ = now;
  const bool again = again_in_ > 0 && --again_in_ == 0;
  if (!still || (now == taken_ && !again)) return false;
  taken_ = now;
  return true;
}

}  // namespace lianxi::app
