// lianxi-broker backup: a proven copy of a node's journal while it runs. lianxi-broker restore: a node's data from one, in a
// new epoch.
#pragma once

#include <iosfwd>
#include <string>

#include "broker/app/config.h"

namespace lianxi::app {

struct BackupOptions {
  std::string folder;  // of the backup
  bool json = false;
  bool progress = false;
};

// Makes `folder` with `journal/` and `backup.json` (region, epoch, incarnation, and the feed vector that it stands at, as
// `verify --against` takes it). The folder appears when its journal is proven and on disk, and not before. Exit status: 0 done,
// 1 the copy cannot be made or does not prove, 2 the question cannot be asked (the folder is there already).
[[nodiscard]] int run_backup(const BrokerConfig& config, const BackupOptions& options, std::ostream& out, std::ostream& errors);

// Proves the backup, copies its journal into the node's data folder, which must have none, and begins an epoch behind it. The
// node must be stopped; the view is made anew at its next start. Exit status as above.
[[nodiscard]] int run_restore(const BrokerConfig& config, const BackupOptions& options, std::ostream& out, std::ostream& errors);

}  // namespace lianxi::app
