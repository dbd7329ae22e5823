// The messages between agents, nodes and a node, as plain values. Field meanings stand in wire/protocol.fbs.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "schemas/codec/frame.h"
#include "schemas/limits.h"
#include "schemas/queries.h"

namespace lianxi {

struct LaneState {
  Lane lane{};
  Sequence high_water;
  Sequence answered_through;
  bool operator==(const LaneState&) const = default;
};
struct Hello {
  SessionId session;
  std::vector<LaneState> lanes;
  std::vector<SessionId> close_sessions;
  std::string software;
  bool volatile_outbox = false;  // the session ends with its client: the node may close it once it is not heard
  bool operator==(const Hello&) const = default;
};
struct Welcome {
  SessionId session;
  RegionCode region;
  Epoch epoch;
  Incarnation incarnation;
  AgentId agent;
  bool session_known = false;  // false: the node opened it just now; a client that expected it sends again in a new one
  std::vector<LaneState> lanes;
  Offset head;
  TimeMs time = 0;
  std::uint32_t max_body_bytes = kMaxBodyBytes;
  std::uint32_t max_publish_events = kMaxPublishEvents;
  std::uint32_t heartbeat_ms = kHeartbeatMs;
  bool operator==(const Welcome&) const = default;
};
struct Publish {
  SessionId session;
  Lane lane{};
  Sequence first_sequence;
  Sequence answered_through;
  std::uint8_t peers = 0;
  std::uint32_t deadline_ms = 0;
  std::vector<Bytes> events;
  bool operator==(const Publish&) const = default;
};
struct ReceiptRange {
  Lane lane{};
  Audience audience;
  Sequence first_sequence;
  std::uint32_t count = 0;
  Epoch epoch;
  Sequence first_feed_sequence;
  Ordinal first_ordinal;
  Offset first_offset;
  std::vector<BodyHash> body_hashes;  // `count` of them
  bool operator==(const ReceiptRange&) const = default;
};
struct SequenceRefusal {
  Lane lane{};
  Sequence sequence;
  Refusal refusal;
  BodyHash body_hash{};
  bool operator==(const SequenceRefusal&) const = default;
};
struct Answers {
  SessionId session;
  std::vector<ReceiptRange> receipts;
  std::vector<SequenceRefusal> refusals;
  bool operator==(const Answers&) const = default;
};
struct ReplicatedRange {
  Lane lane{};
  Sequence first_sequence;
  std::uint32_t count = 0;
  std::uint8_t wanted = 0;
  std::uint8_t held = 0;  // below `wanted`: not by the deadline
  bool operator==(const ReplicatedRange&) const = default;
};
// What became of ack level peers(k), behind the receipts. A repeat gets the receipt and today's count.
struct Replicated {
  SessionId session;
  std::vector<ReplicatedRange> ranges;
  bool operator==(const Replicated&) const = default;
};
struct Refused {
  SessionId session;           // of the refused message's header, if it could be read
  std::uint64_t sequence = 0;  // likewise
  Lane lane{};
  Refusal refusal;
  bool operator==(const Refused&) const = default;
};

struct FilterArea {          // at least one of both; CGCS2000
  std::vector<LonLat> ring;  // closed, at least 4 points
  std::optional<Circle> circle;
  bool operator==(const FilterArea&) const = default;
};
struct Filter {  // an empty list admits all that the rights admit
  std::vector<Kind> kinds;
  std::vector<PlaceCode> places;  // with all below
  std::vector<std::string> agencies;
  std::vector<Level> levels;
  std::vector<Audience> audiences;
  std::optional<FilterArea> area;  // only events that say where they are, in or touching it
  bool operator==(const Filter&) const = default;
};
// Pure; the same for broker, live and SDK.
[[nodiscard]] bool admits(const Filter& filter, const Envelope& envelope);

enum class FollowMode : std::uint8_t {
  events = 0,  // events that filter and rights admit; segments marked filtered
  feeds = 1,   // whole feeds with their seals; for member nodes
};
// named: where the node's cursor of that name stands; at the beginning if there is none.
enum class FollowFrom : std::uint8_t { beginning = 0, now = 1, cursor = 2, vector = 3, named = 4 };

struct Follow {
  SessionId follow;  // id chosen by the follower, unique on its connection
  FollowMode mode = FollowMode::events;
  FollowFrom from = FollowFrom::beginning;
  RegionCode node;          // cursor
  Incarnation incarnation;  // cursor
  Offset offset;            // cursor: first offset wanted
  FeedVector vector;
  std::vector<RegionCode> regions;
  LaneMask lanes = kAllLanes;
  Filter filter;
  std::uint64_t credit_bytes = 0;
  std::uint32_t credit_messages = 0;
  std::string cursor_name;      // not empty: the node keeps the cursor, durably; Credit.offset moves it
  bool zstd = false;            // deliveries may come compressed; mode feeds
  bool from_retention = false;  // feeds that the vector does not name may begin behind their retention; mode feeds, by vector
  bool operator==(const Follow&) const = default;
};
struct Followed {
  SessionId follow;
  RegionCode node;
  Incarnation incarnation;
  Offset offset;
  Offset head;
  bool operator==(const Followed&) const = default;
};
// Segments of the events, in offset order. `next` is the cursor behind them; it moves also when nothing was admitted.
// A delivery costs its payload's bytes and one message of credit.
struct Deliver {
  SessionId follow;
  Offset next;
  bool caught_up = false;
  Bytes segments;  // parse_segments; may be empty
  bool operator==(const Deliver&) const = default;
};
struct Credit {
  SessionId follow;
  std::uint64_t bytes = 0;
  std::uint32_t messages = 0;
  Offset offset;
  bool operator==(const Credit&) const = default;
};
struct Unfollow {
  SessionId follow;
  std::string reason;
  bool operator==(const Unfollow&) const = default;
};
struct Heartbeat {
  TimeMs time = 0;
  FeedVector vector;
  MembersVersion members = {};  // of a node
  TimeMs echo = 0;              // `time` of the other side's last one; 0: none
  std::uint32_t held_ms = 0;    // how long the echo waited
  bool operator==(const Heartbeat&) const = default;
};

using Message = std::variant<Hello, Welcome, Publish, Answers, Replicated, Refused, Follow, Followed, Deliver, Credit, Unfollow,
                             Heartbeat, Query, Answer>;

[[nodiscard]] MessageType type_of(const Message& message);

// Bytes of a message. Oversize values abort in debug and are refused by `fits` before that: the SDK asks it first. Rows of an
// answer that pass kMaxAnswerBytes are left out at the end, and `truncated` says so.
[[nodiscard]] Frames encode(const Message& message);
[[nodiscard]] Result<void> fits(const Message& message);

// A publish fits while its events' bytes, with this much for each and once for all, stay within kMaxPublishBytes.
inline constexpr std::size_t kPublishBytesPerEvent = 24;
inline constexpr std::size_t kPublishBytesAround = 96;

// Whose messages a socket listens to. A node names `client`, so that nobody makes it read what only nodes say.
enum class Speaker : std::uint8_t { anyone, client, node };
[[nodiscard]] bool speaks(Speaker speaker, MessageType type);

// Size, header, verifier with explicit limits, enums, ids, list bounds. The refusal's field says where. Never throws.
[[nodiscard]] Result<Message> decode(BytesView header, BytesView payload, Speaker speaker = Speaker::anyone);

}  // namespace lianxi
