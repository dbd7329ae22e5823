#include "tests/unit/sdk/scripted_node.h"

#include <array>
#include <cstdlib>
#include <zmq.hpp>

#include "schemas/codec/event_codec.h"

namespace lianxi::sdk {
namespace {

constexpr RegionCode kRegion{330800};
constexpr Incarnation kIncarnation{7};
constexpr TimeMs kNoon = 1'604'894'400'000;
constexpr std::chrono::milliseconds kLook{2};

BytesView view_of(const zmq::message_t& message) {
  return {static_cast<const std::uint8_t*>(message.data()), message.size()};
}

FeedId feed_of(Lane lane) {
  return {kRegion, Epoch{1}, lane, Audience::conference()};
}

}  // namespace

struct ScriptedNode::Sockets {
  zmq::context_t context{1};
  zmq::socket_t keys{context, zmq::socket_type::rep};  // whom libzmq asks (ZAP); goes after the routers
  std::array<zmq::socket_t, 4> routers;
};

ScriptedNode::ScriptedNode() : node_keys_(make_curve_keys()) {
  const CurveKeys keys = make_curve_keys();
  profile_.region = kRegion;
  profile_.server_key = node_keys_.public_key;
  profile_.agent = AgentId::parse("330800.police.dispatch").value();
  profile_.public_key = keys.public_key;
  profile_.secret_key = keys.secret_key;
  profile_.flash = ports_[flash].endpoint();
  profile_.data = ports_[data].endpoint();
  profile_.follow = ports_[follow].endpoint();
  profile_.query = ports_[query].endpoint();
  start();
}

ScriptedNode::~ScriptedNode() {
  stop();
}

void ScriptedNode::start() {
  sockets_ = std::make_unique<Sockets>();
  sockets_->keys.bind("inproc://zeromq.zap.01");
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    zmq::socket_t router(sockets_->context, zmq::socket_type::router);
    router.set(zmq::sockopt::linger, 0);
    router.set(zmq::sockopt::zap_domain, "scripted");
    router.set(zmq::sockopt::curve_server, true);
    router.set(zmq::sockopt::curve_secretkey, node_keys_.secret_key);
    router.bind(ports_.at(i).endpoint());
    sockets_->routers.at(i) = std::move(router);
  }
  stopping_ = false;
  thread_ = std::thread([this] { run(); });
}

void ScriptedNode::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  thread_.join();
  const std::scoped_lock lock(mutex_);
  followers_.clear();
  held_.clear();
  sockets_.reset();
}

void ScriptedNode::restart() {
  stop();
  start();
}

void ScriptedNode::run() {
  std::array<zmq::pollitem_t, 5> items{};
  for (std::size_t i = 0; i < 4; ++i) items.at(i) = {sockets_->routers.at(i).handle(), 0, ZMQ_POLLIN, 0};
  items.at(4) = {sockets_->keys.handle(), 0, ZMQ_POLLIN, 0};
  while (true) {
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) return;
      for (const auto& task : tasks_) task();
      tasks_.clear();
    }
    zmq::poll(items.data(), items.size(), kLook);
    if ((items.at(4).revents & ZMQ_POLLIN) != 0) on_key();
    for (std::size_t i = 0; i < 4; ++i) {
      if ((items.at(i).revents & ZMQ_POLLIN) == 0) continue;
      zmq::message_t routing, header, payload;
      (void)sockets_->routers.at(i).recv(routing);
      (void)sockets_->routers.at(i).recv(header);
      (void)sockets_->routers.at(i).recv(payload);
      auto message = decode(view_of(header), view_of(payload));
      if (!message) std::abort();  // the client sent what no node reads
      const std::scoped_lock lock(mutex_);
      on_message(static_cast<Endpoint>(i), routing.to_string(), std::move(*message));
      changed_.notify_all();
    }
  }
}

void ScriptedNode::on_key() {
  std::vector<zmq::message_t> request;
  do {
    request.emplace_back();
    (void)sockets_->keys.recv(request.back());
  } while (request.back().more());
  const std::scoped_lock lock(mutex_);
  const std::string status = switches_.refuse_keys ? "400" : "200";
  const std::array<std::string, 6> reply{"1.0", request.at(1).to_string(), status, "", "client", ""};
  for (std::size_t i = 0; i < reply.size(); ++i)
    sockets_->keys.send(zmq::buffer(reply.at(i)), i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}

void ScriptedNode::send(Endpoint endpoint, const std::string& routing, const Message& message) {
  const Frames frames = encode(message);
  zmq::socket_t& router = sockets_->routers.at(endpoint);
  router.send(zmq::buffer(routing), zmq::send_flags::sndmore);
  router.send(zmq::buffer(frames.header), zmq::send_flags::sndmore);
  router.send(zmq::buffer(frames.payload), zmq::send_flags::none);
}

void ScriptedNode::on_message(Endpoint endpoint, const std::string& routing, Message message) {
  if (const auto* hello = std::get_if<Hello>(&message)) {
    on_hello(endpoint, routing, *hello);
  } else if (const auto* publish = std::get_if<Publish>(&message)) {
    on_publish(endpoint, routing, *publish);
  } else if (const auto* asked = std::get_if<Follow>(&message)) {
    on_follow(endpoint, routing, *asked);
  } else if (const auto* credit = std::get_if<Credit>(&message)) {
    seen_.credits.push_back(*credit);
    if (const auto found = followers_.find({endpoint, routing}); found != followers_.end()) {
      found->second.credit_messages += credit->messages;
    }
    deliver_locked();
  } else if (const auto* question = std::get_if<Query>(&message)) {
    seen_.queries.push_back(*question);
    if (switches_.mute_query) return;
    if (switches_.refuse_query) {
      send(endpoint, routing, Refused{SessionId{}, question->request, Lane::flash, *switches_.refuse_query});
      return;
    }
    Answer answer;
    answer.request = question->request;
    answer.offset = Offset(segments_.size() + 1);
    answer.rows = AlertRows{};
    send(endpoint, routing, answer);
  }
}

void ScriptedNode::on_hello(Endpoint endpoint, const std::string& routing, const Hello& hello) {
  seen_.hellos.push_back(hello);
  for (SessionId closed : hello.close_sessions) sessions_.erase(closed);
  Welcome welcome;
  welcome.session = hello.session;
  welcome.region = kRegion;
  welcome.epoch = Epoch{1};
  welcome.incarnation = kIncarnation;
  welcome.agent = switches_.key_owner.value_or(profile_.agent);
  welcome.session_known = sessions_.contains(hello.session);
  sessions_[hello.session] = true;
  for (Lane lane : {Lane::flash, Lane::normal, Lane::bulk}) {
    LaneBook& book = books_[{hello.session, lane}];
    welcome.lanes.push_back({lane, Sequence(book.answers.size()), Sequence(book.answered_through)});
  }
  welcome.head = Offset(segments_.size() + 1);
  send(endpoint, routing, welcome);
}

void ScriptedNode::on_publish(Endpoint endpoint, const std::string& routing, const Publish& publish) {
  seen_.publishes.push_back(publish);
  if (!sessions_.contains(publish.session)) {
    send(endpoint, routing,
         Refused{publish.session, publish.first_sequence.value, publish.lane, {RefusalCode::session_unknown, "session", "?", 0}});
    return;
  }
  LaneBook& book = books_[{publish.session, publish.lane}];
  book.answered_through = std::max(book.answered_through, publish.answered_through.value);
  Answers answers;
  answers.session = publish.session;
  std::uint64_t sequence = publish.first_sequence.value - 1;
  for (const Bytes& body : publish.events) {
    ++sequence;
    if (sequence > book.answers.size()) {
      const bool gap = sequence > book.answers.size() + 1;
      if (gap || switches_.busy > 0) {
        if (!gap) --switches_.busy;
        answers.refusals.push_back(
            {publish.lane, Sequence(sequence), {gap ? RefusalCode::sequence_gap : switches_.busy_code, "", "later", 30}, {}});
        break;
      }
      auto refusal = switches_.judge ? switches_.judge(body) : std::nullopt;
      book.positions.push_back(refusal ? 0 : heads_[publish.lane].sequence.value + 1);
      book.answers.emplace_back(body_hash(body), refusal);
      if (!refusal) {
        const FeedHead before = heads_[publish.lane];
        SegmentWriter writer(feed_of(publish.lane), before, Offset(segments_.size() + 1));
        const Stamp stamp{Sequence(before.sequence.value + 1),
                          Ordinal(++ordinal_),
                          Hlc{static_cast<std::uint64_t>(kNoon) << 16U},
                          profile_.agent,
                          publish.session,
                          Sequence(sequence)};
        heads_[publish.lane] = writer.append(stamp, Salt{}, body);
        segments_.push_back(std::move(writer).finish());
        seen_.accepted.push_back(body);
      }
    }
    const auto& [hash, refusal] = book.answers[sequence - 1];
    if (hash != body_hash(body)) {
      answers.refusals.push_back({publish.lane, Sequence(sequence), {RefusalCode::sequence_reused, "", "another body", 0}, {}});
    } else if (refusal) {
      answers.refusals.push_back({publish.lane, Sequence(sequence), *refusal, hash});
    } else {
      const std::uint64_t position = book.positions[sequence - 1];
      answers.receipts.push_back({publish.lane,
                                  Audience::conference(),
                                  Sequence(sequence),
                                  1,
                                  Epoch{1},
                                  Sequence(position),
                                  Ordinal(position),
                                  Offset(position),
                                  {hash}});
    }
  }
  if (switches_.lose_answers > 0) {
    --switches_.lose_answers;
    return;
  }
  auto say = [this, endpoint, routing, answers] { send(endpoint, routing, answers); };
  if (switches_.hold_answers) {
    held_.push_back(say);
  } else {
    say();
  }
  deliver_locked();
}

void ScriptedNode::on_follow(Endpoint endpoint, const std::string& routing, const Follow& asked) {
  seen_.follows.push_back(asked);
  if (switches_.refuse_follow) {
    send(endpoint, routing, Refused{asked.follow, 0, Lane::flash, *switches_.refuse_follow});
    return;
  }
  Follower follower{routing, asked, Offset(segments_.size() + 1), asked.credit_messages};
  if (asked.from == FollowFrom::beginning) follower.next = Offset{1};
  if (asked.from == FollowFrom::cursor) follower.next = asked.offset;
  send(endpoint, routing, Followed{asked.follow, kRegion, kIncarnation, follower.next, Offset(segments_.size() + 1)});
  followers_[{endpoint, routing}] = follower;
  deliver_locked();
}

void ScriptedNode::deliver_locked() {
  if (switches_.mute_follow) return;
  for (auto& [key, follower] : followers_) {
    while (follower.next.value <= segments_.size() && follower.credit_messages > 0) {
      --follower.credit_messages;
      Deliver deliver;
      deliver.follow = follower.follow.follow;
      deliver.segments = segments_[follower.next.value - 1];
      follower.next = Offset(follower.next.value + 1);
      deliver.next = follower.next;
      deliver.caught_up = follower.next.value > segments_.size();
      send(key.first, key.second, deliver);
    }
  }
}

void ScriptedNode::set(const std::function<void(Switches&)>& change) {
  const std::scoped_lock lock(mutex_);
  change(switches_);
}
void ScriptedNode::release() {
  const std::scoped_lock lock(mutex_);
  switches_.hold_answers = false;
  for (auto& say : held_) tasks_.push_back(std::move(say));
  held_.clear();
}
void ScriptedNode::forget_sessions() {
  const std::scoped_lock lock(mutex_);
  sessions_.clear();
  books_.clear();
}
void ScriptedNode::append(const std::string& text) {
  append_bytes(encode_event(report(text)));
}
void ScriptedNode::append_bytes(BytesView body) {
  const std::scoped_lock lock(mutex_);
  const FeedHead before = heads_[Lane::normal];
  SegmentWriter writer(feed_of(Lane::normal), before, Offset(segments_.size() + 1));
  const Stamp stamp{Sequence(before.sequence.value + 1),
                    Ordinal(++ordinal_),
                    Hlc{static_cast<std::uint64_t>(kNoon) << 16U},
                    profile_.agent,
                    SessionId{99},
                    Sequence(before.sequence.value + 1)};
  heads_[Lane::normal] = writer.append(stamp, Salt{}, body);
  segments_.push_back(std::move(writer).finish());
  tasks_.emplace_back([this] { deliver_locked(); });
}
void ScriptedNode::forget_chain() {
  const std::scoped_lock lock(mutex_);
  heads_[Lane::normal].hash.fill(0xab);
}
void ScriptedNode::deliver() {
  const std::scoped_lock lock(mutex_);
  tasks_.emplace_back([this] { deliver_locked(); });
}
ScriptedNode::Seen ScriptedNode::seen() const {
  const std::scoped_lock lock(mutex_);
  return seen_;
}
bool ScriptedNode::until(const std::function<bool(const Seen&)>& holds) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return holds(seen_); });
}

Event report(const std::string& text) {
  IncidentReport body;
  body.case_reference = "2020-1109-01";
  body.title = "氟硅厂火灾";
  body.text = text;
  Event event;
  event.envelope = {Kind::incident,
                    incident_entity(kRegion, body.case_reference),
                    Status::Actual,
                    PlaceCode::parse("330803").value(),
                    "police",
                    Level::orange,
                    Audience::conference(),
                    kNoon};
  event.body = std::move(body);
  return event;
}

Event alert(const std::string& identifier) {
  AlertInfo info;
  info.language = "zh-CN";
  info.categories = {Category::Fire};
  info.event = "化工火灾";
  info.headline = "撤离";
  Alert body;
  body.identifier = identifier;
  body.sender = "qz.yjj.gov.cn";
  body.sent = kNoon;
  body.infos = {info};
  Event event;
  event.envelope = {Kind::alert,
                    alert_entity(kRegion, body.sender, identifier, kNoon),
                    Status::Actual,
                    PlaceCode::of(kRegion),
                    "police",
                    Level::red,
                    Audience::conference(),
                    kNoon};
  event.body = std::move(body);
  return event;
}

Event team(const std::string& name) {
  Resource body;
  body.name = name;
  Event event;
  event.envelope = {Kind::resource, resource_entity(kRegion, name), Status::Actual, PlaceCode::of(kRegion), "police",
                    Level::none,    Audience::conference(),         kNoon};
  event.body = std::move(body);
  return event;
}

std::string text_of(BytesView body) {
  const auto event = decode_event(body);
  if (!event) return "?";
  if (const auto* told = std::get_if<IncidentReport>(&event->body)) return told->text;
  if (const auto* warned = std::get_if<Alert>(&event->body)) return warned->identifier;
  if (const auto* known = std::get_if<Resource>(&event->body)) return known->name;
  return "?";
}

}  // namespace lianxi::sdk
