#include "agents/operator/import_file.h"

#include <cstring>

#include "agents/operator/console.h"
#include "schemas/limits.h"

namespace lianxi::cli {

Result<ImportFile> ImportFile::open(const std::string& file) {
  ImportFile opened;
  if (file == "-") {
    auto text = read_input(file, kMaxFileBytes);
    if (!text) return tl::unexpected(text.error());
    opened.text_ = std::move(*text);
    opened.in_memory_ = true;
    return opened;
  }
  opened.in_.open(file, std::ios::binary);
  if (!opened.in_ || opened.in_.peek() == std::ifstream::traits_type::eof()) {
    const bool empty = opened.in_.is_open() && !opened.in_.bad() && opened.in_.eof();
    if (!empty) return refuse(RefusalCode::not_found, "file", file + " cannot be opened");
  }
  return opened;
}

formats::ReadBlock ImportFile::begin() {
  at_ = 0;
  if (!in_memory_) {
    in_.clear();
    in_.seekg(0);
  }
  return [this](char* into, std::size_t size) -> std::size_t {
    if (in_memory_) {
      const std::size_t count = std::min(size, text_.size() - at_);
      std::memcpy(into, text_.data() + at_, count);
      at_ += count;
      return count;
    }
    in_.read(into, static_cast<std::streamsize>(size));
    failed_ = failed_ || in_.bad();
    return static_cast<std::size_t>(in_.gcount());
  };
}

}  // namespace lianxi::cli
