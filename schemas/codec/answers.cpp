// The blob of a journal row of answers; layout in schemas/README.md.
#include <fmt/format.h>
#include <xxhash.h>
#include <cstdlib>

#include "schemas/codec/little_endian.h"
#include "schemas/journal_batch.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kAccepted = 1;
constexpr std::uint8_t kRefused = 2;
constexpr std::size_t kHeadBytes = 8;
constexpr std::size_t kChecksumBytes = 8;

// True if `next` goes on densely from `first`, `distance` answers later: then both share one group.
bool continues(const StoredAnswer& first, const StoredAnswer& next, std::uint64_t distance) {
  return next.accepted && next.feed == first.feed && next.feed_sequence.value == first.feed_sequence.value + distance &&
         next.ordinal.value == first.ordinal.value + distance && next.offset.value == first.offset.value + distance;
}

void append_text(Bytes& out, std::string_view text) {
  codec::append(out, static_cast<std::uint16_t>(text.size()));
  codec::append_bytes(out, codec::view_of(text));
}

void append_accepted(Bytes& out, std::span<const StoredAnswer> group) {
  const StoredAnswer& first = group.front();
  codec::append(out, kAccepted);
  codec::append(out, static_cast<std::uint32_t>(group.size()));
  codec::append(out, first.feed.region.value);
  codec::append(out, first.feed.epoch.value);
  codec::append(out, static_cast<std::uint8_t>(first.feed.lane));
  append_text(out, first.feed.audience.text());
  codec::append(out, first.feed_sequence.value);
  codec::append(out, first.ordinal.value);
  codec::append(out, first.offset.value);
  for (const StoredAnswer& answer : group) codec::append_bytes(out, answer.hash);
}

void append_refused(Bytes& out, const StoredAnswer& answer) {
  codec::append(out, kRefused);
  codec::append(out, static_cast<std::uint16_t>(answer.refusal.code));
  codec::append(out, answer.refusal.retry_after_ms);
  constexpr std::size_t kMost = 0xFFFF;
  append_text(out, std::string_view(answer.refusal.field).substr(0, kMost));
  append_text(out, std::string_view(answer.refusal.reason).substr(0, kMost));
  codec::append_bytes(out, answer.hash);
}

std::string read_text(codec::Reader& in) {
  return std::string(codec::text_of(in.run(in.number<std::uint16_t>())));
}

// False if the group cannot be read or holds more than `left` answers.
bool read_accepted(codec::Reader& in, std::size_t left, std::vector<StoredAnswer>& out) {
  const auto count = in.number<std::uint32_t>();
  StoredAnswer answer;
  answer.accepted = true;
  answer.feed.region = RegionCode(in.number<std::uint32_t>());
  answer.feed.epoch = Epoch(in.number<std::uint32_t>());
  const auto lane = in.number<std::uint8_t>();
  const auto audience = Audience::parse(read_text(in));
  const auto sequence = in.number<std::uint64_t>();
  const auto ordinal = in.number<std::uint64_t>();
  const auto offset = in.number<std::uint64_t>();
  if (in.failed() || count == 0 || count > left || lane >= kLaneCount || !audience) return false;
  if (in.left() / answer.hash.size() < count) return false;
  answer.feed.lane = static_cast<Lane>(lane);
  answer.feed.audience = *audience;
  for (std::uint64_t i = 0; i < count; ++i) {
    answer.hash = in.array<16>();
    answer.feed_sequence = Sequence(sequence + i);
    answer.ordinal = Ordinal(ordinal + i);
    answer.offset = Offset(offset + i);
    out.push_back(answer);
  }
  return true;
}

bool read_refused(codec::Reader& in, std::vector<StoredAnswer>& out) {
  StoredAnswer answer;
  answer.refusal.code = static_cast<RefusalCode>(in.number<std::uint16_t>());
  answer.refusal.retry_after_ms = in.number<std::uint32_t>();
  answer.refusal.field = read_text(in);
  answer.refusal.reason = read_text(in);
  answer.hash = in.array<16>();
  if (in.failed()) return false;
  out.push_back(std::move(answer));
  return true;
}

}  // namespace

Bytes encode_answers(const std::vector<StoredAnswer>& answers) {
  Bytes out;
  out.reserve(kHeadBytes + kChecksumBytes + 64 + answers.size() * sizeof(BodyHash));
  codec::append(out, std::uint32_t{kVersion});
  codec::append(out, static_cast<std::uint32_t>(answers.size()));
  for (std::size_t i = 0; i < answers.size();) {
    if (!answers[i].accepted) {
      append_refused(out, answers[i++]);
      continue;
    }
    std::size_t end = i + 1;
    while (end < answers.size() && continues(answers[i], answers[end], end - i)) ++end;
    append_accepted(out, std::span(answers).subspan(i, end - i));
    i = end;
  }
  codec::append(out, static_cast<std::uint64_t>(XXH3_64bits(out.data(), out.size())));
  return out;
}

Result<std::vector<StoredAnswer>> decode_answers(BytesView blob) {
  const auto damaged = [](std::string_view why) {
    return refuse(RefusalCode::malformed, "answers", fmt::format("a stored row of answers cannot be read: {}", why));
  };
  if (blob.size() < kHeadBytes + kChecksumBytes) return damaged("it is cut short");
  const BytesView content = blob.first(blob.size() - kChecksumBytes);
  if (codec::load<std::uint64_t>(blob.data() + content.size()) != XXH3_64bits(content.data(), content.size())) {
    return damaged("its checksum is wrong");
  }
  codec::Reader in(content);
  if (const auto version = in.number<std::uint32_t>(); version != kVersion) {
    return refuse(RefusalCode::unsupported_version, "answers",
                  fmt::format("answers of version {} were stored by a newer program", version));
  }
  const std::size_t count = in.number<std::uint32_t>();
  if (count > content.size() / sizeof(BodyHash)) return damaged("its count is wrong");
  std::vector<StoredAnswer> answers;
  answers.reserve(count);
  while (answers.size() < count) {
    const auto tag = in.number<std::uint8_t>();
    const bool read = tag == kAccepted  ? read_accepted(in, count - answers.size(), answers)
                      : tag == kRefused ? read_refused(in, answers)
                                        : false;
    if (!read) return damaged("a group in it is wrong");
  }
  if (in.left() != 0) return damaged("bytes follow the last answer");
  return answers;
}

}  // namespace lianxi
