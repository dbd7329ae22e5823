// What the two message codecs share: reading tables of a message with the first fault kept. For codec/*.cpp alone.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "schemas/codec/wire_io.h"
#include "schemas/protocol.h"
#include "schemas/text.h"
#include "schemas/vocabulary.h"
#include "wire/protocol_generated.h"

namespace lianxi::codec {

inline constexpr std::uint8_t kTakesZstd = 1;  // of Follow.compression; unknown bits are ignored

// Reads values and remembers the first that is wrong; `result` gives the message or that refusal.
class MessageReader : public ValueReader {
 public:
  using ValueReader::ValueReader;

  void fail(RefusalCode code, std::string_view field, std::string reason) {
    if (!fault_) fault_ = Refusal{code, std::string(field), std::move(reason), 0};
  }
  void invalid(std::string_view field, std::string reason) { fail(RefusalCode::invalid_field, field, std::move(reason)); }

  template <class E>
  [[nodiscard]] E known(std::string_view field, std::uint64_t number) {
    if (is_known<E>(number)) return static_cast<E>(number);
    invalid(field, fmt::format("number {} is not of its vocabulary", number));
    return E{};
  }
  [[nodiscard]] std::string line(std::string_view field, const flatbuffers::String* from) {
    std::string value = text(from);
    if (!is_line(value)) invalid(field, "not one line of UTF-8 text");
    return value;
  }
  [[nodiscard]] std::string free_text(std::string_view field, const flatbuffers::String* from) {
    std::string value = text(from);
    if (!is_text(value)) invalid(field, "not UTF-8 text, or it holds control characters");
    return value;
  }
  [[nodiscard]] Audience audience(std::string_view field, const flatbuffers::String* from) {
    return parsed<Audience>(field, from);
  }
  [[nodiscard]] PlaceCode place(std::string_view field, const flatbuffers::String* from) {
    return parsed<PlaceCode>(field, from);
  }
  [[nodiscard]] AgentId agent(std::string_view field, const flatbuffers::String* from) { return parsed<AgentId>(field, from); }
  [[nodiscard]] std::optional<LonLat> point(std::string_view field, const wire::LonLat* from) {
    const auto value = read_point(from);
    if (value && !(std::abs(value->lon) <= 180 && std::abs(value->lat) <= 90)) {
      invalid(field, "longitude must be within -180..180 and latitude within -90..90 degrees");
    }
    return value;
  }
  // Absent reads as zeros.
  template <std::size_t N>
  [[nodiscard]] std::array<std::uint8_t, N> array(std::string_view field, const flatbuffers::Vector<std::uint8_t>* from) {
    std::array<std::uint8_t, N> value{};
    const auto size = count(from);
    if (size == N) {
      std::copy(from->begin(), from->end(), value.begin());
    } else if (size != 0) {
      invalid(field, fmt::format("{} bytes; it has {}", size, N));
    }
    return value;
  }
  template <class T>
  void bounded(std::string_view field, const flatbuffers::Vector<T>* from, std::size_t most) {
    if (from != nullptr && from->size() > most) {
      fail(RefusalCode::oversize, field, fmt::format("{} items; it may have {}", from->size(), most));
    }
  }
  [[nodiscard]] SessionId session(SessionId value) {
    if (value.value == 0) invalid("header.session", "0 is nobody's: choose a random number");
    return value;
  }
  [[nodiscard]] FeedVector feed_vector(std::string_view field,
                                       const flatbuffers::Vector<flatbuffers::Offset<wire::FeedPosition>>* from) {
    bounded(field, from, kMaxVectorFeeds);
    if (fault_) return {};
    auto vector = list<FeedPosition>(from, [&](const wire::FeedPosition* item) {
      FeedPosition position;
      position.feed = {RegionCode(item->region()), Epoch(item->epoch()), known<Lane>(field, item->lane()),
                       audience(field, item->audience())};
      position.head = {Sequence(item->sequence()), array<32>(field, item->hash())};
      if ((item->sequence() == 0) != (size_of(item->hash()) == 0)) {
        invalid(field, "a hash stands with every sequence but 0");
      }
      position.begins = Sequence(item->begins());
      if (item->begins() > item->sequence()) invalid(field, "a feed begins where it ends at the latest");
      return position;
    });
    std::ranges::sort(vector, {}, &FeedPosition::feed);
    if (std::ranges::adjacent_find(vector, {}, &FeedPosition::feed) != vector.end()) invalid(field, "it names a feed twice");
    return vector;
  }

  template <class T>
  [[nodiscard]] Result<T> result(T value) {
    if (overdrawn()) return refuse(RefusalCode::malformed, "payload", "its fields share bytes far beyond what a writer makes");
    if (fault_) return tl::unexpected(std::move(*fault_));
    return value;
  }
  [[nodiscard]] bool failed() const { return fault_.has_value(); }

 private:
  // Absent or empty reads as the empty value; required ones are refused by the rule that needs them.
  template <class T>
  [[nodiscard]] T parsed(std::string_view field, const flatbuffers::String* from) {
    if (from == nullptr || from->size() == 0) return T();
    auto value = T::parse(text(from));
    if (!value) {
      invalid(field, std::move(value.error().reason));
      return T();
    }
    return std::move(*value);
  }
  std::optional<Refusal> fault_;
};

template <class T>
[[nodiscard]] Result<const T*> verified_root(BytesView aligned, std::uint32_t max_tables) {
  auto verifier = verifier_of(aligned, max_tables);
  if (!verifier.VerifyBuffer<T>(nullptr)) {
    return refuse(RefusalCode::malformed, "payload", "the second frame is not the table that the header's type names");
  }
  return flatbuffers::GetRoot<T>(aligned.data());
}

[[nodiscard]] inline flatbuffers::Offset<flatbuffers::Vector<flatbuffers::Offset<wire::FeedPosition>>> write_vector(
    Builder& out, const FeedVector& vector) {
  return write_list<flatbuffers::Offset<wire::FeedPosition>>(out, vector, [&](const FeedPosition& position) {
    const auto audience = write_required(out, position.feed.audience.text());
    const auto hash = position.head.sequence.value == 0 ? flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>>()
                                                        : write_bytes(out, position.head.hash);
    return wire::CreateFeedPosition(out, position.feed.region.value, position.feed.epoch.value,
                                    static_cast<std::uint8_t>(position.feed.lane), audience, position.head.sequence.value, hash,
                                    position.begins.value);
  });
}

// query_codec.cpp; payload bytes alone, the header is the caller's.
[[nodiscard]] Bytes write_payload(const Query& query);
[[nodiscard]] Bytes write_payload(const Answer& answer);
[[nodiscard]] Result<Message> read_query(const FrameHeader& header, BytesView aligned);
[[nodiscard]] Result<Message> read_answer(const FrameHeader& header, BytesView aligned);

}  // namespace lianxi::codec
