#include "broker/core/turn.h"

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

void clip(std::string& text, std::size_t bytes) {
  if (text.size() <= bytes) return;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;  // not inside a UTF-8 character
  text.resize(bytes);
}

}  // namespace

Refusal clipped(Refusal refusal) {
  clip(refusal.field, kMaxRefusalBytes / 4);
  clip(refusal.reason, kMaxRefusalBytes - refusal.field.size());
  return refusal;
}

void Turn::refuse(const Connection& to, Refused refused) {
  count(refused.refusal.code);
  refused.refusal = clipped(std::move(refused.refusal));
  send(to, std::move(refused));
}

}  // namespace lianxi::core
