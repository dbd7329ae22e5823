#include <iconv.h>

#include <array>

#include "agents/formats/records.h"
#include "schemas/text.h"

namespace lianxi::formats {
namespace {

class Converter {
 public:
  explicit Converter(const char* from) : handle_(iconv_open("UTF-8", from)) {}
  ~Converter() {
    if (known()) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  [[nodiscard]] bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  // Nothing if the bytes are not of the encoding.
  std::optional<std::string> convert(std::string_view bytes) {
    std::string result;
    std::array<char, 16 * 1024> buffer{};
    char* in = const_cast<char*>(bytes.data());  // iconv's signature; it does not write there
    std::size_t left = bytes.size();
    while (left > 0) {
      char* out = buffer.data();
      std::size_t space = buffer.size();
      const std::size_t before = left;
      const bool failed = iconv(handle_, &in, &left, &out, &space) == static_cast<std::size_t>(-1);
      result.append(buffer.data(), buffer.size() - space);
      if (failed && left == before && space == buffer.size()) return std::nullopt;
    }
    return result;
  }

 private:
  iconv_t handle_;
};

}  // namespace

Result<std::string> to_utf8(std::string_view bytes, const std::string& encoding) {
  constexpr std::string_view kBom = "\xEF\xBB\xBF";
  if (encoding == "utf-8") {
    if (bytes.starts_with(kBom)) bytes.remove_prefix(kBom.size());
    return std::string(bytes);
  }
  Converter converter("GB18030");
  if (encoding != "gb18030" || !converter.known()) {
    return refuse(RefusalCode::config, "encoding", "this system cannot read " + encoding + "; known are utf-8 and gb18030");
  }
  auto text = converter.convert(bytes);
  if (!text) return refuse(RefusalCode::malformed, "", "the text is not GB18030, the encoding that the mapping names");
  return std::move(*text);
}

}  // namespace lianxi::formats
