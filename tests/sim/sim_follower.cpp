#include "tests/sim/sim_agent.h"

namespace lianxi::sim {
namespace {

constexpr std::uint64_t kCreditBytes = 64 * 1024;
constexpr std::uint32_t kCreditMessages = 16;
constexpr TimeMs kWatchMs = 1'000;
constexpr TimeMs kAgainMs = 400;

}  // namespace

SimFollower::SimFollower(World& world, Network& network, core::Agent agent, HostId host, HostId node)
    : world_(world), network_(network), agent_(std::move(agent)), host_(host), node_(node), region_(agent_.id.region()) {
  network_.name(host_, agent_.id.text());
}

void SimFollower::start() {
  dialer_ = network_.dial(host_, node_, 2, agent_,
                          {[this](const Message& message) { heard(message); }, [this](const std::string&) { follow(); }});
  follow();
  world_.after(kWatchMs, [this] { watch(); });
}

void SimFollower::follow() {
  follow_ = SessionId(follow_.value + 1);
  heard_at_ = world_.now();
  Follow message;
  message.follow = follow_;
  message.from = cursor_known_ ? FollowFrom::cursor : FollowFrom::beginning;
  message.node = region_;
  message.incarnation = incarnation_;
  message.offset = next_;
  message.credit_bytes = kCreditBytes;
  message.credit_messages = kCreditMessages;
  network_.send(dialer_, message);
}

// What ended it may last: a file that cannot be read, rights that were narrowed.
void SimFollower::follow_later() {
  world_.after(kAgainMs, [this, ended = follow_] {
    if (ended == follow_) follow();
  });
}

void SimFollower::heard(const Message& message) {
  if (const auto* deliver = std::get_if<Deliver>(&message)) {
    if (deliver->follow != follow_) return;
    heard_at_ = world_.now();
    on(*deliver);
  } else if (const auto* followed = std::get_if<Followed>(&message)) {
    if (followed->follow != follow_) return;
    heard_at_ = world_.now();
    cursor_known_ = true;
    incarnation_ = followed->incarnation;
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    if (refused->refusal.code == RefusalCode::cursor_unknown && rolled_back_) {
      begin_anew();
    } else if (refused->refusal.code == RefusalCode::cursor_unknown) {
      world_.fail("promise 3: a cursor of " + agent_.id.text() + " is refused: " + refused->refusal.reason);
    }
    if (refused->session == follow_) follow_later();
  } else if (const auto* unfollow = std::get_if<Unfollow>(&message)) {
    if (unfollow->follow == follow_) follow_later();
  } else if (std::holds_alternative<Heartbeat>(message)) {
    heard_at_ = world_.now();
    network_.send(dialer_, Heartbeat{world_.now(), {}});
  }
}

// A cursor of before is refused when it is next shown. One that has none yet begins anew, and hears no late answer to before.
void SimFollower::node_rolled_back(bool same_name) {
  rolled_back_ = cursor_known_;
  if (rolled_back_ && !same_name) return;
  begin_anew();
  network_.reset(dialer_);
  follow();
}

// Its offsets mean nothing any more.
void SimFollower::begin_anew() {
  cursor_known_ = rolled_back_ = false;
  next_ = Offset(1);
  last_event_ = Offset(0);
  events_ = 0;
}

void SimFollower::on(const Deliver& deliver) {
  const Result<std::vector<Segment>> segments = parse_segments(deliver.segments);
  if (!segments)
    return world_.fail("promise 3: a delivery to " + agent_.id.text() + " cannot be read: " + segments.error().reason);
  for (const Segment& segment : *segments) {
    for (std::size_t i = 0; i < segment.records().size(); ++i) {
      const Offset offset(segment.info().first_offset.value + i);
      if (offset <= last_event_)
        return world_.fail("promise 3: " + agent_.id.text() + " gets offset " + std::to_string(offset.value) + " again");
      if (offset < next_) return world_.fail("promise 3: " + agent_.id.text() + " gets an event below its cursor");
      last_event_ = offset;
      ++events_;
    }
  }
  if (deliver.next < next_) return world_.fail("promise 3: the cursor of " + agent_.id.text() + " goes back");
  next_ = deliver.next;
  network_.send(dialer_, Credit{follow_, deliver.segments.size(), 1, next_});
}

void SimFollower::watch() {
  if (world_.now() - heard_at_ > static_cast<TimeMs>(kPeerSilenceMs)) {
    network_.reset(dialer_);
    follow();
  }
  world_.after(kWatchMs, [this] { watch(); });
}

}  // namespace lianxi::sim
