// Messages that were read from a socket and wait for a turn, one queue for each agent, served in shares of bytes: an agent with
// many connections or huge messages gets no more than its share while others wait. A connection's messages keep their order.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>

#include "broker/net/router_endpoint.h"
#include "schemas/ids.h"

namespace lianxi::app {

inline constexpr std::size_t kShareBytes = 64 * 1024;  // of an agent in a round

// One thread.
class FairQueue {
 public:
  void push(net::Inbound inbound, TimeMs now);
  // The next message of the agent whose turn it is.
  [[nodiscard]] std::optional<net::Inbound> pop();
  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::size_t bytes_of(const std::string& agent) const;
  // True if some agent that was heard lately has nothing here: its next message may stand behind others' in the socket.
  [[nodiscard]] bool somebody_missing(TimeMs now);

 private:
  struct Agent {
    std::deque<net::Inbound> messages;
    std::size_t bytes = 0;
    std::size_t share = 0;  // bytes that it may still have of this round
    TimeMs heard = 0;
  };
  std::map<std::string, Agent> agents_;  // those heard lately; bounded by the agents that have a key
  std::deque<std::string> round_;        // agents with messages, the next one first
  std::size_t bytes_ = 0;
};

}  // namespace lianxi::app
