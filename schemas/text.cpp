#include "schemas/text.h"

#include <cstdint>
#include <cstring>

namespace lianxi {
namespace {

// Length of the well-formed sequence at `p`, 0 if there is none.
std::size_t sequence_length(const unsigned char* p, std::size_t left) {
  const auto continues = [&](std::size_t i) { return i < left && (p[i] & 0xC0U) == 0x80U; };
  const unsigned char lead = p[0];
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    const bool overlong = lead == 0xE0 && p[1] < 0xA0;
    const bool surrogate = lead == 0xED && p[1] >= 0xA0;
    return overlong || surrogate ? 0 : 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    const bool overlong = lead == 0xF0 && p[1] < 0x90;
    const bool above = lead == 0xF4 && p[1] >= 0x90;
    return overlong || above ? 0 : 4;
  }
  return 0;
}

bool is_ascii_text(unsigned char c, bool many_lines) {
  if (c >= 0x20) return c != 0x7F;
  return many_lines && (c == '\t' || c == '\n' || c == '\r');
}

// Eight bytes that are all printable ASCII, the usual case: each has its high bit clear, is no control character and not DEL.
bool is_plain(const unsigned char* p) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, p, sizeof word);
  const std::uint64_t below_space = (word - kOnes * 0x20) & ~word;
  const std::uint64_t not_del = word ^ (kOnes * 0x7F);
  const std::uint64_t is_del = (not_del - kOnes) & ~not_del;
  return ((word | below_space | is_del) & kHigh) == 0;
}

// A sequence of three whose lead byte allows every continuation: Chinese, mostly.
bool is_usual_three(const unsigned char* p) {
  return (p[0] & 0xF0U) == 0xE0U && p[0] != 0xE0 && p[0] != 0xED && (p[1] & 0xC0U) == 0x80U && (p[2] & 0xC0U) == 0x80U;
}

bool check(std::string_view bytes, bool many_lines) {
  const auto* p = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (p[i] < 0x80) {
      if (i + 8 <= bytes.size() && is_plain(p + i)) {
        i += 8;
        continue;
      }
      if (!is_ascii_text(p[i], many_lines)) return false;
      ++i;
      continue;
    }
    if (i + 3 <= bytes.size() && is_usual_three(p + i)) {
      i += 3;
      continue;
    }
    const std::size_t length = sequence_length(p + i, bytes.size() - i);
    if (length == 0) return false;
    const bool c1_control = length == 2 && p[i] == 0xC2 && p[i + 1] < 0xA0;
    if (c1_control) return false;
    i += length;
  }
  return true;
}

}  // namespace

bool is_text(std::string_view bytes) {
  return check(bytes, true);
}

bool is_line(std::string_view bytes) {
  return check(bytes, false);
}

}  // namespace lianxi
