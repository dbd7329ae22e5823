// The rules of publishing, without sockets: which events go next, what an answer means, when a session must be given up.
// Belongs to the client's I/O thread; time is a field (milliseconds of any steady clock).
//
// Answers carry the body's hash, and it is compared where another body could stand under the sequence: up to what the node
// had taken of the session when it welcomed this connection. Above that the node knows nothing under these numbers, and the
// outbox belongs to this process alone, so the body it takes is the one sent here; were it otherwise, the node itself, which
// keeps every hash, would refuse the sequence as reused. So a session's first run hashes nothing on this side.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "agents/sdk/client.h"
#include "agents/sdk/outbox.h"
#include "agents/sdk/peer_acks.h"
#include "schemas/codec/publish_codec.h"

namespace lianxi::sdk {

class Publisher {
 public:
  struct Sinks {
    // The answer to a run of events: `first` to the first of them, outcome_after() to the others.
    std::function<void(Lane, std::span<const Ticket>, const Outcome& first)> answered;
    std::function<void(const std::string&)> report;  // for a person
    std::function<SessionId()> fresh_session;
  };
  // What may be on its way to the node, per lane.
  struct Bounds {
    std::size_t events = 1024;
    std::size_t bytes = 8 * 1024 * 1024;  // past the first event
  };
  // Say whether the connections must say Hello (again): the session changed, or the node does not know it.
  enum class Next : std::uint8_t { go_on, hello };

  // `acks` may be null, and outlives the publisher.
  Publisher(Outbox& outbox, Bounds bounds, Sinks sinks, PeerAcks* acks = nullptr);

  // For the connection that carries `lanes`. Only that one may say what is answered: another could overtake what still
  // travels here.
  [[nodiscard]] Hello hello(const std::string& software, LaneMask lanes) const;
  // Compares what both sides hold; then `lanes` may send. Hello may be said at any time, to hear whether the node is there.
  [[nodiscard]] Next welcomed(const Welcome& welcome, LaneMask lanes);
  // The connection that carried `lanes` is gone: what has no answer is sent again after the next welcome.
  void lost(LaneMask lanes);

  // The next message of a lane, with as many events as wait and fit; nothing if the window is full, a hold is on, or enough
  // messages are on their way for the rest to gather. Its events are borrowed until the next call of anything here.
  [[nodiscard]] std::optional<PublishView> next(Lane lane, std::int64_t now_ms);
  // When a lane that waits may have something to send again.
  [[nodiscard]] std::optional<std::int64_t> due(Lane lane) const;

  [[nodiscard]] Next answered(const Answers& answers, std::int64_t now_ms);
  [[nodiscard]] Next refused(const Refused& refused, std::int64_t now_ms);
  void replicated(const Replicated& replicated, std::int64_t now_ms);

  // The node's last retry_after (disk_full, busy), until it takes something again or the connection goes.
  [[nodiscard]] std::optional<Refusal> held_back() const;

 private:
  // A node drops an answer that its socket cannot take, and gives it again when it is asked again.
  static constexpr std::int64_t kAnswerTimeoutMs = 5'000;
  struct InFlight {
    Ticket ticket = 0;
    std::uint32_t bytes = 0;
    bool answered = false;
    bool waits = false;  // to hear of peers
  };
  struct Window {
    std::uint64_t answered_through = 0;  // as the outbox has it
    std::uint64_t sent_through = 0;      // ever, in this session: the node may have taken them
    std::deque<InFlight> sent;           // [i] has sequence answered_through + 1 + i
    std::size_t sent_bytes = 0;
    std::deque<std::uint64_t> messages;                 // last sequence of each message on its way
    std::uint64_t known_to_node = 0;                    // what the node had taken when it welcomed this connection
    std::map<std::uint64_t, BodyHash> ours;             // of those up to known_to_node that were sent again
    std::map<std::uint64_t, std::int64_t> outcome_due;  // of those that wait to hear of peers: when to ask again
    bool ready = false;
    std::int64_t held_until = 0;
    std::int64_t progress_ms = 0;  // when something was last sent or answered
    std::size_t batch_limit = kMaxPublishEvents;
    std::optional<Refusal> held_back;  // the node's last retry_after, since `held_back_ms` without progress
    std::int64_t held_back_ms = 0;
    bool held_back_told = false;
  };
  struct Told {
    Lane lane{};
    std::size_t begin = 0, count = 0;  // in told_tickets_
    Outcome first;
  };

  Window& of(Lane lane) { return windows_.at(static_cast<std::size_t>(lane)); }
  InFlight* find(Lane lane, Sequence sequence);
  void settle(Lane lane, std::uint64_t first, std::uint64_t count, const Outcome& outcome);
  void tell();
  [[nodiscard]] bool all_answered() const;
  [[nodiscard]] std::size_t room(Lane lane, const Window& window) const;
  [[nodiscard]] Next take(const Answers& answers, std::int64_t now_ms);
  [[nodiscard]] Next take(const Refused& refused, std::int64_t now_ms);
  void advance(Lane lane, std::int64_t now_ms);
  void hold_back(Lane lane, const Refusal& refusal, std::int64_t now_ms);
  void take_again(Lane lane);
  void send_again_from(Lane lane, Sequence sequence, std::int64_t at_ms);
  void begin_window(Lane lane, Sequence known_to_node);
  void tidy_messages(Lane lane);
  [[nodiscard]] PeerAcks::Level cut_to_one_level();
  static void await_peers(Window& window, std::uint64_t sequence, const PeerAcks::Level& level, std::int64_t now_ms);
  [[nodiscard]] static bool unanswered(const Window& window);
  [[nodiscard]] static bool overdue(const Window& window, std::int64_t now_ms);
  void give_up_outcomes(const std::vector<Ticket>& receipted);
  [[nodiscard]] bool receive(const ReceiptRange& range);
  [[nodiscard]] Next refusal(const SequenceRefusal& refusal, std::int64_t now_ms);
  [[nodiscard]] Next new_session(const std::string& why);

  Outbox& outbox_;
  Bounds bounds_;
  Sinks sinks_;
  PeerAcks* acks_;
  RegionCode region_;
  std::vector<SessionId> abandoned_;
  std::array<Window, kLaneCount> windows_;
  std::set<Ticket>
      receipted_;  // have their receipts, and go again all the same: with what waits before them, or to hear of peers
  std::vector<OutboxItem> loaded_;
  std::vector<Told> told_;  // to be told once the outbox knows of them
  std::vector<Ticket> told_tickets_;
};

}  // namespace lianxi::sdk
