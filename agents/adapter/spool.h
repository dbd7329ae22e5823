// The spool folder: what lies in it, whether it is complete, and where it goes.
//
//   FOLDER/                 files to publish; write under a name that begins with '.' or ends in .tmp or .part, then rename
//   FOLDER/done/            published files, each with <name>.receipt.jsonl
//   FOLDER/refused/         files, or the records of a file, that were refused, each with <name>.reason.json
//
// No state but the folder; any thread. Failures are of the system (disk full, folder gone): `detail` says what to mend.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "agents/adapter/publish.h"

namespace lianxi::adapter {

enum class SpoolError : std::uint8_t { gone, disk };
template <class T>
using SpoolResult = Result<T, Failure<SpoolError>>;

struct SpoolFile {
  std::string name;
  bool complete = false;  // unchanged for the settling time
};

class Spool {
 public:
  Spool(std::filesystem::path folder, std::chrono::milliseconds settle) : folder_(std::move(folder)), settle_(settle) {}

  // In name order.
  [[nodiscard]] SpoolResult<std::vector<SpoolFile>> list() const;
  // At most `max_bytes` + 1.
  [[nodiscard]] SpoolResult<std::string> read(const std::string& name, std::size_t max_bytes) const;
  // Writes the receipts and reasons, then moves the file; safe to repeat after a failure or crash. Nothing in done/ or
  // refused/ is overwritten: a name that is taken gets a number.
  [[nodiscard]] SpoolResult<void> finish(const std::string& name, const FileResult& result, TimeMs now) const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

 private:
  [[nodiscard]] std::string free_name(const std::string& name, const std::string& refused_records) const;

  std::filesystem::path folder_;
  std::chrono::milliseconds settle_;
};

}  // namespace lianxi::adapter
