// BLAKE2b (RFC 7693) of many short inputs side by side, one to a vector lane: bodies of a batch are independent of each other,
// and eight at once cost little more than one. The hashes are those of libsodium; a machine without wide vectors uses libsodium.
// Pure; any thread.
#pragma once

#include <array>
#include <span>

#include "schemas/ids.h"

namespace lianxi::codec {

struct Blake2bParameters {
  std::size_t hash_bytes = 32;  // 1 to 64
  std::array<std::uint8_t, 16> personal{};
};

// Writes hash_bytes for inputs[i] at out + i * hash_bytes. `salts` is empty or one for each input.
void blake2b_many(const Blake2bParameters& parameters, std::span<const Salt> salts, std::span<const BytesView> inputs,
                  std::uint8_t* out);

}  // namespace lianxi::codec
