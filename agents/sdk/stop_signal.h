// Waits in the main thread for SIGINT, SIGTERM or a word from another thread. Make it before any other thread starts: the
// signals are then blocked everywhere and reach this object alone.
#pragma once

#include <chrono>
#include <cstdint>

#include "agents/sdk/wake_fd.h"

namespace lianxi::sdk {

class StopSignal {
 public:
  enum class Woken : std::uint8_t { stopped, notified, timeout };

  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  [[nodiscard]] Woken wait(std::chrono::milliseconds timeout);
  void notify();  // any thread

 private:
  int signals_ = -1;
  WakeFd notices_;
};

}  // namespace lianxi::sdk
