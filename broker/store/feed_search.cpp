#include "broker/store/feed_search.h"

#include <algorithm>

namespace lianxi::store {

StoreResult<FoundEvent> event_at(JournalReader& journal, const FeedVector& heads, const FeedId& feed, Sequence sequence) {
  const auto missing = [&] {
    return tl::unexpected(StoreFailure{StoreError::not_found,
                                       to_text(feed) + " sequence " + std::to_string(sequence.value) + " is not in the journal"});
  };
  FeedVector before = heads;
  const auto own = std::find_if(before.begin(), before.end(), [&](const FeedPosition& p) { return p.feed == feed; });
  if (own == before.end() || sequence.value == 0 || sequence > own->head.sequence) return missing();
  own->head.sequence = Sequence(sequence.value - 1);
  const auto offset = journal.first_beyond(before);
  if (!offset) return tl::unexpected(offset.error());
  const auto segments = journal.read(*offset, 1);
  if (!segments) return tl::unexpected(segments.error());
  if (segments->empty()) return missing();
  const auto segment = Segment::parse(segments->front().bytes);
  if (!segment)
    return tl::unexpected(StoreFailure{StoreError::corrupt, "the segment at offset " + std::to_string(offset->value) +
                                                                " cannot be read: " + segment.error().reason});
  const std::uint64_t first = segment->info().first_sequence.value;
  if (segment->info().feed != feed || sequence.value < first || sequence.value - first >= segment->records().size())
    return missing();
  const RecordView& record = segment->records()[static_cast<std::size_t>(sequence.value - first)];
  return FoundEvent{record.stamp, record.hash};
}

StoreResult<std::optional<FoundEvent>> last_where(JournalReader& journal, const FeedVector& heads, const FeedId& feed,
                                                  const std::function<bool(const Stamp&)>& holds) {
  const auto head = std::find_if(heads.begin(), heads.end(), [&](const FeedPosition& p) { return p.feed == feed; });
  std::optional<FoundEvent> last;
  std::uint64_t low = 0;  // holds, or is no event
  std::uint64_t high = head == heads.end() ? 0 : head->head.sequence.value;
  while (low < high) {
    const std::uint64_t middle = low + (high - low + 1) / 2;
    auto found = event_at(journal, heads, feed, Sequence(middle));
    if (!found) return tl::unexpected(std::move(found.error()));
    if (holds(found->stamp)) {
      low = middle;
      last = std::move(*found);
    } else {
      high = middle - 1;
    }
  }
  return last;
}

}  // namespace lianxi::store
