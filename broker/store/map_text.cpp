#include "broker/store/map_text.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdint>

namespace lianxi::store {

namespace {

// Begins a capability's own token; of the private use area, so that no text means it.
constexpr char32_t kMark = 0xE000;
constexpr std::string_view kMarkText = "\xEE\x80\x80";

struct Letter {
  char32_t code = 0;
  std::size_t begin = 0, end = 0;  // bytes
};

// The text was checked as UTF-8 when it came in; what is not reads as single bytes.
Letter letter_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (size == 1 || at + size > text.size()) return {first, at, at + 1};
  char32_t code = first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) code = code << 6U | (byte(at + i) & 0x3FU);
  return {code, at, at + size};
}

// Of full width forms the half width one.
char32_t plain(char32_t code) {
  constexpr char32_t kFullWidth = 0xFF01, kFullWidthEnd = 0xFF5E, kShift = 0xFEE0;
  if (code >= kFullWidth && code <= kFullWidthEnd) code -= kShift;
  if (code == 0x3000) return ' ';
  return code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code;
}

bool is_latin(char32_t code) {
  return (code >= 'a' && code <= 'z') || (code >= '0' && code <= '9');
}

bool is_other(char32_t code) {
  if (code < 0xC0 || code == 0xD7 || code == 0xF7) return false;
  const bool is_mark = (code >= 0x2000 && code <= 0x2BFF) || (code >= 0x3000 && code <= 0x3004) ||
                       (code >= 0x3008 && code <= 0x3020) || code == 0x30FB || code == kMark ||
                       (code >= 0xFE10 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF0F) ||
                       (code >= 0xFF5F && code <= 0xFF65);
  return !is_mark;
}

void append(std::string& to, char32_t code) {
  if (code < 0x80) {
    to += static_cast<char>(code);
  } else if (code < 0x800) {
    to += static_cast<char>(0xC0 | code >> 6U);
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    to += static_cast<char>(0xE0 | code >> 12U);
    to += static_cast<char>(0x80 | (code >> 6U & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    to += static_cast<char>(0xF0 | code >> 18U);
    to += static_cast<char>(0x80 | (code >> 12U & 0x3F));
    to += static_cast<char>(0x80 | (code >> 6U & 0x3F));
    to += static_cast<char>(0x80 | (code & 0x3F));
  }
}

std::vector<std::string> letters_of(const std::string& text) {
  std::vector<std::string> letters;
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    letters.push_back(text.substr(at, letter.end - at));
    at = letter.end;
  }
  return letters;
}

std::string quoted(const std::string& token) {
  return '"' + token + '"';
}

// --- the tokenizer ---

using Token = int (*)(void* context, int flags, const char* token, int bytes, int begin, int end);

int give(Token token, void* context, const std::string& text) {
  return token(context, 0, text.data(), static_cast<int>(text.size()), 0, 0);
}

int give_run(Token token, void* context, const TextRun& run) {
  if (run.latin) return give(token, context, run.text);
  const std::vector<std::string> letters = letters_of(run.text);
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const std::string next = i + 1 < letters.size() ? letters[i + 1] : std::string();
    if (const int rc = give(token, context, letters[i] + next); rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

int tokenize(Fts5Tokenizer* /*tokenizer*/, void* context, int flags, const char* text, int bytes, Token token) {
  const std::string_view all(text, static_cast<std::size_t>(bytes));
  // What a question asks for is one token as it stands.
  if ((flags & FTS5_TOKENIZE_QUERY) != 0) return give(token, context, std::string(all));
  const std::size_t marked = all.find(kMarkText);
  for (const TextRun& run : runs_of(all.substr(0, marked)))
    if (const int rc = give_run(token, context, run); rc != SQLITE_OK) return rc;
  for (std::size_t at = marked; at != std::string_view::npos;) {
    const std::size_t next = all.find(kMarkText, at + 1);
    if (const int rc = give(token, context, std::string(all.substr(at, next - at))); rc != SQLITE_OK) return rc;
    at = next;
  }
  return SQLITE_OK;
}

int create(void* /*context*/, const char** /*arguments*/, int /*count*/, Fts5Tokenizer** out) {
  static int nothing = 0;  // the tokenizer has no state; FTS5 wants an address
  *out = reinterpret_cast<Fts5Tokenizer*>(&nothing);
  return SQLITE_OK;
}

void destroy(Fts5Tokenizer* /*tokenizer*/) {}

fts5_api* api_of(sqlite3* db) {
  fts5_api* api = nullptr;
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, nullptr) != SQLITE_OK) return nullptr;
  sqlite3_bind_pointer(statement, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
  (void)sqlite3_step(statement);
  (void)sqlite3_finalize(statement);
  return api;
}

}  // namespace

std::string folded(std::string_view text) {
  std::string to;
  to.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    append(to, plain(letter.code));
    at = letter.end;
  }
  return to;
}

std::vector<TextRun> runs_of(std::string_view text) {
  std::vector<TextRun> runs;
  bool open = false;
  for (std::size_t at = 0; at < text.size();) {
    const Letter letter = letter_at(text, at);
    at = letter.end;
    const char32_t code = plain(letter.code);
    const bool latin = is_latin(code);
    if (!latin && !is_other(code)) {
      open = false;
      continue;
    }
    if (!open || runs.back().latin != latin) runs.push_back({{}, latin});
    open = true;
    append(runs.back().text, code);
  }
  return runs;
}

bool stands_in(const TextRun& run, std::string_view folded_text) {
  for (std::size_t at = folded_text.find(run.text); at != std::string_view::npos; at = folded_text.find(run.text, at + 1)) {
    if (!run.latin || at == 0 || !is_latin(static_cast<unsigned char>(folded_text[at - 1]))) return true;
  }
  return false;
}

bool spans_tokens(const TextRun& run) {
  return !run.latin && letters_of(run.text).size() > 2;
}

std::string indexed_text(std::initializer_list<std::string_view> texts, const std::vector<std::string>& capabilities) {
  std::string to;
  for (const std::string_view text : texts) {
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t mark = std::min(text.find(kMarkText, at), text.size());
      to += text.substr(at, mark - at);
      at = mark == text.size() ? mark : mark + kMarkText.size();
    }
    to += '\n';
  }
  for (const std::string& word : capabilities) to += word + '\n';
  for (const std::string& word : capabilities) {
    to += kMarkText;
    to += word;
  }
  return to;
}

std::vector<std::string> pairs_of(const TextRun& run) {
  constexpr std::size_t kMost = 12;  // leave few rows, and each has its price
  std::vector<std::string> pairs;
  if (!spans_tokens(run)) return pairs;
  const std::vector<std::string> letters = letters_of(run.text);
  for (std::size_t i = 0; i + 1 < letters.size() && pairs.size() < kMost; ++i) pairs.push_back(letters[i] + letters[i + 1]);
  return pairs;
}

std::vector<std::string> worth_asking(const std::vector<std::string>& tokens, std::uint64_t rows,
                                      const std::function<std::uint64_t(const std::string&)>& rows_with) {
  constexpr double kRowLook = 50;     // costs as much as so many entries of a token's list
  constexpr double kNeighbours = 32;  // tokens of one name stand together so much oftener than by chance
  std::vector<std::pair<std::uint64_t, std::string>> by_rows;
  for (const std::string& token : tokens) by_rows.emplace_back(rows_with(token), token);
  std::ranges::sort(by_rows);
  std::vector<std::string> asked;
  double left = static_cast<double>(std::max<std::uint64_t>(rows, 1));
  for (const auto& [count, token] : by_rows) {
    const auto with = static_cast<double>(count);
    if (!asked.empty() && with > kRowLook * left) break;
    const double by_chance = left * with / static_cast<double>(std::max<std::uint64_t>(rows, 1));
    left = asked.empty() ? with : std::min(left, by_chance * kNeighbours);
    asked.push_back(token);
  }
  return asked;
}

std::string match_of(const TextRun& run, const std::vector<std::string>& tokens, const std::vector<std::string>& capabilities) {
  std::string match;
  for (const std::string& token : tokens) match += (match.empty() ? "" : " AND ") + quoted(token);
  if (tokens.empty()) {
    const bool pair = !run.latin && letters_of(run.text).size() == 2;
    match = quoted(run.text) + (pair ? "" : "*");
  }
  match = '(' + match + ')';
  for (const std::string& word : capabilities) match += " OR " + quoted(std::string(kMarkText) + word);
  return '(' + match + ')';
}

bool add_tokenizer(sqlite3* db) {
  fts5_api* api = api_of(db);
  if (api == nullptr) return false;
  fts5_tokenizer tokenizer{&create, &destroy, &tokenize};
  return api->xCreateTokenizer(api, "lianxi", nullptr, &tokenizer, nullptr) == SQLITE_OK;
}

}  // namespace lianxi::store
