#include "schemas/codec/segment_cut.h"

#include <cstdlib>

#include "schemas/codec/segment_layout.h"

namespace lianxi {

using namespace codec::layout;

StoredRecords::StoredRecords(BytesView stored) : stored_(stored) {
  const std::uint8_t* at = stored.data();
  const auto count = codec::load<std::uint32_t>(at + kCountAt);
  std::size_t place = header_bytes(at[kAudienceLengthAt]);
  places_.reserve(count + std::size_t{1});
  places_.push_back(static_cast<std::uint32_t>(place));
  for (std::uint32_t i = 0; i < count; ++i) {
    place += codec::load<std::uint32_t>(at + place + kLengthAt);
    if (place > stored.size()) std::abort();
    places_.push_back(static_cast<std::uint32_t>(place));
  }
}

std::size_t StoredRecords::cut_bytes(std::size_t begin, std::size_t end) const {
  return places_[0] + places_[end] - places_[begin];
}

std::size_t StoredRecords::end_within(std::size_t begin, std::size_t bytes) const {
  const std::size_t room = bytes > places_[0] ? bytes - places_[0] : 0;
  const auto behind =
      std::upper_bound(places_.begin() + static_cast<std::ptrdiff_t>(begin), places_.end(), places_[begin] + room);
  return static_cast<std::size_t>(behind - places_.begin()) - 1;
}

BytesView StoredRecords::body(std::size_t index) const {
  const std::uint8_t* at = stored_.data() + places_[index];
  const std::size_t publisher = codec::load<std::uint16_t>(at + kPublisherLengthAt);
  return {at + kPublisherAt + codec::padded_to_8(publisher), codec::load<std::uint32_t>(at + kBodyLengthAt)};
}

bool StoredRecords::redacted(std::size_t index) const {
  return (codec::load<std::uint16_t>(stored_.data() + places_[index] + kRecordFlagsAt) & kFlagRedacted) != 0;
}

void StoredRecords::append_cut(Bytes& to, std::size_t begin, std::size_t end, bool filtered) const {
  if (begin >= end || end >= places_.size()) std::abort();
  const std::size_t start = to.size();
  to.resize(start + cut_bytes(begin, end));
  std::uint8_t* at = to.data() + start;
  std::memcpy(at, stored_.data(), places_[0]);
  std::memcpy(at + places_[0], stored_.data() + places_[begin], places_[end] - places_[begin]);
  codec::store(at + kFlagsAt, filtered ? kFlagFiltered : std::uint16_t{0});
  codec::store(at + kCountAt, static_cast<std::uint32_t>(end - begin));
  codec::store(at + kFirstSequenceAt, codec::load<std::uint64_t>(stored_.data() + kFirstSequenceAt) + begin);
  codec::store(at + kFirstOffsetAt, codec::load<std::uint64_t>(stored_.data() + kFirstOffsetAt) + begin);
  codec::store(at + kRecordsBytesAt, std::uint64_t{places_[end] - places_[begin]});
  if (begin > 0) std::memcpy(at + kPreviousAt, stored_.data() + places_[begin - 1] + kHashAt, sizeof(Hash));
  seal_header(at);
}

void StoredRecords::extend(Bytes& to, std::size_t begin, std::size_t end) const {
  const auto count = codec::load<std::uint32_t>(to.data() + kCountAt);
  const auto goes_on = codec::load<std::uint64_t>(to.data() + kFirstSequenceAt) + count;
  if (begin >= end || end >= places_.size() || codec::load<std::uint64_t>(stored_.data() + kFirstSequenceAt) + begin != goes_on)
    std::abort();
  to.insert(to.end(), stored_.begin() + places_[begin], stored_.begin() + places_[end]);
  std::uint8_t* at = to.data();
  codec::store(at + kCountAt, static_cast<std::uint32_t>(count + (end - begin)));
  codec::store(at + kRecordsBytesAt,
               codec::load<std::uint64_t>(at + kRecordsBytesAt) + std::uint64_t{places_[end] - places_[begin]});
  seal_header(at);
}

}  // namespace lianxi
