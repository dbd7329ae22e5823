// Cuts a stored segment at event bounds without reading its events: a delivery is mostly bytes that lie there already.
#pragma once

#include <vector>

#include "schemas/ids.h"

namespace lianxi {

// Where the records of one stored segment (unsealed) stand. Borrows its bytes, which were written here or parsed before:
// nothing is checked but that no record reaches beyond them.
class StoredRecords {
 public:
  explicit StoredRecords(BytesView stored);

  [[nodiscard]] std::size_t count() const { return places_.size() - 1; }
  [[nodiscard]] BytesView body(std::size_t index) const;
  [[nodiscard]] bool redacted(std::size_t index) const;
  // Size of records [begin, end) as a segment.
  [[nodiscard]] std::size_t cut_bytes(std::size_t begin, std::size_t end) const;
  // The furthest end with which a cut from `begin` on takes no more than `bytes`; `begin` itself if not even one record does.
  [[nodiscard]] std::size_t end_within(std::size_t begin, std::size_t bytes) const;
  // Appends records [begin, end), at least one, as a segment of their own that chains to what was before them.
  void append_cut(Bytes& to, std::size_t begin, std::size_t end, bool filtered) const;
  // Appends records [begin, end) to the one unsealed segment in `to`, which they go on: the next sequence of the same feed.
  void extend(Bytes& to, std::size_t begin, std::size_t end) const;

 private:
  BytesView stored_;
  std::vector<std::uint32_t> places_;  // count + 1: the last is the end
};

}  // namespace lianxi
