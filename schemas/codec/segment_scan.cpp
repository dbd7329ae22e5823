#include "schemas/codec/segment_scan.h"

#include <fmt/format.h>

#include "schemas/codec/chain_run.h"
#include "schemas/codec/segment_layout.h"
#include "schemas/codec/segment_parts.h"
#include "schemas/limits.h"

namespace lianxi {

using namespace codec::layout;

Result<void> SegmentScan::read(BytesView payload) {
  segments_.clear();
  records_.clear();
  if (payload.size() > kMaxDeliverBytes) return codec::too_large_delivery(payload.size());
  auto read = read_all(payload);
  if (!read) {
    read.error().field = fmt::format("segments[{}].{}", segments_.size(), read.error().field);
    segments_.clear();
    records_.clear();
  }
  return read;
}

Result<void> SegmentScan::read_all(BytesView payload) {
  while (!payload.empty()) {
    auto header = codec::read_segment_header(payload);
    if (!header) return tl::unexpected(std::move(header.error()));
    const std::size_t first = records_.size();
    auto read = codec::each_record(*header, payload, [this](BytesView record) { records_.push_back(record); });
    if (!read) return read;
    std::optional<Seal> seal;
    if (header->sealed) {
      auto found =
          codec::read_seal(payload.subspan(header->bytes + header->records_bytes), codec::sequence_of(records_.back().data()));
      if (!found) return tl::unexpected(std::move(found.error()));
      seal = *found;
    }
    segments_.push_back({std::move(header->info), seal, first});
    payload = payload.subspan(header->segment_bytes);
  }
  return {};
}

Result<void> SegmentScan::verify(std::map<FeedId, FeedHead>& heads) {
  std::vector<codec::FeedPrefix> feeds;
  std::vector<codec::StoredLink> links;
  feeds.reserve(segments_.size());  // links point into it
  links.reserve(records_.size());
  for (const Run& run : segments_) {
    const codec::FeedPrefix& feed = feeds.emplace_back(run.info.feed);
    const std::uint8_t* previous = run.info.previous.data();
    for (std::uint32_t i = 0; i < run.info.count; ++i) {
      const std::uint8_t* record = records_[run.first + i].data();
      links.push_back({&feed, previous, record});
      previous = record + kHashAt;
    }
  }
  const auto fault = codec::fault_in(links);
  for (const Run& run : segments_) {
    FeedHead& head = heads[run.info.feed];
    const Sequence before(run.info.first_sequence.value - 1);
    if (head.sequence != before) head = {before, run.info.previous};
    if (auto follows = codec::check_begin(run.info, head); !follows) return follows;
    if (fault && fault->index < run.first + run.info.count) {
      return codec::broken_feed(run.info.feed, run.info.first_sequence.value + (fault->index - run.first), fault->why);
    }
    const BytesView last = records_[run.first + run.info.count - 1];
    head.sequence = codec::sequence_of(last.data());
    std::copy_n(last.data() + kHashAt, head.hash.size(), head.hash.begin());
    if (run.seal && run.seal->hash != head.hash) {
      return codec::broken_feed(run.info.feed, head.sequence.value, "its seal is of another hash");
    }
  }
  return {};
}

const RecordView& SegmentScan::record(const Run& run, std::uint32_t index) {
  codec::load_record(records_[run.first + index], record_);
  return record_;
}

}  // namespace lianxi
