// Whether a file has changed on disk since it was read, and lies still: two looks in a row saw the same. Whoever copies it in
// place is waited for.
#pragma once

#include <cstdint>
#include <string>

#include "schemas/ids.h"

namespace lianxi::app {

inline constexpr std::int64_t kMembersLookMs = 2'000;
inline constexpr int kLooksBetween = 15;  // at a file that was refused

class MembersWatch {
 public:
  explicit MembersWatch(std::string path) : path_(std::move(path)), taken_(look()), last_(taken_) {}
  // One look. True once for each change.
  [[nodiscard]] bool changed();
  // What stands there now is being read: a change counts from here on. Before the reading.
  void taken() { taken_ = last_ = look(), again_in_ = 0; }
  // What stands there could not be used, and may be later without having changed: another file may mend it. It counts as changed
  // once more after kLooksBetween.
  void refused() { again_in_ = kLooksBetween; }

 private:
  struct Look {
    std::uint64_t device = 0, inode = 0, bytes = 0;  // all 0: no file
    std::int64_t changed_ns = 0;
    bool operator==(const Look&) const = default;
  };
  [[nodiscard]] Look look() const;

  std::string path_;
  Look taken_, last_;
  int again_in_ = 0;  // looks; 0: not asked for
};

}  // namespace lianxi::app
