#include "agents/operator/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "agents/operator/words.h"
#include "schemas/codec/json.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 120;
  return size.ws_col;
}

}  // namespace

Language language_of_environment() {
  for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    return std::string_view(value).starts_with("zh") ? Language::chinese : Language::english;
  }
  return Language::english;
}

Console::Console(const Common& common, std::ostream& out, std::ostream& err, bool out_is_terminal, bool err_is_terminal)
    : common_(common),
      out_(out),
      err_(err),
      err_is_terminal_(err_is_terminal),
      colour_(out_is_terminal && std::getenv("NO_COLOR") == nullptr),
      width_(out_is_terminal ? terminal_width() : 0) {}

void Console::table(const Table& table, std::string_view indent) const {
  table.print(out_, colour_, width_, indent);
}

Exit Console::refused(const Refusal& refusal) const {
  if (json()) {
    out_ << to_json(refusal) << std::endl;
    return Exit::refused;
  }
  err_ << say()("refused: ", "被拒绝:") << refusal_word(refusal.code, say());
  if (!refusal.field.empty()) err_ << " (" << printable(refusal.field) << ")";
  err_ << ": " << printable(refusal.reason) << std::endl;
  return Exit::refused;
}

Exit Console::unreachable(const std::string& reason) const {
  return failed("unreachable", reason, Exit::unreachable);
}

Exit Console::failed(const std::string& code, const std::string& reason, Exit exit) const {
  if (json()) {
    const nlohmann::json error = {{"error", {{"code", code}, {"field", ""}, {"reason", reason}}}};
    out_ << error.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  } else {
    const std::string word = code == "unreachable" ? say()("node unreachable", "节点连不上")
                             : code == "usage"     ? say()("usage", "用法错误")
                                                   : code;
    err_ << word << ": " << printable(reason) << std::endl;
  }
  return exit;
}

TimeMs wall_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<std::unique_ptr<sdk::Client>> open_client(const Common& common, sdk::Profile& profile, sdk::ClientOptions options) {
  auto loaded = sdk::load_profile(common.profile);
  if (!loaded) return tl::unexpected(loaded.error());
  profile = std::move(*loaded);
  options.software = "lianxi operator";
  return sdk::Client::open(profile, std::move(options));
}

std::string short_time(TimeMs time) {
  std::string text = to_iso8601(time);
  if (text.size() < 19) return text;
  text[10] = ' ';
  return text.substr(0, 19);
}

std::string drill_mark(Status status, const Say& say) {
  if (status == Status::Actual) return {};
  if (say.chinese()) return "【" + std::string(to_chinese(status)) + "】";
  std::string word(to_word(status));
  for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return "** " + word + " **";
}

Result<std::string> read_input(const std::string& file, std::size_t max_bytes) {
  std::ifstream opened;
  if (file != "-") {
    opened.open(file, std::ios::binary);
    if (!opened) return refuse(RefusalCode::not_found, "file", file + " cannot be opened");
  }
  std::istream& in = file == "-" ? std::cin : opened;
  std::string text;
  std::array<char, 64 * 1024> block{};
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    text.append(block.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > max_bytes) {
      return refuse(RefusalCode::oversize, "file", file + " is larger than " + std::to_string(max_bytes) + " bytes");
    }
  }
  if (in.bad()) return refuse(RefusalCode::malformed, "file", file + " cannot be read");
  return text;
}

}  // namespace lianxi::cli
