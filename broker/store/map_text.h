// Words of a resource's text, for its index and for questions. A run is what stands between spaces and marks: of letters of
// the Latin alphabet and digits in either case and width, or of other letters, Chinese above all. A run of a question is found
// anywhere in the other letters, and where a word begins in Latin ones.
//
// The index (FTS5) holds for other letters each pair of neighbours, and a run's last one alone: so a word of two letters is one
// token, and one letter is what tokens begin with. Latin runs are a token each. A capability stands as a token of its own too.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace lianxi::store {

// Lower case, half width.
[[nodiscard]] std::string folded(std::string_view text);

struct TextRun {
  std::string text;  // folded
  bool latin = false;
  bool operator==(const TextRun&) const = default;
};
[[nodiscard]] std::vector<TextRun> runs_of(std::string_view text);
// Whether the run stands in the text, as above; what is folded is given.
[[nodiscard]] bool stands_in(const TextRun& run, std::string_view folded_text);
// False if tokens alone say whether a run stands in a row: a row that has them need not be looked at.
[[nodiscard]] bool spans_tokens(const TextRun& run);

// What the index is given of a row.
[[nodiscard]] std::string indexed_text(std::initializer_list<std::string_view> texts,
                                       const std::vector<std::string>& capabilities);
// Tokens that a row with the run has, if there are several; a dozen at most, for the row itself is looked at behind them.
[[nodiscard]] std::vector<std::string> pairs_of(const TextRun& run);
// Those of several tokens that are worth asking for, the rarest first; the rows themselves are looked at for the rest. To read
// through the rows of a token that nearly every row has costs more than to look at the few rows that the others leave.
// `rows_with`: how many rows have a token, of `rows`.
[[nodiscard]] std::vector<std::string> worth_asking(const std::vector<std::string>& tokens, std::uint64_t rows,
                                                    const std::function<std::uint64_t(const std::string&)>& rows_with);
// What FTS5 is asked: all of these tokens, or one of the capabilities. No token: the run itself is one, or the beginning of one.
[[nodiscard]] std::string match_of(const TextRun& run, const std::vector<std::string>& tokens,
                                   const std::vector<std::string>& capabilities);

// Makes the tokenizer `lianxi` known to a connection, before a statement names a table that has it.
[[nodiscard]] bool add_tokenizer(sqlite3* db);

}  // namespace lianxi::store
