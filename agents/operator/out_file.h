// A file that is there whole or not at all: written beside its place and moved there at the end; or standard output.
#pragma once

#include <fstream>
#include <iosfwd>
#include <string>

#include "agents/operator/console.h"

namespace lianxi::cli {

class OutFile {
 public:
  // "-": the console's standard output.
  OutFile(std::string path, const Console& console);
  ~OutFile();  // takes away what was not finished
  OutFile(const OutFile&) = delete;
  OutFile& operator=(const OutFile&) = delete;

  void write(std::string_view text);
  // Refusals (config): not to be written, as with a full disk or a folder that is not there.
  [[nodiscard]] Result<void> finish();

 private:
  [[nodiscard]] bool to_file() const { return path_ != "-"; }

  std::string path_, part_;
  const Console& console_;
  std::ofstream out_;
  bool finished_ = false;
};

}  // namespace lianxi::cli
