// The broker process put together: sockets, turns, threads. One thread owns the rules and the sockets flash, data, follow and
// the links; view, live, queries and HTTP each have their own and are told what was committed.
#pragma once

#include <memory>
#include <string>

#include "broker/app/config.h"
#include "broker/app/log.h"

namespace lianxi::app {

inline constexpr const char* kSoftware = "lianxi 0.1.0";  // as peers and agents are told

enum class BrokerError : std::uint8_t { network, journal, view, disk, system, config };
using BrokerFailure = Failure<BrokerError>;

// The endpoints as bound, with their real ports.
struct BoundEndpoints {
  std::string flash, data, follow, query, live, metrics;
};

class Broker {
 public:
  // Opens journal and view, brings the view to the journal's head, binds every endpoint. A failure says what, where and how
  // to mend it. `log` outlives the broker.
  [[nodiscard]] static Result<std::unique_ptr<Broker>, BrokerFailure> open(BrokerConfig config, const Log& log);
  ~Broker();
  Broker(const Broker&) = delete;
  Broker& operator=(const Broker&) = delete;

  [[nodiscard]] const BoundEndpoints& endpoints() const;

  // Serves until stop() or a failure that only a restart mends. Then answers what it has taken in, lets the view catch up and
  // the answers leave, for at most kMaxDrainMs.
  [[nodiscard]] Result<void, BrokerFailure> run();

  // From any thread or signal handler.
  void stop() noexcept;
  // Policy, members and keys, by the config's path; a mistake keeps the old ones. Members are also read when their file changes.
  void reload() noexcept;

 private:
  Broker();
  struct State;
  std::unique_ptr<State> state_;
};

inline constexpr std::int64_t kMaxDrainMs = 5'000;

}  // namespace lianxi::app
