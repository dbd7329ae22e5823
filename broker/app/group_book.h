// Which set of members each group has had on this node (data_dir/groups.toml, schemas/README.md). A group keeps its set for ever,
// over restarts too: what was published to it would reach others.
//
// A value with its file; the thread that starts the broker, then the broker's.
#pragma once

#include <string>

#include "broker/core/policy.h"
#include "schemas/result.h"

namespace lianxi::app {

class GroupBook {
 public:
  GroupBook() = default;
  // Without the file: no group yet. Else why it cannot be read, and what mends it.
  [[nodiscard]] static Result<GroupBook, std::string> open(std::string path);

  // Why this node cannot run `members`; empty if it can.
  [[nodiscard]] std::string refuses(const core::Members& members) const;
  // Groups that are new are written down, and on disk when this returns; else why not. For members that refuses() lets pass.
  [[nodiscard]] std::string keep(const core::Members& members);

 private:
  std::string path_;
  core::Members kept_;  // groups alone
};

}  // namespace lianxi::app
