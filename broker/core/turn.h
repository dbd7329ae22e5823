// One turn in the making: what the steps add to, and finish() hands out.
#pragma once

#include "broker/core/effects.h"

namespace lianxi::core {

struct Turn {
  TimeMs now = 0;
  Hash entropy{};
  std::size_t bytes = 0;  // event bytes taken in
  Effects effects;

  void count(RefusalCode code) { effects.counted.push_back(Counted{code}); }
  void alarm(std::string what, std::string reason) { effects.alarms.push_back(Alarm{std::move(what), std::move(reason)}); }
  void send(const Connection& to, Message message) { effects.sends.push_back(Send{to, std::move(message)}); }
  // Refuses a whole message, and counts it.
  void refuse(const Connection& to, Refused refused);
};

// Cuts field and reason to kMaxRefusalBytes, at a character's bound.
[[nodiscard]] Refusal clipped(Refusal refusal);

}  // namespace lianxi::core
