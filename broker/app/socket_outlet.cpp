#include "broker/app/socket_outlet.h"

namespace lianxi::app {
namespace {

SendResult result_of(net::SendOutcome outcome) {
  switch (outcome) {
    case net::SendOutcome::sent:
      return SendResult::sent;
    case net::SendOutcome::full:
      return SendResult::full;
    case net::SendOutcome::gone:
      break;
  }
  return SendResult::gone;
}

}  // namespace

bool SocketOutlet::is_flash(const core::Connection& to) const {
  return to.socket == static_cast<std::uint8_t>(EndpointKind::flash);
}

SendResult SocketOutlet::answer(const core::Connection& to, const Message& message) {
  Frames frames = encode(message);
  said(to, frames.payload.size());
  // Who is slow to read misses a heartbeat without harm: what is queued says more than it would.
  if (std::holds_alternative<Heartbeat>(message)) return result_of(endpoints_[to.socket]->send(to.routing, std::move(frames)));
  return result_of(send_answer(*endpoints_[to.socket], to.routing, std::move(frames), metrics_));
}

SendResult SocketOutlet::deliver(const core::Connection& to, const DeliveryHead& head,
                                 const std::shared_ptr<const Bytes>& segments) {
  const std::shared_ptr<const Bytes>& payload = head.packed ? head.packed : segments;
  const auto flags = static_cast<std::uint8_t>((head.caught_up ? kFlagCaughtUp : 0U) | (head.packed ? kFlagPacked : 0U));
  const FrameHeader header{MessageType::deliver, flags, Lane::flash, head.follow, head.next.value};
  const net::SendOutcome outcome = endpoints_[to.socket]->send_shared(to.routing, encode_header(header, *payload), payload);
  metrics_.delivered(static_cast<DeliveryOutcome>(outcome), segments->size(), payload->size());
  if (outcome == net::SendOutcome::sent) said(to, payload->size());
  return result_of(outcome);
}

void SocketOutlet::said(const core::Connection& to, std::size_t bytes) {
  if (!is_flash(to)) watch_.said_other(bytes);
}

bool SocketOutlet::look() {
  unlooked_ = 0;
  const bool waits = endpoints_[static_cast<std::size_t>(EndpointKind::flash)]->has_input() || links_.flash_waits();
  watch_.looked(waits);
  return waits;
}

bool SocketOutlet::flash_waits() {
  if (watch_.bytes_since_look() < kLookBytes && ++unlooked_ < kLookMessages) return false;
  return look();
}

void SocketOutlet::committed() {
  watch_.committed();
  // The next question looks: a commit is long.
  unlooked_ = kLookMessages;
}

void SocketOutlet::flash_said(std::size_t events) {
  metrics_.flash_overtaken(watch_.said(), events);
}

}  // namespace lianxi::app
