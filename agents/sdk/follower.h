// One follow over a connection of its own: asks, checks, hands events over once each, gives credit back, resumes from its
// cursor. Hands them to callbacks, or to a stream whose reader says when it has taken them.
// Belongs to the client's I/O thread.
#pragma once

#include <map>

#include "agents/sdk/channel.h"
#include "agents/sdk/client.h"
#include "agents/sdk/stream_state.h"
#include "schemas/codec/segment_scan.h"

namespace lianxi::sdk {

class Follower {
 public:
  Follower(zmq::context_t& context, const Profile& profile, SessionId id, FollowOptions options, FollowCallbacks callbacks,
           std::shared_ptr<EventStream::State> stream = nullptr);

  [[nodiscard]] Channel& channel() { return channel_; }
  void step(std::int64_t now_ms);
  void stop(std::int64_t now_ms);                // tells the node; nothing is called any more
  void taken(std::uint64_t bytes, Offset next);  // the stream's reader has read a delivery through, up to `next`
  void done_with(Offset below);                  // by hand, for its named cursor
  // When the node is to hear how far the named cursor has moved, if it has.
  [[nodiscard]] std::optional<std::int64_t> tell_at() const;
  void closed(const Refusal& why);  // the client goes: the stream is told
  [[nodiscard]] bool over() const { return over_; }

 private:
  void ask();
  void on_message(Message message);
  void on_deliver(const DeliverView& deliver, Payload payload);
  void hand_over(Offset from);
  void refuse_follow(const Refusal& refusal);
  void give_credit(std::uint64_t bytes);
  void send_credit();

  SessionId id_;
  FollowOptions options_;
  FollowCallbacks callbacks_;
  std::shared_ptr<EventStream::State> stream_;
  std::int64_t now_ms_ = 0;
  bool started_ = false;   // once ever
  bool followed_ = false;  // on this connection
  bool over_ = false;
  std::uint64_t owed_bytes_ = 0;
  std::uint32_t owed_messages_ = 0;
  std::uint64_t held_bytes_ = 0;  // in the stream, not yet read
  std::uint32_t held_messages_ = 0;
  Offset taken_;  // handed over, and read if there is a stream; or by hand
  Offset told_;   // of it, as the node has heard
  std::int64_t told_at_ms_ = 0;
  std::map<FeedId, FeedHead> heads_;  // where each feed's chain was checked to
  SegmentScan scan_;
  EventReader reader_;
  Channel channel_;
};

}  // namespace lianxi::sdk
