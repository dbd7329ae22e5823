// Damaged stretches of this node's journal, asked of other nodes that hold the same feeds: one stretch of one node at a time.
// What comes back is taken if its chain goes from the hash before the stretch to the hash behind it, and every seal on it
// verifies; who gives anything else is passed over, and the next one asked. Nothing here touches the journal: the ring does, with
// what leaves as an effect.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "broker/core/ground.h"
#include "schemas/damage.h"

namespace lianxi::core {

inline constexpr std::size_t kMaxRepairs = 256;          // stretches known at once; the others are told again
inline constexpr TimeMs kRepairPatienceMs = 10'000;      // of a node that gives nothing more of the stretch
inline constexpr TimeMs kRepairQuestionMs = 5 * 60'000;  // for one node to give all of it
inline constexpr TimeMs kRepairRetryMs = 10 * 60'000;    // after nobody had it, or what was given was not taken
inline constexpr std::uint32_t kRepairMessages = 4;      // credit

class Repairs {
 public:
  void damaged(const Turn& turn, const std::vector<DamagedRange>& ranges);

  [[nodiscard]] bool idle() const { return wanted_.empty(); }
  // Whom to ask now, and for what: nothing while one is asked, or nobody can be. `reachable`: links that follow.
  struct Asked {
    LinkId link;
    SessionId follow;
    bool operator==(const Asked&) const = default;
  };
  struct Question {
    Asked of;
    FeedId feed;
    FeedHead before;  // of the stretch
  };
  [[nodiscard]] std::optional<Question> ask(Ground& ground, Turn& turn, const std::map<LinkId, SessionId*>& reachable);
  [[nodiscard]] std::optional<Asked> asked() const { return asking_ ? std::optional(asking_->of) : std::nullopt; }
  // What the node that is asked says; the credit that its delivery is to be paid with.
  [[nodiscard]] std::optional<Credit> message(Ground& ground, Turn& turn, const Message& message);
  // Its link is gone: it may be asked again.
  void cut_off() { asking_.reset(); }

 private:
  using Key = std::pair<FeedId, Sequence>;
  struct Wanted {
    DamagedRange range;
    std::set<RegionCode> in_vain;  // who was asked
    TimeMs retry_at = 0;
    bool hopeless = false;  // nobody could give it the last time
    bool told = false;      // that stands as an alarm
  };
  struct Asking {
    Key what;
    DamagedRange range;
    Asked of;
    TimeMs begun = 0, since = 0;  // since: or when more of it came
    std::optional<Offset> until;  // where its journal ends
    SegmentWriter given;          // so far
  };
  enum class Taken : std::uint8_t { more, all, lacks, refused };

  [[nodiscard]] Question open(const Turn& turn, Wanted& wanted, const LinkId& to, SessionId& last_follow);
  // Every member that may hold it was asked.
  [[nodiscard]] bool nobody_left(const Ground& ground, const Wanted& wanted) const;
  [[nodiscard]] std::optional<Credit> deliver(Ground& ground, Turn& turn, const Deliver& deliver);
  [[nodiscard]] Taken take(const Ground& ground, const Segment& segment, const DamagedRange& range, std::string& why);
  void hand_out(Ground& ground, Turn& turn, const Segment& last);
  void in_vain(Turn& turn, const std::string& why);
  void close(Turn& turn, const std::string& why);

  std::map<Key, Wanted> wanted_;
  std::optional<Asking> asking_;
  std::map<Key, TimeMs> handed_out_;  // bounded: kMaxRepairs
};

}  // namespace lianxi::core
