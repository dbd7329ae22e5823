// A publishing agent with a durable outbox, by the rules of the protocol and, now and then, against them: it repeats what
// was answered, sends other bytes under a used sequence, skips sequences, publishes what it may not. Its machine may be cut
// off, its outbox lost, or restored from an old copy.
#pragma once

#include <array>
#include <optional>
#include <set>
#include <vector>

#include "tests/sim/book.h"
#include "tests/sim/network.h"
#include "tests/sim/story.h"

namespace lianxi::sim {

struct AgentSettings {
  core::Agent agent;
  HostId host = 0, node = 0;
  std::size_t events = 20;  // to publish in all
  std::size_t nodes = 1;
  bool wild = true;
  bool finishes = false;  // in the calm, what its region began and promised
};

class SimAgent {
 public:
  SimAgent(World& world, Network& network, Book& book, Story& story, AgentSettings settings);

  void start();
  [[nodiscard]] HostId host() const { return settings_.host; }
  [[nodiscard]] HostId node() const { return settings_.node; }
  void behave();  // from now on by the rules
  void lose_outbox();
  void restore_outbox();                  // from the last copy, if one was made
  void node_rolled_back();                // its node goes on from an older state; it may find that out
  [[nodiscard]] bool idle() const;        // everything written and answered, and no duty left
  [[nodiscard]] bool has_duties() const;  // something that its region began or promised is not at its end
  [[nodiscard]] std::string state() const;

 private:
  static constexpr std::size_t kSockets = 2;  // 0: flash, 1: data
  struct Entry {
    Bytes bytes;
    BodyHash hash{};
    std::size_t others = 0;
    bool answered = false;
    bool said = false;  // and no answer is known, or it was said again behind it
  };
  struct Box {                   // one lane of the session
    std::vector<Entry> entries;  // sequence i + 1
    std::size_t sent = 0;        // in this connection
    std::size_t through = 0;     // all answered up to here
    std::size_t told = 0;        // what the node was told of it
  };
  struct Copy {  // of the outbox
    SessionId session;
    std::array<Box, kLaneCount> boxes;
    bool node_forgot = false;  // since then its node went on from an older state
  };
  struct Socket {
    DialerId dialer = 0;
    bool welcome = false;
    bool known = false;    // the node has answered something of this session here
    bool compared = true;  // a Welcome has come since the outbox was restored
    TimeMs heard = 0;
  };

  void connect(std::size_t socket);
  void hello(std::size_t socket);
  void heard(std::size_t socket, const Message& message);
  void on(std::size_t socket, const Welcome& welcome);
  void on(const Answers& answers);
  void on(const Replicated& replicated);
  void on(std::size_t socket, const Refused& refused);
  void receipt(const ReceiptRange& range);
  void refusal(const SequenceRefusal& refusal);
  void take(Lane lane, std::uint64_t sequence, const Answered& answered);
  void write_some();
  void finish_some();
  void note_promise(const Entry& entry, const Answered& answered);
  void pump();
  void pump_lane(Lane lane);
  void misbehave(Lane lane);
  void publish(Lane lane, std::size_t first, std::vector<Bytes> events);
  void ask_peers(Publish& publish);
  [[nodiscard]] std::size_t others_of(const Audience& audience) const;  // nodes that may hold it beside the agent's
  void watch();
  void new_session();
  void restart();
  // As the client does it: what the node says of the session does not fit to this outbox.
  [[nodiscard]] bool is_behind(std::size_t socket, const Welcome& welcome) const;
  void leave_session();  // what has no answer is said again in another
  void forget_written(const std::array<Box, kLaneCount>* kept);
  [[nodiscard]] static std::size_t socket_of(Lane lane) { return lane == Lane::flash ? 0 : 1; }
  [[nodiscard]] Box& box(Lane lane) { return boxes_[static_cast<std::size_t>(lane)]; }
  [[nodiscard]] bool all_answered() const;

  World& world_;
  Network& network_;
  Book& book_;
  Story& story_;
  AgentSettings settings_;
  Prng random_;
  SessionId session_;
  std::vector<SessionId> left_;  // sessions before it, until the node has closed them
  std::array<Box, kLaneCount> boxes_;
  std::array<Socket, kSockets> sockets_;
  std::size_t written_ = 0;
  bool wild_;
  std::optional<Copy> copy_;
  bool doubtful_ = false;  // the outbox was restored, and its session may have gone on without it
};

// Follows everything from the beginning, by cursor, and expects each event once and in order; a guest, whose rights change,
// gets what they admit.
class SimFollower {
 public:
  SimFollower(World& world, Network& network, core::Agent agent, HostId host, HostId node);
  void start();
  // `same_name`: by its incarnation the journal is the one before, so nothing but its chains tells that cursors mean nothing.
  void node_rolled_back(bool same_name);
  [[nodiscard]] Offset next() const { return next_; }
  [[nodiscard]] bool caught_up(Offset head) const { return next_ >= head && !rolled_back_; }
  [[nodiscard]] std::size_t events() const { return events_; }

 private:
  void follow();
  void follow_later();
  void begin_anew();
  void heard(const Message& message);
  void on(const Deliver& deliver);
  void watch();

  World& world_;
  Network& network_;
  core::Agent agent_;
  HostId host_, node_;
  DialerId dialer_ = 0;
  SessionId follow_{0};
  RegionCode region_;
  Incarnation incarnation_;
  Offset next_{1};
  Offset last_event_{0};
  std::size_t events_ = 0;
  TimeMs heard_at_ = 0;
  bool cursor_known_ = false, rolled_back_ = false;
};

}  // namespace lianxi::sim
