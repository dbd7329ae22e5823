#include "agents/operator/out_file.h"

#include <filesystem>
#include <ostream>

namespace lianxi::cli {

OutFile::OutFile(std::string path, const Console& console) : path_(std::move(path)), part_(path_ + ".part"), console_(console) {
  if (to_file()) out_.open(part_, std::ios::binary | std::ios::trunc);
}

OutFile::~OutFile() {
  if (!to_file() || finished_) return;
  out_.close();
  std::error_code ignored;
  std::filesystem::remove(part_, ignored);
}

void OutFile::write(std::string_view text) {
  std::ostream& out = to_file() ? out_ : console_.out();
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
}

Result<void> OutFile::finish() {
  if (!to_file()) {
    console_.out().flush();
    if (!console_.out()) return refuse(RefusalCode::config, "--out", "standard output takes no more");
    return {};
  }
  out_.close();
  std::error_code failed;
  if (out_) std::filesystem::rename(part_, path_, failed);
  if (!out_ || failed)
    return refuse(RefusalCode::config, "--out", path_ + " cannot be written: is its folder there, and room on the disk?");
  finished_ = true;
  return {};
}

}  // namespace lianxi::cli
