#include "agents/formats/edxl_rm_shape.h"
#include "agents/formats/text.h"

namespace lianxi::formats {
namespace {

struct Entity {
  char plain;
  std::string_view written;
};
// '>' too: an instruction ends at "?>".
constexpr Entity kEntities[] = {{'&', "&amp;"},  {'<', "&lt;"},   {'>', "&gt;"}, {'"', "&quot;"},
                                {'\n', "&#10;"}, {'\r', "&#13;"}, {'\t', "&#9;"}};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    std::string_view written;
    for (const Entity& entity : kEntities) {
      if (entity.plain == c) written = entity.written;
    }
    if (written.empty()) {
      out += c;
    } else {
      out += written;
    }
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    bool found = false;
    for (const Entity& entity : kEntities) {
      if (!text.substr(at).starts_with(entity.written)) continue;
      out += entity.plain;
      at += entity.written.size();
      found = true;
      break;
    }
    if (!found) out += text[at++];
  }
  return out;
}

}  // namespace

std::string note_text(const std::vector<NameValue>& pairs) {
  std::string text;
  for (const NameValue& pair : pairs) {
    text += (text.empty() ? "" : " ") + pair.name + "=\"" + escaped(pair.value) + "\"";
  }
  return text;
}

Result<std::vector<NameValue>> read_note(std::string_view text) {
  std::vector<NameValue> pairs;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::size_t begin = text.find("=\"");
    const std::size_t end = begin == std::string_view::npos ? begin : text.find('"', begin + 2);
    if (end == std::string_view::npos)
      return refuse(RefusalCode::invalid_field, "", "it is written name=\"value\" name=\"value\"");
    pairs.push_back({std::string(trimmed(text.substr(0, begin))), unescaped(text.substr(begin + 2, end - begin - 2))});
    text.remove_prefix(end + 1);
  }
  return pairs;
}

}  // namespace lianxi::formats
