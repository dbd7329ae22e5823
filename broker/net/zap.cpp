#include "broker/net/zap.h"

#include <array>
#include <thread>

#include "broker/net/zmq_socket.h"

namespace lianxi::net {

namespace {

constexpr const char* kZapAddress = "inproc://zeromq.zap.01";
constexpr std::size_t kCurveKeyBytes = 32;
constexpr std::size_t kMaxZapFrames = 16;

struct Verdict {
  std::string code;  // "200" or "400"
  std::string text;
  std::string agent;
  std::string metadata;
};

// Big-endian length, as ZMTP writes a property.
std::string metadata_property(std::string_view name, std::string_view value) {
  std::string out;
  out.push_back(static_cast<char>(name.size()));
  out.append(name);
  const auto size = static_cast<std::uint32_t>(value.size());
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>((size >> static_cast<unsigned>(shift)) & 0xFFU));
  out.append(value);
  return out;
}

}  // namespace

struct ZapHandler::State {
  State(Context& context, const KeyTable& table, std::function<void(const ZapRejection&)> on_rejected, Security guard)
      : socket(context_of(context), zmq::socket_type::rep), keys(table), rejected(std::move(on_rejected)), security(guard) {}

  // Frames of a request: version, request id, domain, address, identity, mechanism, credentials (the raw key; or id and key).
  Verdict judge(const std::vector<std::string>& request) const {
    if (request.size() < 6 || request[0] != "1.0" || request[2] != kZapDomain) return {"400", "not a request of ours", {}, {}};
    if (security == Security::plain) return judge_plain(request);
    if (request[5] != "CURVE" || request.size() < 7 || request[6].size() != kCurveKeyBytes) {
      rejected({request[3], {}, "the connection does not use CURVE"});
      return {"400", "CURVE only", {}, {}};
    }
    std::array<char, 41> text{};
    zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(request[6].data()), kCurveKeyBytes);
    const std::string key(text.data());
    const auto agent = keys.agent_of(key);
    if (!agent) {
      rejected({request[3], key, "this key is neither in the key folder nor a member's"});
      return {"400", "unknown key", {}, {}};
    }
    return {"200", "OK", *agent, metadata_property(kKeyProperty, key)};
  }

  Verdict judge_plain(const std::vector<std::string>& request) const {
    if (request[5] != "PLAIN" || request.size() < 8) {
      rejected({request[3], {}, "the connection does not use PLAIN, as this node does"});
      return {"400", "PLAIN only", {}, {}};
    }
    const std::string& agent = request[6];
    const std::string& key = request[7];
    if (!keys.is(key, agent)) {
      rejected({request[3], key, "this key is not that agent's"});
      return {"400", "unknown key", {}, {}};
    }
    return {"200", "OK", agent, metadata_property(kKeyProperty, key)};
  }

  void answer_one() {
    std::vector<std::string> request;
    zmq::message_t part;
    do {
      if (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) return;
      if (request.size() < kMaxZapFrames) request.push_back(part.to_string());
    } while (part.more());
    const Verdict verdict = judge(request);
    const std::array<std::string, 6> reply = {
        "1.0", request.size() > 1 ? request[1] : std::string(), verdict.code, verdict.text, verdict.agent, verdict.metadata};
    for (std::size_t i = 0; i < reply.size(); ++i)
      zmq_send(socket.handle(), reply[i].data(), reply[i].size(), i + 1 < reply.size() ? ZMQ_SNDMORE : 0);
  }

  void run() {
    for (;;) {
      std::array<WaitItem, 2> items = {WaitItem{socket.handle()}, WaitItem{nullptr, stop.fd()}};
      wait(items, std::chrono::milliseconds(-1));
      if (items[1].ready) return;
      if (items[0].ready) answer_one();
    }
  }

  zmq::socket_t socket;
  const KeyTable& keys;
  std::function<void(const ZapRejection&)> rejected;
  Security security;
  Wakeup stop;
  std::thread thread;
};

ZapHandler::ZapHandler() = default;

NetResult<std::unique_ptr<ZapHandler>> ZapHandler::start(Context& context, const KeyTable& keys,
                                                         std::function<void(const ZapRejection&)> rejected, Security security) {
  try {
    std::unique_ptr<ZapHandler> handler(new ZapHandler());
    handler->state_ = std::make_unique<State>(context, keys, std::move(rejected), security);
    State& state = *handler->state_;
    state.socket.set(zmq::sockopt::linger, 0);
    state.socket.bind(kZapAddress);
    state.thread = std::thread([&state] { state.run(); });
    return handler;
  } catch (const zmq::error_t& error) {
    return tl::unexpected(failure_of(error, "the ZAP handler cannot start"));
  }
}

ZapHandler::~ZapHandler() {
  if (!state_ || !state_->thread.joinable()) return;
  state_->stop.signal();
  state_->thread.join();
}

}  // namespace lianxi::net
