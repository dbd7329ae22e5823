// Takes messages out of the sockets and makes them the inputs of one turn: flash first, bounded in bytes and messages; what
// comes over `data` by the shares of its agents.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "broker/app/fair_queue.h"
#include "broker/app/link_table.h"
#include "broker/app/metrics.h"
#include "broker/core/input.h"
#include "broker/net/router_endpoint.h"

namespace lianxi::app {

// Read ahead of the turn that takes it, to find what others have sent behind it: of one agent, and of all.
inline constexpr std::size_t kAgentAheadBytes = 16 * 1024 * 1024;
inline constexpr std::size_t kAheadBytes = 48 * 1024 * 1024;
inline constexpr std::uint32_t kShareRetryMs = 100;  // an agent whose share is full comes again then

// The ROUTER endpoints that the broker's thread serves; the number is core::Connection::socket.
enum class EndpointKind : std::uint8_t { flash = 0, data = 1, follow = 2 };
inline constexpr std::size_t kEndpointKinds = 3;
using EndpointSet = std::array<std::unique_ptr<net::RouterEndpoint>, kEndpointKinds>;

// Empty: the endpoint speaks this message. `flash`: Hello, Publish of lane flash, Follow of lanes flash, Credit, Unfollow,
// Heartbeat. `data`: Hello, Publish of the other lanes, Heartbeat. `follow`: Follow, Credit, Unfollow, Heartbeat.
[[nodiscard]] Result<void> spoken_on(EndpointKind endpoint, const Message& message);

// Sends an answer or refusal. A peer that takes none is cut, and hears nothing more until then: it would wait for what is not
// sent again on this connection, or take what comes behind it out of turn; on the next one it asks.
net::SendOutcome send_answer(net::RouterEndpoint& endpoint, const std::string& routing, Frames frames, Metrics& metrics);

// What a sweep found, into the counters.
void count_sweep(const net::RouterEndpoint::Swept& swept, Metrics& metrics);

// The broker's thread.
class Intake {
 public:
  Intake(EndpointSet& endpoints, LinkTable& links, Metrics& metrics, const Log& log)
      : endpoints_(endpoints), links_(links), metrics_(metrics), log_(log) {}

  // Appends at most one turn's inputs. True: the bound was met and more may wait.
  [[nodiscard]] bool take(TimeMs now, const Rights& rights, std::vector<core::Input>& inputs);

 private:
  struct Turn {
    TimeMs now;
    const Rights& rights;
    std::vector<core::Input>& inputs;
    std::size_t bytes = 0;
    std::size_t messages = 0;
    bool flash = false;  // a flash publish is among them
    [[nodiscard]] bool full() const;
  };
  void take_endpoint(Turn& turn, EndpointKind endpoint);
  void take_data(Turn& turn);
  void read_ahead(Turn& turn);
  void cut(Turn& turn, EndpointKind endpoint, net::Rejected rejected);
  void take_links(Turn& turn, core::LaneClass lanes);
  void take_message(Turn& turn, EndpointKind endpoint, net::Inbound inbound);
  void refuse(EndpointKind endpoint, const std::string& routing, const Bytes& header, const Bytes& payload, Refusal refusal);

  EndpointSet& endpoints_;
  LinkTable& links_;
  Metrics& metrics_;
  const Log& log_;
  FairQueue ahead_;              // of `data`
  std::size_t flash_turns_ = 0;  // in a row that left the other sockets alone
  bool data_first_ = false;
};

}  // namespace lianxi::app
