#include "agents/sdk/follower.h"

#include <algorithm>
#include <utility>

namespace lianxi::sdk {
namespace {

constexpr std::uint32_t kCreditMessages = 256;
constexpr std::int64_t kTellCursorMs = 200;  // a named cursor that moves is told so often

}  // namespace

Follower::Follower(zmq::context_t& context, const Profile& profile, SessionId id, FollowOptions options,
                   FollowCallbacks callbacks, std::shared_ptr<EventStream::State> stream)
    : id_(id),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      stream_(std::move(stream)),
      channel_(context, profile, {options_.flash_endpoint ? profile.flash : profile.follow, true},
               {.up = [this] { ask(); },
                .lost = [this] { followed_ = false; },
                .message = [this](Message message) { on_message(std::move(message)); },
                .beat = [this] { (void)channel_.send(Heartbeat{}, now_ms_); },
                .deliver = [this](const DeliverView& deliver, Payload payload) { on_deliver(deliver, std::move(payload)); }}) {
  options_.buffer_bytes = std::clamp<std::uint64_t>(options_.buffer_bytes, kMaxDeliverBytes, kMaxCreditBytes);
}

void Follower::step(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (!over_) channel_.step(now_ms);
  if (const auto at = tell_at(); at && *at <= now_ms_) send_credit();
}

std::optional<std::int64_t> Follower::tell_at() const {
  if (over_ || !followed_ || options_.cursor_name.empty() || taken_ <= told_) return std::nullopt;
  return told_at_ms_ + kTellCursorMs;
}

void Follower::done_with(Offset below) {
  if (options_.cursor_by_hand) taken_ = std::max(taken_, below);
}

void Follower::stop(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (tell_at()) send_credit();
  if (!over_ && channel_.send(Unfollow{id_, "done"}, now_ms)) channel_.linger();
  over_ = true;
}

void Follower::closed(const Refusal& why) {
  if (stream_) stream_->end(why);
}

void Follower::ask() {
  Follow follow;
  follow.follow = id_;
  follow.from = options_.from;
  follow.node = options_.node;
  follow.incarnation = options_.incarnation;
  follow.offset = options_.offset;
  follow.lanes = options_.lanes;
  follow.filter = options_.filter;
  follow.cursor_name = options_.cursor_name;
  follow.credit_bytes = options_.buffer_bytes - std::min(options_.buffer_bytes, held_bytes_);
  follow.credit_messages = kCreditMessages - std::min(kCreditMessages, held_messages_);
  owed_bytes_ = 0;
  owed_messages_ = 0;
  (void)channel_.send(follow, now_ms_);
}

void Follower::on_message(Message message) {
  if (over_) return;
  if (const auto* followed = std::get_if<Followed>(&message); followed != nullptr && followed->follow == id_) {
    followed_ = true;
    // From here on the follow knows where it stands, and comes back there.
    options_.from = FollowFrom::cursor;
    options_.node = followed->node;
    options_.incarnation = followed->incarnation;
    options_.offset = followed->offset;
    if (stream_) stream_->started(*followed);
    if (!started_) taken_ = told_ = followed->offset;
    if (!started_ && callbacks_.started) callbacks_.started(*followed);
    started_ = true;
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    // not_found: the node has lost sight of this follow; it goes on from its cursor.
    if (refused->refusal.retry_after_ms > 0 || (followed_ && refused->refusal.code == RefusalCode::not_found)) {
      channel_.reset(now_ms_, refused->refusal.reason);
      return;
    }
    refuse_follow(refused->refusal);
  } else if (const auto* unfollow = std::get_if<Unfollow>(&message); unfollow != nullptr && unfollow->follow == id_) {
    channel_.reset(now_ms_, "the node ended the follow: " + unfollow->reason);
  }
}

void Follower::refuse_follow(const Refusal& refusal) {
  over_ = true;
  if (stream_) stream_->end(refusal);
  if (callbacks_.refused) callbacks_.refused(refusal);
}

void Follower::on_deliver(const DeliverView& deliver, Payload payload) {
  if (over_ || !followed_ || deliver.follow != id_) return;
  if (auto read = scan_.read(deliver.segments); !read) {
    return channel_.reset(now_ms_, "the node sent a segment that cannot be read: " + read.error().reason);
  }
  if (options_.check_chain) {
    // A segment's own links always; the link to what was delivered before if nothing lies between.
    if (const auto good = scan_.verify(heads_); !good) {
      if (channel_.send(Unfollow{id_, good.error().reason}, now_ms_)) channel_.linger();
      return refuse_follow(good.error());
    }
  }
  const std::uint64_t bytes = deliver.segments.size();
  const Offset from = options_.offset;
  if (deliver.next > options_.offset) options_.offset = deliver.next;
  if (stream_) {
    held_bytes_ += bytes;
    held_messages_ += 1;
    return stream_->put({std::move(payload), std::exchange(scan_, {}), from, options_.offset});
  }
  hand_over(from);
  if (callbacks_.progress) callbacks_.progress(options_.offset, deliver.caught_up);
  if (!options_.cursor_by_hand) taken_ = options_.offset;
  give_credit(bytes);
}

void Follower::hand_over(Offset from) {
  if (!callbacks_.event) return;
  for (const SegmentScan::Run& run : scan_.segments()) {
    // Offsets and sequences run together in a segment, also where a filter left gaps.
    Offset offset = run.info.first_offset;
    for (std::uint32_t i = 0; i < run.info.count; ++i, ++offset.value) {
      if (offset >= from) callbacks_.event(Delivery{run.info.feed, offset, scan_.record(run, i), reader_});
    }
  }
}

void Follower::taken(std::uint64_t bytes, Offset next) {
  held_bytes_ -= std::min(held_bytes_, bytes);
  held_messages_ -= std::min<std::uint32_t>(held_messages_, 1);
  if (!options_.cursor_by_hand) taken_ = next;
  give_credit(bytes);
}

void Follower::give_credit(std::uint64_t bytes) {
  owed_bytes_ += bytes;
  owed_messages_ += 1;
  if (owed_bytes_ < options_.buffer_bytes / 4 && owed_messages_ < kCreditMessages / 4) return;
  send_credit();
}

void Follower::send_credit() {
  told_at_ms_ = now_ms_;  // also if it cannot leave: then again after a while
  if (!followed_ || !channel_.send(Credit{id_, owed_bytes_, owed_messages_, taken_}, now_ms_)) return;
  owed_bytes_ = 0;
  owed_messages_ = 0;
  told_ = taken_;
}

}  // namespace lianxi::sdk
