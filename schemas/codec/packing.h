// Segments of a delivery, compressed for a link: u32 size of the plain bytes | one zstd frame. What is chained and sealed, and
// what credit counts, are the plain bytes.
#pragma once

#include <memory>
#include <optional>

#include "schemas/ids.h"
#include "schemas/result.h"

namespace lianxi {

inline constexpr std::size_t kMinPackBytes = 1024;  // of less than that no packet is saved

// Keeps its working memory (some 0.3 MiB, and room for one message) between messages. One thread.
class Packer {
 public:
  Packer();
  ~Packer();
  Packer(Packer&&) noexcept;
  Packer& operator=(Packer&&) noexcept;

  // Nothing: it is short, or would not shrink by an eighth; a sample of a few kilobytes tells the latter.
  [[nodiscard]] std::optional<Bytes> pack(BytesView plain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The plain bytes. What a sender writes of their size is bounded before memory is taken for it, and the frame may not give one
// byte more or less. Refusals: oversize, malformed.
[[nodiscard]] Result<Bytes> unpack(BytesView packed);

}  // namespace lianxi
