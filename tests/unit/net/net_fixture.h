// A gate with known keys, and raw clients as any ZeroMQ program would write them.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "broker/net/router_endpoint.h"
#include "broker/net/zap.h"
#include "schemas/limits.h"

namespace lianxi::net {

inline constexpr std::chrono::seconds kPatience{60};

inline CurveKeys make_keys() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  zmq_curve_keypair(public_key.data(), secret_key.data());
  return {public_key.data(), secret_key.data()};
}

// Until `done` says so; false if it never does. `done` itself waits a little for the socket it watches.
inline bool eventually(const std::function<bool()>& done, std::chrono::milliseconds patience = kPatience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!done())
    if (std::chrono::steady_clock::now() > until) return false;
  return true;
}

// What comes next on an endpoint; monostate if nothing does.
inline Received next_of(RouterEndpoint& endpoint) {
  Received got;
  eventually([&] {
    std::array items = {endpoint.readable()};
    wait(items, std::chrono::milliseconds(20));
    got = endpoint.receive();
    return !std::holds_alternative<std::monostate>(got);
  });
  return got;
}

class NetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    table.replace({{police.public_key, "330800.police.dispatch"}, {fire.public_key, "330800.fire.dispatch"}});
    auto started = ZapHandler::start(context, table, [this](const ZapRejection&) { ++rejections; });
    ASSERT_TRUE(started) << started.error().detail;
    zap = std::move(*started);
  }

  zmq::socket_t client(zmq::socket_type type, const CurveKeys& keys) {
    zmq::socket_t socket(client_context, type);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::curve_serverkey, node.public_key);
    socket.set(zmq::sockopt::curve_publickey, keys.public_key);
    socket.set(zmq::sockopt::curve_secretkey, keys.secret_key);
    return socket;
  }

  static void send(zmq::socket_t& socket, const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < parts.size(); ++i)
      socket.send(zmq::buffer(parts[i]), i + 1 < parts.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }

  // One message within the patience; empty if none comes.
  static std::vector<std::string> read(zmq::socket_t& socket, std::chrono::milliseconds patience = kPatience) {
    std::vector<std::string> parts;
    zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
    if (zmq::poll(&item, 1, patience) == 0) return parts;
    zmq::message_t part;
    do {
      if (!socket.recv(part)) break;
      parts.push_back(part.to_string());
    } while (part.more());
    return parts;
  }

  CurveKeys node = make_keys(), police = make_keys(), fire = make_keys(), stranger = make_keys();
  std::string header = std::string(kHeaderBytes, 'h');
  std::atomic<int> rejections{0};
  KeyTable table;
  Context context;
  std::unique_ptr<ZapHandler> zap;
  zmq::context_t client_context;
};

}  // namespace lianxi::net
