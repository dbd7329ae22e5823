// A node in the test's own hands: real ROUTER sockets with CURVE on ports of its own, sessions and answers as a node keeps
// them, and switches for what goes wrong. All functions may be called from the test's thread.
#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agents/sdk/profile.h"
#include "schemas/codec/segment.h"
#include "schemas/protocol.h"
#include "tests/support/port.h"

namespace lianxi::sdk {

inline constexpr std::chrono::seconds kPatience{60};

class ScriptedNode {
 public:
  enum Endpoint : std::uint8_t { flash, data, follow, query };

  ScriptedNode();
  ~ScriptedNode();
  [[nodiscard]] const Profile& profile() const { return profile_; }

  // Breaks every connection and listens again on the same ports. What the node knows stays.
  void restart();
  void stop();
  void start();

  struct Switches {
    int lose_answers = 0;                                    // take so many publishes and say nothing
    int busy = 0;                                            // answer so many publishes with retry_after
    RefusalCode busy_code = RefusalCode::busy;               // and with this word
    std::optional<AgentId> key_owner;                        // whom the client's key belongs to; empty: to the profile's agent
    bool hold_answers = false;                               // take publishes, answer when released
    std::function<std::optional<Refusal>(BytesView)> judge;  // refuse events
    std::optional<Refusal> refuse_follow;
    std::optional<Refusal> refuse_query;
    bool mute_query = false;
    bool refuse_keys = false;  // of new connections
    bool mute_follow = false;  // accept a follow, deliver nothing
  };
  void set(const std::function<void(Switches&)>& change);
  void release();                        // answers that were held
  void forget_sessions();                // as a node restored from a backup
  void append(const std::string& text);  // an event of another agent, for followers
  void append_bytes(BytesView body);     // the same with whatever for its bytes
  void deliver();                        // hands followers what they have not had
  void forget_chain();                   // what is appended next does not follow on what was before

  struct Seen {
    std::vector<Hello> hellos;
    std::vector<Publish> publishes;
    std::vector<Follow> follows;
    std::vector<Credit> credits;
    std::vector<Query> queries;
    std::vector<Bytes> accepted;  // bodies, in order
  };
  [[nodiscard]] Seen seen() const;
  // Waits until it holds; false if it never does.
  [[nodiscard]] bool until(const std::function<bool(const Seen&)>& holds) const;

 private:
  struct LaneBook {
    std::uint64_t answered_through = 0;
    std::vector<std::pair<BodyHash, std::optional<Refusal>>> answers;  // of sequences 1, 2, ...
    std::vector<std::uint64_t> positions;                              // in the feed; 0: refused
  };
  struct Follower {
    std::string routing;
    Follow follow;
    Offset next;
    std::uint32_t credit_messages = 0;
  };
  struct Sockets;

  void run();
  void on_key();
  void on_message(Endpoint endpoint, const std::string& routing, Message message);
  void on_hello(Endpoint endpoint, const std::string& routing, const Hello& hello);
  void on_publish(Endpoint endpoint, const std::string& routing, const Publish& publish);
  void on_follow(Endpoint endpoint, const std::string& routing, const Follow& follow);
  void deliver_locked();
  void send(Endpoint endpoint, const std::string& routing, const Message& message);

  Profile profile_;
  std::array<test::Port, 4> ports_;  // by endpoint; kept while it is stopped
  CurveKeys node_keys_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Switches switches_;
  Seen seen_;
  std::map<std::pair<SessionId, Lane>, LaneBook> books_;
  std::map<SessionId, bool> sessions_;
  std::vector<std::function<void()>> held_;
  std::vector<Bytes> segments_;  // one event each; offset = index + 1
  std::map<Lane, FeedHead> heads_;
  std::uint64_t ordinal_ = 0;
  std::map<std::pair<Endpoint, std::string>, Follower> followers_;
  std::unique_ptr<Sockets> sockets_;
  std::vector<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

// Believable events: lanes normal, flash and bulk.
[[nodiscard]] Event report(const std::string& text);
[[nodiscard]] Event alert(const std::string& identifier);
[[nodiscard]] Event team(const std::string& name);
[[nodiscard]] std::string text_of(BytesView body);  // of a report; the identifier of an alert; the name of a team

}  // namespace lianxi::sdk
