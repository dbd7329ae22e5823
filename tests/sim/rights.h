// The policy of a simulated node, and how its officers change it.
#pragma once

#include <memory>
#include <string>

#include "broker/core/policy.h"
#include "tests/sim/prng.h"

namespace lianxi::sim {

struct Rights {
  enum class Share : std::uint8_t { all, alerts, nothing };
  std::string agency;  // whose agents may publish `publish` only; empty: all may publish all
  Share publish = Share::all;
  Share guests = Share::all;  // may follow
  [[nodiscard]] bool whole() const { return publish == Share::all && guests == Share::all; }
  [[nodiscard]] std::string text() const;
};

[[nodiscard]] Rights draw_rights(Prng& random);
[[nodiscard]] std::shared_ptr<const core::Policy> make_policy(const Rights& rights);

}  // namespace lianxi::sim
