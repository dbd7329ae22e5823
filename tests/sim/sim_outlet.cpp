#include "tests/sim/sim_outlet.h"

#include "schemas/codec/event_codec.h"
#include "schemas/codec/packing.h"

namespace lianxi::sim {
namespace {

std::string word_of(const Message& message) {
  if (std::holds_alternative<Answers>(message)) return "answers";
  if (const auto* deliver = std::get_if<Deliver>(&message))
    return "a delivery up to offset " + std::to_string(deliver->next.value) + " of " + std::to_string(deliver->segments.size()) +
           " bytes";
  if (const auto* unfollow = std::get_if<Unfollow>(&message)) return "unfollow: " + unfollow->reason;
  return "message type " + std::to_string(message.index());
}

}  // namespace

app::SendResult SimOutlet::answer(const core::Connection& to, const Message& message) {
  // A follow whose events cannot be read back ends when that is known.
  return say(to, message, !std::holds_alternative<Unfollow>(message));
}

app::SendResult SimOutlet::deliver(const core::Connection& to, const app::DeliveryHead& head,
                                   const std::shared_ptr<const Bytes>& segments) {
  const auto guest = parts_.guests.find(to);
  if (guest != parts_.guests.end()) check_guest(guest->second, *segments);
  if (!segments->empty() && !parts_.is_member(to))
    parts_.world.fail("promise 3: " + parts_.network.name_of(parts_.host) + " sends events to the node of who is no member");
  if (head.packed && unpack(*head.packed) != *segments)
    parts_.world.fail("promise 8: a compressed delivery to " + parts_.network.name_of(parts_.host) +
                      "'s peer is another when unpacked");
  // What is read back from the disk comes when it is read.
  const bool live = !parts_.live.insert({to, head.follow}).second;
  if (!head.caught_up) parts_.live.erase({to, head.follow});
  const app::SendResult said = say(to, Message(Deliver{head.follow, head.next, head.caught_up, *segments}), live);
  // It stays behind, perhaps for longer than memory holds what it lacks.
  if (said == app::SendResult::full) parts_.live.erase({to, head.follow});
  return said;
}

bool SimOutlet::is_flash(const core::Connection& to) const {
  return to.socket == 0 && !parts_.flash_behind_bulk;
}

bool SimOutlet::flash_waits() {
  if (parts_.flash_behind_bulk) return false;
  flash_waited_ = parts_.flash_waits();
  return flash_waited_;
}

void SimOutlet::committing() {
  open_commit_ = true;
  parts_.committing();
}

app::SendResult SimOutlet::say(const core::Connection& to, const Message& message, bool in_order) {
  if (open_commit_) parts_.world.fail("promise 1: " + parts_.network.name_of(parts_.host) + " speaks before it is on disk");
  if (!parts_.fuse.burn()) return app::SendResult::gone;
  check_order(to, message, in_order);
  return parts_.network.answer(parts_.host, to, message);
}

void SimOutlet::check_order(const core::Connection& to, const Message& message, bool in_order) {
  const std::string& name = parts_.network.name_of(parts_.host);
  if (to.socket != 0) {
    if (flash_waited_) parts_.world.fail("promise 4: a flash message waits, and " + name + " goes on with other lanes");
    other_said_ = true;
  } else if (other_said_ && in_order) {
    parts_.world.fail("promise 4: " + name + " says what is of the flash lane behind other lanes: " + word_of(message));
  }
}

void SimOutlet::check_guest(const core::Agent& guest, const Bytes& segments) {
  const auto parsed = parse_segments(segments);
  if (!parsed) return parts_.world.fail("promise 8: a delivery to " + guest.id.text() + " cannot be read");
  for (const Segment& segment : *parsed) {
    for (const RecordView& record : segment.records()) {
      const Result<Event> event = decode_event(record.body);
      if (!event || parts_.policy.may_follow(guest, event->envelope)) continue;
      return parts_.world.fail("promise 3: " + guest.id.text() + " is sent " + to_text(segment.info().feed) + " " +
                               std::to_string(record.stamp.sequence.value) + ", which its rights do not admit");
    }
  }
}

}  // namespace lianxi::sim
