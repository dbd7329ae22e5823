// Counts what passes a flash event between its arrival and its sending: batches that were committed, and bytes of other lanes
// that were said. It arrives when its socket is first seen readable; since nobody knows how long before that it came, all that
// happened since the last look that saw nothing is counted against us.
//
// Pure counting. One thread.
#pragma once

#include <cstdint>

namespace lianxi::app {

struct Overtaken {
  std::uint64_t batches = 0;
  std::uint64_t bytes = 0;
};

class FlashWatch {
 public:
  // A look at the sockets of the flash lane.
  void looked(bool waits);
  // All that waited on them was taken in.
  void taken();
  void committed() { ++now_.batches; }
  void said_other(std::size_t bytes) { now_.bytes += bytes; }
  // What was taken last stands in the batch committed last, and is said now: what passed it.
  [[nodiscard]] Overtaken said() const { return {now_.batches - 1 - from_.batches, now_.bytes - from_.bytes}; }

  [[nodiscard]] std::uint64_t bytes_since_look() const { return now_.bytes - looked_bytes_; }

 private:
  Overtaken now_;    // since the start
  Overtaken clear_;  // at the last look that saw nothing
  Overtaken from_;   // for what was taken last
  std::uint64_t looked_bytes_ = 0;
  bool waits_ = false;
};

}  // namespace lianxi::app
