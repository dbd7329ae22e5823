// One follow over a connection of its own: asks, hands events over once each, gives credit back, resumes from its cursor.
// Belongs to the client's I/O thread.
#pragma once

#include "agents/sdk/channel.h"
#include "agents/sdk/client.h"

namespace lianxi::sdk {

class Follower {
 public:
  Follower(zmq::context_t& context, const Profile& profile, SessionId id, FollowOptions options, FollowCallbacks callbacks);

  [[nodiscard]] Channel& channel() { return channel_; }
  void step(std::int64_t now_ms);
  void stop(std::int64_t now_ms);  // tells the node; nothing is called any more
  [[nodiscard]] bool over() const { return over_; }

 private:
  void ask();
  void on_message(Message message);
  void on_deliver(const Deliver& deliver);
  void give_credit(std::uint64_t bytes);

  SessionId id_;
  FollowOptions options_;
  FollowCallbacks callbacks_;
  std::int64_t now_ms_ = 0;
  bool started_ = false;   // once ever
  bool followed_ = false;  // on this connection
  bool over_ = false;
  std::uint64_t owed_bytes_ = 0;
  std::uint32_t owed_messages_ = 0;
  Channel channel_;
};

}  // namespace lianxi::sdk
