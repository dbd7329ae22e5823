#include "tests/sim/world.h"

#include <algorithm>
#include <cstdio>

namespace lianxi::sim {

World::World(std::uint64_t seed, bool verbose) : random_(seed), verbose_(verbose) {}

void World::after(TimeMs delay_ms, std::function<void()> what) {
  due_.push_back({now_ + (delay_ms > 0 ? delay_ms : 0), order_++, std::move(what)});
  std::push_heap(due_.begin(), due_.end());
}

void World::run_until(TimeMs time) {
  while (!failed() && !due_.empty() && due_.front().time <= time) {
    std::pop_heap(due_.begin(), due_.end());
    const Due next = std::move(due_.back());
    due_.pop_back();
    now_ = next.time;
    next.what();
  }
  if (!failed() && now_ < time) now_ = time;
}

void World::note(std::string line) {
  char stamp[32];
  std::snprintf(stamp, sizeof stamp, "%9.3f  ", static_cast<double>(elapsed_ms()) / 1000.0);
  line.insert(0, stamp);
  mix({reinterpret_cast<const std::uint8_t*>(line.data()), line.size()});
  if (verbose_) std::printf("%s\n", line.c_str());
  tail_.push_back(std::move(line));
  if (tail_.size() > kTailLines) tail_.pop_front();
}

void World::mix(BytesView bytes) {
  for (const std::uint8_t byte : bytes) hash_ = (hash_ ^ byte) * 0x100000001B3ULL;  // FNV-1a
}

void World::fail(std::string promise) {
  if (failed()) return;
  failure_ = std::move(promise);
  note("FAILED: " + failure_);
}

std::string World::transcript() const {
  std::string out;
  for (const std::string& line : tail_) out += line + "\n";
  return out;
}

}  // namespace lianxi::sim
