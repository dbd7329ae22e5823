// Any bytes as a stored row of answers, with its checksum made right.
#include <xxhash.h>

#include <cstring>

#include "schemas/journal_batch.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)decode_answers({data, size});
  if (size < 16) return 0;
  Bytes repaired(data, data + size);
  const std::uint64_t checksum = XXH3_64bits(repaired.data(), size - 8);
  std::memcpy(repaired.data() + size - 8, &checksum, 8);
  if (const auto answers = decode_answers(repaired)) FUZZ_REQUIRE(decode_answers(encode_answers(*answers)));
  return 0;
}
