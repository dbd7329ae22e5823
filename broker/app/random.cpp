#include "broker/app/random.h"

#include <sodium.h>

namespace lianxi::app {

Incarnation random_incarnation() {
  std::uint64_t value = 0;
  while (value == 0) randombytes_buf(&value, sizeof value);
  return Incarnation(value);
}

Hash random_entropy() {
  Hash entropy{};
  randombytes_buf(entropy.data(), entropy.size());
  return entropy;
}

}  // namespace lianxi::app
