// The proof of some files of a living journal, one behind another: what verify_journal proves of each. The first one's opening
// state is believed, each later one's must be what the file before ended with. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/store/files.h"
#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

class ProofRun {
 public:
  ProofRun(const std::string& folder, KeyOf key_of);
  ~ProofRun();
  ProofRun(const ProofRun&) = delete;
  ProofRun& operator=(const ProofRun&) = delete;

  struct Proof {
    std::uint64_t events = 0;
    std::vector<std::string> findings;  // one line each; none: proven
  };
  // Nobody writes the file any more.
  [[nodiscard]] Proof prove(std::uint64_t number);
  // Likewise what stands elsewhere and is to bear that number.
  [[nodiscard]] Proof prove(std::uint64_t number, const JournalPlace& place);

 private:
  [[nodiscard]] Proof proven(std::uint64_t number, const std::optional<JournalPlace>& place);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::store
