// This node as a follower of its peers: one link for each member and lane class. Asks by feed vector, takes what verifies, and
// comes back by itself after a cut.
#pragma once

#include <map>
#include <set>

#include "broker/core/ground.h"
#include "broker/core/peer_feed.h"

namespace lianxi::core {

// Epochs, lanes and audiences of one peer; a peer that opens more is refused.
inline constexpr std::size_t kMaxFeedsOfRegion = 512;

class Replication {
 public:
  void tick(Ground& ground, Turn& turn);
  void message(Ground& ground, Turn& turn, const PeerMessage& from);
  void lost(const Ground& ground, Turn& turn, const LinkLost& lost);
  void members_changed(const Ground& ground);
  [[nodiscard]] std::vector<LinkView> links() const;

 private:
  enum class State : std::uint8_t { down, connecting, following, refused };
  struct Link {
    State state = State::down;
    SessionId follow;          // of the last opening; what carries another is of a connection before
    bool passed_over = false;  // something of this follow was not taken, though it goes on: a forked feed
    std::uint32_t attempt = 0;
    TimeMs retry_at = 0;
    TimeMs heard = 0;
    TimeMs sent = 0;
    std::optional<TimeMs> last_contact;
    std::string reason = "not yet tried";
    std::uint64_t received_events = 0;
  };
  struct Taken {  // of one delivery
    bool ok = true;
    std::uint64_t events = 0;
  };

  void open(const Ground& ground, Turn& turn, const LinkId& id, Link& link);
  // Leaves the link for a time that grows with the attempts.
  void back_off(const Ground& ground, Turn& turn, const LinkId& id, Link& link, std::string reason);
  // Leaves it for long: what is wrong does not mend by trying again.
  void give_up(Turn& turn, const LinkId& id, Link& link, RefusalCode code, std::string reason);
  void say_unfollow(Turn& turn, const LinkId& id, const Link& link, const std::string& reason);
  [[nodiscard]] FeedVector held_of(const Ground& ground, const LinkId& id) const;

  void refused(const Ground& ground, Turn& turn, const LinkId& id, Link& link, const Refused& refused);
  void deliver(Ground& ground, Turn& turn, const LinkId& id, Link& link, const Deliver& deliver);
  // False: the link was left.
  bool take(Ground& ground, Turn& turn, const LinkId& id, Link& link, const Segment& segment);
  void append(Ground& ground, Turn& turn, const LinkId& id, Link& link, const Segment& segment);
  void merge_clock(Ground& ground, Turn& turn, RegionCode peer, const Segment& segment);
  // Tells an alarm, but the same one at most once in kAlarmRepeatMs.
  void alarm(Turn& turn, const std::string& what, const std::string& about, std::string reason);

  std::map<LinkId, Link> links_;
  std::set<FeedId> forked_;                                       // peers' feeds that are not taken any more
  std::map<std::pair<std::string, std::string>, TimeMs> alarms_;  // what and about whom -> when told
};

}  // namespace lianxi::core
