// Whether an event of a region's own is missing, or stands twice, as far as the ordinals of its journal tell. For the proof.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "schemas/ids.h"

namespace lianxi::store {

// The events of a region's own feeds, audiences and lanes together, bear dense ordinals over an epoch. They interleave
// within a batch, so whether one is missing is told at a file's end: a batch lies in one file. Of an epoch that a restore has
// ended only some may have come back from peers, in any order: then none may stand twice, but any may be missing.
class OwnOrdinals {
 public:
  // The file's opening ordinal; false if it is not where the file before ended. `lost`: that is not known.
  bool open(Epoch epoch, Ordinal opening, bool lost) {
    if (lost) runs_.clear();
    Run& run = runs_[epoch];
    const bool follows = lost || unread_ || run.next == opening.value + 1;
    run.next = opening.value + 1;
    opened_ = epoch;
    after_loss_ = after_loss_ || lost;
    unread_ = false;
    return follows;
  }
  // False if it stands twice.
  bool take(Epoch epoch, Ordinal ordinal) {
    if (after_loss_ && epoch != opened_) return true;  // where it stood was in the part that is lost
    Run& run = runs_[epoch];
    if (ordinal.value < run.next || !run.ahead.insert(ordinal.value).second) return false;
    for (auto first = run.ahead.begin(); first != run.ahead.end() && *first == run.next; ++run.next)
      first = run.ahead.erase(first);
    return true;
  }
  // A segment could not be read, and its ordinals are not known: that was told.
  void unread() { unread_ = true; }
  // At the file's end: the ordinals that are not there, though later ones are. Goes on behind the last one.
  struct Gap {
    Epoch epoch;
    std::uint64_t first, last;
  };
  std::vector<Gap> close() {
    std::vector<Gap> gaps;
    for (auto& [epoch, run] : runs_) {
      if (epoch < opened_) continue;
      for (const std::uint64_t held : run.ahead) {
        if (held != run.next && !unread_) gaps.push_back({epoch, run.next, held - 1});
        run.next = held + 1;
      }
      run.ahead.clear();
    }
    return gaps;
  }

 private:
  struct Run {
    std::uint64_t next = 1;
    std::set<std::uint64_t> ahead;
  };
  std::map<Epoch, Run> runs_;
  Epoch opened_{0};
  bool after_loss_ = false, unread_ = false;
};

}  // namespace lianxi::store
