// The sockets of the node's links: one DEALER per peer and lane, opened and reset when the rules say so.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "broker/app/directory.h"
#include "broker/app/log.h"
#include "broker/core/broker_core.h"
#include "broker/net/link_socket.h"

namespace lianxi::app {

// The broker's thread.
class LinkTable {
 public:
  struct Self {  // who this node is to its peers
    RegionCode region;
    Security security = Security::curve;
    net::CurveKeys keys;
  };
  LinkTable(net::Context& context, Self self, const Log& log) : context_(context), self_(std::move(self)), log_(log) {}

  // Closes the link's connection with all that it has queued and opens a new one. Empty reason: it is open.
  [[nodiscard]] std::string reset(const core::LinkId& id, const core::Members& members);
  // False: the peer takes no more, or the link is not open.
  [[nodiscard]] bool send(const core::LinkId& id, const Message& message);
  void readable(std::vector<net::WaitItem>& items);
  // Whether a message waits on a flash connection.
  [[nodiscard]] bool flash_waits() const;

  struct Taken {
    core::LinkId link;
    net::LinkReceived what;
  };
  // The next message of a link of this class, each link in its turn; empty `what`: none waits.
  [[nodiscard]] Taken receive(core::LaneClass lanes);

  struct Lost {
    core::LinkId link;
    std::string reason;
  };
  [[nodiscard]] std::vector<Lost> sweep(bool& again_soon);
  void close(const core::LinkId& id) { links_.erase(id); }
  // Closes the links of whoever is in the file no more.
  void keep_members(const core::Members& members);

 private:
  net::Context& context_;
  Self self_;
  const Log& log_;
  std::map<core::LinkId, std::unique_ptr<net::LinkSocket>> links_;
  core::LinkId last_served_;
};

[[nodiscard]] LinkRow row_of(const core::LinkView& view, TimeMs now);
[[nodiscard]] std::string to_word(core::LaneClass lanes);  // "flash", "normal", "bulk"

}  // namespace lianxi::app
