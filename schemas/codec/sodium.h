// libsodium picks its fastest code at its start. For codec/*.cpp alone.
#pragma once

#include <sodium.h>

#include <cstdlib>

namespace lianxi::codec {

inline void start_sodium() {
  static const bool started = sodium_init() >= 0;
  if (!started) std::abort();
}

}  // namespace lianxi::codec
