// One message of whole feeds: neighbouring pieces of a feed leave as one segment under the last one's seal, so that a peer checks
// one signature a feed and message, and stores one row, however small the batches were.
#pragma once

#include "broker/app/held_segment.h"

namespace lianxi::app {

class FeedRuns {
 public:
  // Events [begin, end) of the segment, behind all of its feed that was taken before.
  void take(const SharedSegment& segment, std::size_t begin, std::size_t end);
  // What take() adds, at most.
  [[nodiscard]] static std::size_t size_of(const HeldSegment& segment, std::size_t begin, std::size_t end);
  [[nodiscard]] std::size_t size() const { return size_; }  // of finish(), nearly
  [[nodiscard]] bool all_sealed() const;
  // Only what a seal stands behind can be proved: what was taken since all was sealed is left out.
  [[nodiscard]] Bytes finish() &&;

 private:
  struct Piece {
    SharedSegment segment;
    std::size_t begin = 0;
    std::size_t end = 0;
  };
  std::vector<Piece> pieces_;
  std::vector<std::pair<FeedId, bool>> feeds_;  // whether the last piece of each has a seal
  std::size_t proven_ = 0;                      // so many pieces stand before the last moment at which all was sealed
  std::size_t size_ = 0;
};

}  // namespace lianxi::app
