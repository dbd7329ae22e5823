#include "broker/net/frame_reader.h"

#include <fmt/format.h>

#include "broker/net/zap.h"
#include "schemas/limits.h"

namespace lianxi::net {

namespace {

Bytes bytes_of(const zmq::message_t& part) {
  const auto* data = static_cast<const std::uint8_t*>(part.data());
  return {data, data + part.size()};
}

// A received message is whole in libzmq: its further parts are there at once. They are dropped unread.
std::size_t drop_rest(zmq::socket_t& socket, zmq::message_t& part) {
  std::size_t dropped = 0;
  while (part.more()) {
    if (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) break;
    ++dropped;
  }
  return dropped;
}

ReadOutcome misshapen(Refusal& refusal, std::string field, std::string reason) {
  refusal = Refusal{RefusalCode::malformed, std::move(field), std::move(reason), 0};
  return ReadOutcome::misshapen;
}

}  // namespace

ReadOutcome read_message(zmq::socket_t& socket, bool routed, ReadMessage& out, Refusal& refusal) {
  out = {};
  zmq::message_t part;
  if (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) return ReadOutcome::nothing;
  if (routed) {
    out.routing = part.to_string();
    if (!part.more() || zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0)
      return misshapen(refusal, "frames", "the message is empty; send a header and a payload frame");
  }
  out.agent = property(part, "User-Id");
  out.key = property(part, kKeyProperty);
  out.fd = source_fd(part);
  if (part.size() != kHeaderBytes) {
    const std::size_t size = part.size();
    drop_rest(socket, part);
    return misshapen(refusal, "header", fmt::format("the first frame has {} bytes; it is a header of {}", size, kHeaderBytes));
  }
  out.header = bytes_of(part);
  if (!part.more() || zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0)
    return misshapen(refusal, "frames", "the payload frame is missing; a message has exactly two frames");
  out.payload = bytes_of(part);
  if (part.more()) {
    const std::size_t further = drop_rest(socket, part);
    out.payload.clear();
    return misshapen(refusal, "frames", fmt::format("{} frames; a message has exactly two", 2 + further));
  }
  return ReadOutcome::message;
}

}  // namespace lianxi::net
