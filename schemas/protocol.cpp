#include "schemas/protocol.h"

#include <algorithm>

#include "schemas/places.h"

namespace lianxi {
namespace {

template <class T>
bool lists(const std::vector<T>& list, const T& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

// In the order of Message's alternatives.
constexpr std::array kTypes{MessageType::hello,      MessageType::welcome, MessageType::publish,  MessageType::answers,
                            MessageType::replicated, MessageType::refused, MessageType::follow,   MessageType::followed,
                            MessageType::deliver,    MessageType::credit,  MessageType::unfollow, MessageType::heartbeat,
                            MessageType::query,      MessageType::answer};
static_assert(kTypes.size() == std::variant_size_v<Message>);

}  // namespace

bool admits(const Filter& filter, const Envelope& envelope) {
  const auto meets = [&](const PlaceCode& place) { return meet(place, envelope.place); };
  return lists(filter.kinds, envelope.kind) && lists(filter.levels, envelope.level) && lists(filter.agencies, envelope.agency) &&
         lists(filter.audiences, envelope.audience) && (filter.places.empty() || std::ranges::any_of(filter.places, meets));
}

MessageType type_of(const Message& message) {
  return kTypes.at(message.index());
}

bool speaks(Speaker speaker, MessageType type) {
  switch (type) {
    case MessageType::hello:
    case MessageType::publish:
    case MessageType::follow:
    case MessageType::credit:
    case MessageType::unfollow:
    case MessageType::query:
      return speaker != Speaker::node;
    case MessageType::welcome:
    case MessageType::answers:
    case MessageType::replicated:
    case MessageType::refused:
    case MessageType::followed:
    case MessageType::deliver:
    case MessageType::answer:
      return speaker != Speaker::client;
    case MessageType::heartbeat:
      return true;
  }
  return false;
}

}  // namespace lianxi
