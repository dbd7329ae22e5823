// lianxi-broker verify: proves a journal offline, with the keys of a members file and nothing else.
#pragma once

#include <iosfwd>
#include <string>

namespace lianxi::app {

struct VerifyOptions {
  std::string journal;  // folder
  std::string members;  // file
  std::string against;  // file of a feed vector that the journal must hold; may be empty
  bool json = false;
};

// Findings go to `out`, what cannot be read to `errors`, progress too if `progress`. Returns the exit status: 0 proven,
// 1 findings, 2 the question itself cannot be asked.
[[nodiscard]] int run_verify(const VerifyOptions& options, std::ostream& out, std::ostream& errors, bool progress);

}  // namespace lianxi::app
