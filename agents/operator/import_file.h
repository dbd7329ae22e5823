// A file that is read twice: once to check it, once to publish it. One thread.
#pragma once

#include <fstream>
#include <string>

#include "agents/formats/csv.h"
#include "schemas/result.h"

namespace lianxi::cli {

class ImportFile {
 public:
  // "-": standard input, which is kept in memory and so has at most kMaxFileBytes. Refusals: not_found, oversize, malformed.
  [[nodiscard]] static Result<ImportFile> open(const std::string& file);

  // Reads from the beginning; ends what was begun before. Borrows this.
  [[nodiscard]] formats::ReadBlock begin();
  [[nodiscard]] bool failed() const { return failed_; }  // the disk did not give all of it

 private:
  std::ifstream in_;
  std::string text_;  // of standard input
  std::size_t at_ = 0;
  bool in_memory_ = false, failed_ = false;
};

}  // namespace lianxi::cli
