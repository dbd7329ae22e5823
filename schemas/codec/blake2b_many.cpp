#include "schemas/codec/blake2b_many.h"

#include <sodium.h>

#include <cstdlib>
#include <cstring>

#include "schemas/codec/sodium.h"

namespace lianxi::codec {
namespace {

constexpr std::size_t kLanes = 8;
constexpr std::size_t kBlockBytes = 128;
constexpr std::size_t kFewest = 3;  // fewer inputs are no slower one by one

// Eight 64-bit numbers, one of each lane. GCC makes of it what the target has.
using Wide = std::uint64_t __attribute__((vector_size(kLanes * sizeof(std::uint64_t))));

// RFC 7693, sections 2.6 and 2.7.
constexpr std::array<std::uint64_t, 8> kIv{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
                                           0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
constexpr std::uint8_t kSigma[12][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3}};

struct Lanes {
  Wide h[8];
  alignas(64) std::uint64_t counter[kLanes];
  alignas(64) std::uint64_t last[kLanes];  // all ones in the last block
  const std::uint8_t* block[kLanes];
};

#define LIANXI_ROTATE(x, n) (((x) >> (n)) | ((x) << (64 - (n))))
#define LIANXI_MIX(a, b, c, d, x, y) \
  a = a + b + (x);                   \
  d = LIANXI_ROTATE(d ^ a, 32);      \
  c = c + d;                         \
  b = LIANXI_ROTATE(b ^ c, 24);      \
  a = a + b + (y);                   \
  d = LIANXI_ROTATE(d ^ a, 16);      \
  c = c + d;                         \
  b = LIANXI_ROTATE(b ^ c, 63)

// The thread sanitizer's own code runs in the chooser of clones, before it is set up.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define LIANXI_TARGETS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define LIANXI_TARGETS
#endif

// One block of every lane. A macro for the mixing, because a function would lose the target's vectors.
LIANXI_TARGETS void compress(Lanes& lanes) {
  Wide m[16];
  for (std::size_t i = 0; i < 16; ++i) {
    alignas(64) std::uint64_t words[kLanes];
    for (std::size_t lane = 0; lane < kLanes; ++lane) std::memcpy(&words[lane], lanes.block[lane] + i * 8, 8);
    std::memcpy(&m[i], words, sizeof words);
  }
  Wide v[16];
  for (std::size_t i = 0; i < 8; ++i) {
    v[i] = lanes.h[i];
    v[i + 8] = Wide{} + kIv[i];
  }
  Wide counter, last;
  std::memcpy(&counter, lanes.counter, sizeof counter);
  std::memcpy(&last, lanes.last, sizeof last);
  v[12] ^= counter;
  v[14] ^= last;
#pragma GCC unroll 12
  for (const auto& s : kSigma) {
    LIANXI_MIX(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
    LIANXI_MIX(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
    LIANXI_MIX(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
    LIANXI_MIX(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
    LIANXI_MIX(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
    LIANXI_MIX(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
    LIANXI_MIX(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
    LIANXI_MIX(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
  }
  for (std::size_t i = 0; i < 8; ++i) lanes.h[i] ^= v[i] ^ v[i + 8];
}
#undef LIANXI_TARGETS
#undef LIANXI_MIX
#undef LIANXI_ROTATE

std::uint64_t word_of(const std::uint8_t* bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// Feeds inputs to the lanes; a lane that is done takes the next.
class Hasher {
 public:
  Hasher(const Blake2bParameters& parameters, std::span<const Salt> salts, std::span<const BytesView> inputs, std::uint8_t* out)
      : parameters_(parameters), salts_(salts), inputs_(inputs), out_(out) {}

  void run() {
    std::size_t busy = 0;
    for (std::size_t lane = 0; lane < kLanes; ++lane) busy += start(lane) ? 1U : 0U;
    while (busy > 0) {
      for (std::size_t lane = 0; lane < kLanes; ++lane) next_block(lane);
      compress(lanes_);
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (!running_[lane] || lanes_.last[lane] == 0) continue;
        finish(lane);
        if (!start(lane)) --busy;
      }
    }
  }

 private:
  bool start(std::size_t lane) {
    running_[lane] = next_ < inputs_.size();
    if (!running_[lane]) {
      lanes_.block[lane] = padded_[lane];  // whatever stands there: nobody looks at this lane again
      return false;
    }
    input_[lane] = next_++;
    at_[lane] = 0;
    // Parameter block: hash length, no key, fanout 1, depth 1; salt and personalisation.
    std::array<std::uint64_t, 8> h = kIv;
    h[0] ^= 0x01010000U ^ parameters_.hash_bytes;
    if (!salts_.empty()) {
      const Salt& salt = salts_[input_[lane]];
      h[4] ^= word_of(salt.data());
      h[5] ^= word_of(salt.data() + 8);
    }
    h[6] ^= word_of(parameters_.personal.data());
    h[7] ^= word_of(parameters_.personal.data() + 8);
    for (std::size_t i = 0; i < 8; ++i) lanes_.h[i][lane] = h[i];
    return true;
  }

  void next_block(std::size_t lane) {
    if (!running_[lane]) return;
    const BytesView input = inputs_[input_[lane]];
    const std::size_t left = input.size() - at_[lane];
    lanes_.last[lane] = left <= kBlockBytes ? ~std::uint64_t{0} : 0;
    if (left >= kBlockBytes) {
      lanes_.block[lane] = input.data() + at_[lane];
      at_[lane] += kBlockBytes;
    } else {
      if (left > 0) std::memcpy(padded_[lane], input.data() + at_[lane], left);
      std::memset(padded_[lane] + left, 0, kBlockBytes - left);
      lanes_.block[lane] = padded_[lane];
      at_[lane] += left;
    }
    lanes_.counter[lane] = at_[lane];
  }

  void finish(std::size_t lane) {
    std::array<std::uint64_t, 8> h{};
    for (std::size_t i = 0; i < 8; ++i) h[i] = lanes_.h[i][lane];
    std::memcpy(out_ + input_[lane] * parameters_.hash_bytes, h.data(), parameters_.hash_bytes);
  }

  const Blake2bParameters& parameters_;
  std::span<const Salt> salts_;
  std::span<const BytesView> inputs_;
  std::uint8_t* out_;
  std::size_t next_ = 0;
  Lanes lanes_{};
  bool running_[kLanes]{};
  std::size_t input_[kLanes]{};
  std::size_t at_[kLanes]{};
  alignas(64) std::uint8_t padded_[kLanes][kBlockBytes]{};
};

bool wide_vectors() {
#if defined(__x86_64__)
  static const bool here = __builtin_cpu_supports("avx2") != 0;
  return here;
#else
  return false;
#endif
}

}  // namespace

void blake2b_many(const Blake2bParameters& parameters, std::span<const Salt> salts, std::span<const BytesView> inputs,
                  std::uint8_t* out) {
  if (parameters.hash_bytes == 0 || parameters.hash_bytes > 64 || (!salts.empty() && salts.size() != inputs.size())) std::abort();
  if (inputs.size() >= kFewest && wide_vectors()) return Hasher(parameters, salts, inputs, out).run();
  start_sodium();
  constexpr Salt kNone{};
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Salt& salt = salts.empty() ? kNone : salts[i];
    if (crypto_generichash_blake2b_salt_personal(out + i * parameters.hash_bytes, parameters.hash_bytes, inputs[i].data(),
                                                 inputs[i].size(), nullptr, 0, salt.data(), parameters.personal.data()) != 0)
      std::abort();
  }
}

}  // namespace lianxi::codec
