// Many links of a feed's chain at once, when every hash is at hand and only waits to be checked: each link is then independent
// of the others, and all are hashed side by side. For codec/*.cpp alone.
#pragma once

#include <optional>

#include "schemas/codec/chain.h"
#include "schemas/limits.h"

namespace lianxi::codec {

// What stands of a feed in each of its links.
class FeedPrefix {
 public:
  explicit FeedPrefix(const FeedId& feed);
  [[nodiscard]] BytesView view() const { return BytesView(bytes_).first(size_); }

 private:
  std::array<std::uint8_t, 10 + kMaxAudienceBytes> bytes_;
  std::size_t size_ = 0;
};

struct StoredLink {  // borrowed
  const FeedPrefix* feed = nullptr;
  const std::uint8_t* previous = nullptr;  // the hash before it
  const std::uint8_t* record = nullptr;    // as it lies in its segment, checked (segment_parts.h)
};
struct ChainFault {
  std::size_t index = 0;
  std::string_view why;
};
// The first link whose body or hash is not what was hashed. Each is checked against the hash that stands before it, so that
// none waits for another: the first to fail is the one that a walk would find.
[[nodiscard]] std::optional<ChainFault> fault_in(std::span<const StoredLink> links);

}  // namespace lianxi::codec
