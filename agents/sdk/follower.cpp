#include "agents/sdk/follower.h"

namespace lianxi::sdk {
namespace {

constexpr std::uint64_t kCreditBytes = 8ULL * 1024 * 1024;
constexpr std::uint32_t kCreditMessages = 256;
static_assert(kCreditBytes >= kMaxDeliverBytes && kCreditBytes <= kMaxCreditBytes);

}  // namespace

Follower::Follower(zmq::context_t& context, const Profile& profile, SessionId id, FollowOptions options,
                   FollowCallbacks callbacks)
    : id_(id),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      channel_(context, profile, {options_.flash_endpoint ? profile.flash : profile.follow, true},
               {.up = [this] { ask(); },
                .lost = [this] { followed_ = false; },
                .message = [this](Message message) { on_message(std::move(message)); },
                .beat = [this] { (void)channel_.send(Heartbeat{}, now_ms_); }}) {}

void Follower::step(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (!over_) channel_.step(now_ms);
}

void Follower::stop(std::int64_t now_ms) {
  if (!over_ && channel_.send(Unfollow{id_, "done"}, now_ms)) channel_.linger();
  over_ = true;
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
  follow.credit_bytes = kCreditBytes;
  follow.credit_messages = kCreditMessages;
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
    if (!started_ && callbacks_.started) callbacks_.started(*followed);
    started_ = true;
  } else if (const auto* deliver = std::get_if<Deliver>(&message); deliver != nullptr && deliver->follow == id_) {
    if (followed_) on_deliver(*deliver);
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    // not_found: the node has lost sight of this follow; it goes on from its cursor.
    if (refused->refusal.retry_after_ms > 0 || (followed_ && refused->refusal.code == RefusalCode::not_found)) {
      channel_.reset(now_ms_, refused->refusal.reason);
      return;
    }
    over_ = true;
    if (callbacks_.refused) callbacks_.refused(refused->refusal);
  } else if (const auto* unfollow = std::get_if<Unfollow>(&message); unfollow != nullptr && unfollow->follow == id_) {
    channel_.reset(now_ms_, "the node ended the follow: " + unfollow->reason);
  }
}

void Follower::on_deliver(const Deliver& deliver) {
  const auto segments = parse_segments(deliver.segments);
  if (!segments) return channel_.reset(now_ms_, "the node sent a segment that cannot be read: " + segments.error().reason);
  for (const Segment& segment : *segments) {
    const SegmentInfo& info = segment.info();
    for (const RecordView& record : segment.records()) {
      // Offsets and sequences run together in a segment, also where a filter left gaps.
      const Offset offset(info.first_offset.value + (record.stamp.sequence.value - info.first_sequence.value));
      if (offset < options_.offset) continue;
      if (callbacks_.event) callbacks_.event(Delivery{info.feed, offset, record});
    }
  }
  if (deliver.next > options_.offset) options_.offset = deliver.next;
  if (callbacks_.progress) callbacks_.progress(options_.offset, deliver.caught_up);
  give_credit(deliver.segments.size());
}

void Follower::give_credit(std::uint64_t bytes) {
  owed_bytes_ += bytes;
  owed_messages_ += 1;
  if (owed_bytes_ < kCreditBytes / 4 && owed_messages_ < kCreditMessages / 4) return;
  if (!channel_.send(Credit{id_, owed_bytes_, owed_messages_, options_.offset}, now_ms_)) return;
  owed_bytes_ = 0;
  owed_messages_ = 0;
}

}  // namespace lianxi::sdk
