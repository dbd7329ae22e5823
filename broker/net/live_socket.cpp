#include "broker/net/live_socket.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <utility>

#include "broker/net/live_guard.h"
#include "broker/net/zap.h"
#include "broker/net/zmq_socket.h"
#include "schemas/limits.h"

namespace lianxi::net {

namespace {

constexpr std::size_t kMaxServedAtOnce = 1024;
constexpr int kSubscriptionHwm = 64;
// What a connection that is cut has on its way is read all the same.
constexpr int kReceiveBufferBytes = 8 * 1024;
constexpr std::size_t kTopicSlackBytes = 256;  // what is a little too long is refused with a word, what is longer is cut

// A request as it comes: one byte (1 begin, 0 end), then the topic.
struct SubscriptionRequest {
  bool begin = false;
  std::string topic;
  std::string agent, key;
  int fd = -1;
};

std::string refused_topic(const std::string& topic, const std::string& agent) {
  return topic + "!refused/" + agent;
}

}  // namespace

struct LiveSocket::State {
  State(Context& context, const KeyTable& table, Options opened_with, Admit admits, Render renders)
      : options(std::move(opened_with)),
        keys(table),
        admit(std::move(admits)),
        render(std::move(renders)),
        socket(context_of(context), zmq::socket_type::xpub),
        watch({.message_bytes = kMaxControlBytes, .waiting_bytes = 4 * 1024 * 1024, .connections = options.max_connections}) {}

  [[nodiscard]] bool take(SubscriptionRequest& request) {
    zmq::message_t part;
    if (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) {
      watch.drained();
      return false;
    }
    const std::string text = part.to_string();
    request.begin = !text.empty() && text[0] == 1;
    request.topic = text.empty() ? text : text.substr(1);
    request.agent = property(part, "User-Id");
    request.key = property(part, kKeyProperty);
    request.fd = source_fd(part);
    drain_message(socket);
    return true;
  }

  [[nodiscard]] std::optional<Refusal> judge(const SubscriptionRequest& request, std::set<std::string>& held) const {
    if (request.agent.empty() || !keys.is(request.key, request.agent))
      return Refusal{RefusalCode::unknown_key, "key", "this key is no longer in the key folder", 0};
    if (request.topic.size() > kMaxTopicBytes)
      return Refusal{RefusalCode::oversize, "topic", fmt::format("a topic has at most {} bytes", kMaxTopicBytes), 0};
    if (held.size() >= kMaxSubscriptionsPerConnection)
      return Refusal{RefusalCode::too_many_followers, "topic",
                     fmt::format("a connection has at most {} subscriptions", kMaxSubscriptionsPerConnection), 0};
    if (topic_bytes + request.topic.size() > kMaxTopicBytesInAll)
      return Refusal{RefusalCode::too_many_followers, "topic", "the node has as many subscriptions as it can", 0};
    return admit(request.agent, request.topic);
  }

  // In manual mode a subscription is what we set for the connection whose request was read last.
  void set_subscription(int option, const std::string& topic) {
    zmq_setsockopt(socket.handle(), option, topic.data(), topic.size());
  }

  Options options;
  const KeyTable& keys;
  Admit admit;
  Render render;
  zmq::socket_t socket;
  DescriptorWatch watch;
  std::string bound;
  struct Subscriber {
    std::uint64_t cookie = 0;
    std::set<std::string> topics;   // admitted
    std::set<std::string> refused;  // told so on their refused topics
  };
  std::map<int, Subscriber> subscribers;                     // by descriptor
  std::map<std::string, std::size_t, std::less<>> admitted;  // topics, and by how many connections
  std::size_t topic_bytes = 0;                               // of all topics, admitted or refused
  WatchCuts cuts;                                            // since they were asked for
  std::unique_ptr<LiveGuard> guard;                          // hears the socket's monitor: goes before the socket

  void admit_topic(Subscriber& subscriber, const std::string& topic) {
    if (!subscriber.topics.insert(topic).second) return;
    topic_bytes += topic.size();
    ++admitted[topic];
  }
  void forget_topic(Subscriber& subscriber, const std::string& topic) {
    if (subscriber.refused.erase(topic) > 0) topic_bytes -= topic.size();
    if (subscriber.topics.erase(topic) == 0) return;
    topic_bytes -= topic.size();
    if (const auto found = admitted.find(topic); found != admitted.end() && --found->second == 0) admitted.erase(found);
  }
  void forget(Subscriber& subscriber) {
    while (!subscriber.topics.empty()) forget_topic(subscriber, std::string(*subscriber.topics.begin()));
    while (!subscriber.refused.empty()) forget_topic(subscriber, std::string(*subscriber.refused.begin()));
  }
  // Tells the connection whose request was read last; one that piles up refusals, or comes when there is no room, is cut.
  void tell(Subscriber& subscriber, const SubscriptionRequest& request, const Refusal& refusal);
};

void LiveSocket::State::tell(Subscriber& subscriber, const SubscriptionRequest& request, const Refusal& refusal) {
  if (request.topic.size() > kMaxTopicBytes) return;
  if (subscriber.refused.size() >= kMaxSubscriptionsPerConnection || topic_bytes > 2 * kMaxTopicBytesInAll) {
    if (cut_connection(request.fd, watch.sender(request.fd))) ++cuts.crowded;
    return;
  }
  const std::string topic = refused_topic(request.topic, request.agent);
  set_subscription(ZMQ_SUBSCRIBE, topic);
  if (subscriber.refused.insert(request.topic).second) topic_bytes += request.topic.size();
  const std::string json = render(refusal);
  if (zmq_send(socket.handle(), topic.data(), topic.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return;
  zmq_send(socket.handle(), json.data(), json.size(), ZMQ_DONTWAIT);
}

LiveSocket::LiveSocket() = default;
LiveSocket::~LiveSocket() = default;

NetResult<std::unique_ptr<LiveSocket>> LiveSocket::open(Context& context, const KeyTable& keys, Options options, Admit admit,
                                                        Render render) {
  try {
    std::unique_ptr<LiveSocket> live(new LiveSocket());
    live->state_ = std::make_unique<State>(context, keys, std::move(options), std::move(admit), std::move(render));
    State& state = *live->state_;
    set_common_options(state.socket, {IoThread::rest, kSubscriptionHwm, state.options.send_hwm,
                                      static_cast<std::int64_t>(1 + kMaxTopicBytes + kTopicSlackBytes)});
    state.socket.set(zmq::sockopt::rcvbuf, kReceiveBufferBytes);
    auto secured = secure_server(state.socket, state.options.security, state.options.keys, state.options.endpoint);
    if (!secured) return tl::unexpected(std::move(secured.error()));
    state.socket.set(zmq::sockopt::xpub_verboser, true);
    state.socket.set(zmq::sockopt::xpub_manual, true);
    state.socket.set(zmq::sockopt::xpub_nodrop, false);
    state.guard = std::make_unique<LiveGuard>(context, state.socket);
    auto bound = bind_endpoint(state.socket, "live", state.options.endpoint);
    if (!bound) return tl::unexpected(std::move(bound.error()));
    state.bound = std::move(*bound);
    return live;
  } catch (const zmq::error_t& error) {
    return tl::unexpected(failure_of(error, "an XPUB socket cannot be made"));
  }
}

const std::string& LiveSocket::endpoint() const {
  return state_->bound;
}
WaitItem LiveSocket::readable() {
  return {state_->socket.handle()};
}

void LiveSocket::serve(const std::function<void(const Refusal&)>& refused) {
  State& state = *state_;
  SubscriptionRequest request;
  for (const int fd : state.guard->take_accepted()) state.watch.opened(fd);
  for (std::size_t served = 0; served < kMaxServedAtOnce && state.take(request); ++served) {
    if (request.fd >= 0) state.watch.yielded(request.fd, request.topic.size(), request.agent);
    if (!request.begin) {
      state.set_subscription(ZMQ_UNSUBSCRIBE, request.topic);
      // An end without a sender is libzmq's own, of a connection that is gone: sweep() forgets it.
      if (request.agent.empty()) continue;
      state.set_subscription(ZMQ_UNSUBSCRIBE, refused_topic(request.topic, request.agent));
      if (const auto found = state.subscribers.find(request.fd); found != state.subscribers.end()) {
        state.forget_topic(found->second, request.topic);
      }
      continue;
    }
    State::Subscriber& subscriber = state.subscribers[request.fd];
    if (const std::uint64_t cookie = connection_cookie(request.fd); subscriber.cookie != cookie) {
      state.forget(subscriber);
      subscriber.cookie = cookie;
    }
    auto refusal = state.judge(request, subscriber.topics);
    if (!refusal) {
      state.set_subscription(ZMQ_SUBSCRIBE, request.topic);
      state.admit_topic(subscriber, request.topic);
      continue;
    }
    refused(*refusal);
    state.tell(subscriber, request, *refusal);
  }
}

bool LiveSocket::wanted(std::string_view topic) const {
  const auto& admitted = state_->admitted;
  for (std::size_t size = 0; size <= std::min(topic.size(), kMaxTopicBytes); ++size)
    if (admitted.find(topic.substr(0, size)) != admitted.end()) return true;
  return false;
}

void LiveSocket::publish(std::string_view topic, std::string_view json) {
  void* socket = state_->socket.handle();
  if (zmq_send(socket, topic.data(), topic.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return;
  zmq_send(socket, json.data(), json.size(), ZMQ_DONTWAIT);
}

bool LiveSocket::sweep() {
  State& state = *state_;
  for (const int fd : state.guard->take_accepted()) state.watch.opened(fd);
  const WatchCuts cuts = state.watch.sweep();
  state.cuts.endless += cuts.endless;
  state.cuts.waiting += cuts.waiting;
  state.cuts.crowded += cuts.crowded + state.guard->take_cut();
  for (auto it = state.subscribers.begin(); it != state.subscribers.end();) {
    const bool gone = it->second.cookie == 0 || connection_cookie(it->first) != it->second.cookie;
    if (gone) state.forget(it->second);
    it = gone ? state.subscribers.erase(it) : std::next(it);
  }
  return state.watch.suspicious();
}

void LiveSocket::cut_all() {
  for (const int fd : state_->guard->take_accepted()) state_->watch.opened(fd);
  state_->watch.cut_all();
}

WatchCuts LiveSocket::take_cuts() {
  return std::exchange(state_->cuts, {});
}

std::size_t LiveSocket::subscriptions() const {
  std::size_t count = 0;
  for (const auto& [fd, subscriber] : state_->subscribers) count += subscriber.topics.size();
  return count;
}

}  // namespace lianxi::net
