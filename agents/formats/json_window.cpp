#include "agents/formats/json_window.h"

#include "schemas/limits.h"

namespace lianxi::formats {
namespace {

constexpr std::size_t kBlock = 1024 * 1024;
static_assert(kMaxRecordBytes < kBlock);

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

bool JsonWindow::more() {
  if (end_) return false;
  window_.erase(0, kept_);
  at_ -= kept_;
  kept_ = 0;
  constexpr std::string_view kBom = "\xEF\xBB\xBF";
  do {
    const std::size_t before = window_.size();
    window_.resize(before + kBlock);
    const std::size_t count = read_(window_.data() + before, kBlock);
    window_.resize(before + count);
    end_ = count == 0;
  } while (!begun_ && !end_ && window_.size() <= kBom.size());  // past the mark, or nothing is left
  if (!begun_ && window_.starts_with(kBom)) at_ = kBom.size();
  begun_ = true;
  return at_ < window_.size();
}

char JsonWindow::peek() {
  for (;;) {
    kept_ = at_;
    if (at_ == window_.size() && !more()) return 0;
    if (at_ == window_.size()) continue;
    const char c = window_[at_];
    if (!is_blank(c)) return c;
    if (c == '\n') ++line_;
    ++at_;
  }
}

Result<std::string_view> JsonWindow::value() {
  const std::size_t line = line_;
  if (peek() == 0)
    return refuse(RefusalCode::malformed, "line " + std::to_string(line_), "the file ends where a value should stand");
  kept_ = at_;
  std::size_t depth = 0;
  bool text = false, escaped = false;
  for (;; ++at_) {
    if (at_ - kept_ > kMaxRecordBytes) {
      return refuse(RefusalCode::oversize, "line " + std::to_string(line),
                    "one value has more than " + std::to_string(kMaxRecordBytes) + " bytes");
    }
    if (at_ == window_.size() && !more() && at_ == window_.size()) {
      if (depth > 0 || text)
        return refuse(RefusalCode::malformed, "line " + std::to_string(line_), "the file ends inside a value");
      break;
    }
    const char c = window_[at_];
    if (c == '\n') ++line_;
    if (text) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        text = false;
        if (depth == 0) {
          ++at_;
          break;
        }
      }
      continue;
    }
    if (c == '"') {
      text = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (depth == 0) break;  // of what stands around it
      if (--depth == 0) {
        ++at_;
        break;
      }
    } else if (depth == 0 && (c == ',' || c == ':' || is_blank(c))) {
      if (c == '\n') --line_;  // peek() counts it
      break;
    }
  }
  return std::string_view(window_).substr(kept_, at_ - kept_);
}

}  // namespace lianxi::formats
