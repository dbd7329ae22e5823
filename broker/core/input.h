// Everything that can happen to a node's rules. Time and randomness are fields.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>

#include "broker/core/link_budget.h"
#include "broker/core/policy.h"
#include "schemas/damage.h"
#include "schemas/protocol.h"
#include "schemas/retained.h"

namespace lianxi::core {

// Where a message came from and an answer goes to. Opaque to core: `socket` is the endpoint, `routing` its routing id.
struct Connection {
  std::uint8_t socket = 0;
  std::string routing;
  auto operator<=>(const Connection&) const = default;
};

// A link has one connection per lane, so that bulk stands before nothing else in one TCP stream.
enum class LaneClass : std::uint8_t { flash, normal, bulk, rest = normal };
inline constexpr LaneClass kLaneClasses[] = {LaneClass::flash, LaneClass::normal, LaneClass::bulk};
[[nodiscard]] constexpr LaneMask lanes_of(LaneClass c) {
  return mask_of(static_cast<Lane>(c));
}
static_assert(static_cast<Lane>(LaneClass::flash) == Lane::flash && static_cast<Lane>(LaneClass::bulk) == Lane::bulk);
struct LinkId {
  RegionCode peer;
  LaneClass lanes{};
  auto operator<=>(const LinkId&) const = default;
};

struct AgentMessage {  // decoded and authenticated; Hello, Publish, Follow, Credit, Unfollow, Heartbeat
  Connection connection;
  Agent agent;
  Message message;
};
struct PeerMessage {  // what a peer's broker said on a link that we opened; Welcome, Followed, Deliver, Refused, Unfollow,
                      // Heartbeat
  LinkId link;
  Message message;
  std::size_t wire_bytes = 0;  // of its payload as it came; a delivery may have been compressed
};
struct ConnectionLost {
  Connection connection;
};
// The socket says so, and not because a LinkReset closed it; silence is noticed by core itself.
struct LinkLost {
  LinkId link;
  std::string reason;
  std::optional<RefusalCode> broken = {};  // why what the peer sent cannot be read: trying again soon mends nothing
};
// The ring has sent (or could not send) what a DeliverOrder asked for.
struct Delivered {
  Connection connection;
  SessionId follow;
  Offset next;
  std::uint64_t bytes = 0;  // of segments; costs credit, as the messages do
  bool sent = false;
  bool unreachable = false;  // the connection is gone: forget the follower
  std::uint32_t messages = 1;
  std::uint64_t wire_bytes = 0;  // as they left; 0: as `bytes`
};
struct PolicyChanged {  // null: as before
  std::shared_ptr<const Policy> policy;
  std::shared_ptr<const Members> members;
  std::shared_ptr<const std::map<AgentId, Agent>> agents;  // whose keys are known, with their roles
  std::shared_ptr<const LinkSettings> links;
};
struct DiskState {
  bool below_headroom = false;
};
// This node has worked out, from its view and journal, what a retention of its own feed would be.
struct RetentionPlanned {
  Audience audience;
  Retention retention;
};
// Stretches of the journal whose bytes do not verify; other nodes are asked for them.
struct Damaged {
  std::vector<DamagedRange> ranges;
};
// Retentions have come, own ones or peers': the view has read them.
struct Retained {
  std::vector<RetainedFeed> feeds;
};
struct Tick {};

struct Input {
  TimeMs now = 0;
  std::variant<AgentMessage, PeerMessage, ConnectionLost, LinkLost, Delivered, PolicyChanged, DiskState, RetentionPlanned, Tick,
               Damaged, Retained>
      what;
};

}  // namespace lianxi::core
