#include "schemas/codec/publish_codec.h"

#include "schemas/codec/little_endian.h"
#include "schemas/protocol.h"

namespace lianxi {
namespace {

// Where things lie in the payload. A table begins with the distance back to its vtable; the vtable gives its own size, the
// table's, and where in the table each field stands, in the order of wire/protocol.fbs.
constexpr std::size_t kPublishVtableAt = 4;
constexpr std::size_t kEventVtableAt = 16;
constexpr std::size_t kPublishAt = 24;
constexpr std::size_t kCountAt = 48;
constexpr std::array<std::uint16_t, 6> kPublishVtable{12, 24, 8, 20, 16, 4};  // answered_through, peers, deadline_ms, events
constexpr std::array<std::uint16_t, 3> kEventVtable{6, 8, 4};                 // bytes
constexpr std::size_t kEventHeadBytes = 12;                                   // table and length, before an event's bytes
static_assert(kPublishVtableAt + sizeof kPublishVtable == kEventVtableAt && kEventVtableAt + sizeof kEventVtable <= kPublishAt);
static_assert((kPublishAt + kPublishVtable[2]) % 8 == 0);

// An event's table: its bytes then begin at a multiple of 8, which is how they can be read where they lie.
constexpr std::size_t event_place(std::size_t at) {
  return codec::padded_to_8(at + kEventHeadBytes) - kEventHeadBytes;
}
constexpr std::size_t events_begin(std::size_t count) {
  return kCountAt + 4 + 4 * count;
}
static_assert(kEventHeadBytes + 7 + 4 <= kPublishBytesPerEvent && events_begin(0) <= kPublishBytesAround);

void store32(std::uint8_t* to, std::size_t value) {
  codec::store(to, static_cast<std::uint32_t>(value));
}

void write_head(std::uint8_t* bytes, const PublishView& publish) {
  store32(bytes, kPublishAt);
  for (std::size_t i = 0; i < kPublishVtable.size(); ++i) codec::store(bytes + kPublishVtableAt + 2 * i, kPublishVtable.at(i));
  for (std::size_t i = 0; i < kEventVtable.size(); ++i) codec::store(bytes + kEventVtableAt + 2 * i, kEventVtable.at(i));
  std::uint8_t* table = bytes + kPublishAt;
  store32(table, kPublishAt - kPublishVtableAt);
  codec::store(table + kPublishVtable[2], publish.answered_through.value);
  table[kPublishVtable[3]] = publish.peers;
  codec::store(table + kPublishVtable[4], publish.deadline_ms);
  const std::size_t events_at = kPublishAt + kPublishVtable[5];
  store32(bytes + events_at, kCountAt - events_at);
  store32(bytes + kCountAt, publish.events.size());
}

}  // namespace

Frames encode(const PublishView& publish) {
  std::size_t size = events_begin(publish.events.size());
  for (const BytesView event : publish.events) size = event_place(size) + kEventHeadBytes + event.size();
  Bytes payload(size);
  std::uint8_t* bytes = payload.data();
  write_head(bytes, publish);
  std::size_t at = events_begin(publish.events.size());
  std::size_t entry = kCountAt + 4;
  for (const BytesView event : publish.events) {
    const std::size_t place = event_place(at);
    store32(bytes + entry, place - entry);
    store32(bytes + place, place - kEventVtableAt);
    store32(bytes + place + 4, 4);  // from this field to the length behind it
    store32(bytes + place + 8, event.size());
    std::copy(event.begin(), event.end(), bytes + place + kEventHeadBytes);
    at = place + kEventHeadBytes + event.size();
    entry += 4;
  }
  FrameHeader header;
  header.type = MessageType::publish;
  header.lane = publish.lane;
  header.session = publish.session;
  header.sequence = publish.first_sequence.value;
  return encode_frames(header, std::move(payload));
}

}  // namespace lianxi
