// Damage in a journal file left behind, segment by segment: which stretches of which feeds, and what stands on both sides.
#pragma once

#include <vector>

#include "broker/store/sqlite_journal.h"
#include "schemas/damage.h"

namespace lianxi::store {

struct FoundDamage {
  std::uint64_t file = 0;
  Offset offset;  // of its first event
  DamagedRange range;
};
// "000003.db: offset 17, feed ... sequences 4 to 9"
[[nodiscard]] std::string to_text(const FoundDamage& damage);

// Reads each segment by itself, so that damage to one does not hide the next. What is found can be given back by another node;
// damage to other tables fails with `corrupt`, and so do seals that do not cover the file from its beginning to the next one's.
[[nodiscard]] StoreResult<std::vector<FoundDamage>> find_damage(const std::string& folder, std::uint64_t number,
                                                                const KeyOf& key_of);

// Replaces damaged stretches of a file left behind with what other nodes gave. The file is written anew, proven and takes the
// name; readers of the old one go on. What does not fit a stretch that is damaged now is left out. How many were replaced.
// `full`: the disk has not several times the file's room. `corrupt`: the file is left as it is, for something is wrong in the new
// one that is not in the old one, or what nobody gave cannot be read.
[[nodiscard]] StoreResult<std::size_t> repair_file(const std::string& folder, std::uint64_t number, const KeyOf& key_of,
                                                   const std::vector<RepairedRange>& repairs);

}  // namespace lianxi::store
