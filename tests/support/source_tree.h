// Where the sources stand: tests read data, mappings and rules of the house from there.
#pragma once

#include <string>
#include <string_view>

namespace lianxi::test {

// An absolute path; `below` is relative to the top of the tree. The one file that knows it, so that other objects are the same
// in every checkout and a compiler's cache serves them all.
[[nodiscard]] std::string source_tree(std::string_view below);

}  // namespace lianxi::test
