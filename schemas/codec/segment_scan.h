// The segments of one delivery, read where they lie into memory that is used again: for followers, which take one record after
// another and keep none. Says what parse_segments and verify_chain say, in the same words.
//
//   if (auto good = scan.read(payload); !good) ...
//   if (auto good = scan.verify(heads); !good) ...
//   for (const auto& run : scan.segments())
//     for (std::uint32_t i = 0; i < run.info.count; ++i) use(scan.record(run, i));
#pragma once

#include <map>

#include "schemas/codec/segment.h"

namespace lianxi {

class SegmentScan {
 public:
  struct Run {  // a segment
    SegmentInfo info;
    std::optional<Seal> seal;
    std::size_t first = 0;  // its first record in the scan
  };

  // As parse_segments. Borrows `payload` until the next read; after a refusal it holds nothing.
  [[nodiscard]] Result<void> read(BytesView payload);
  // The chain of each segment, and from where `heads` stand if nothing lies between; moves `heads` on. All links of a
  // delivery are hashed side by side, whatever their feeds.
  [[nodiscard]] Result<void> verify(std::map<FeedId, FeedHead>& heads);

  [[nodiscard]] const std::vector<Run>& segments() const { return segments_; }
  // Of `run`, from 0. Borrowed until the next call.
  [[nodiscard]] const RecordView& record(const Run& run, std::uint32_t index);

 private:
  [[nodiscard]] Result<void> read_all(BytesView payload);

  std::vector<Run> segments_;
  std::vector<BytesView> records_;
  RecordView record_;
};

}  // namespace lianxi
