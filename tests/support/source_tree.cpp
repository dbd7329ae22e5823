#include "tests/support/source_tree.h"

namespace lianxi::test {

std::string source_tree(std::string_view below) {
  return std::string(LIANXI_SOURCE_DIR "/").append(below);
}

}  // namespace lianxi::test
