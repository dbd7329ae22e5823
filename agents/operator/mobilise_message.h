// What an operator says about a mobilisation, as the message that goes out. Pure: time and the message's id come in.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "agents/operator/say.h"
#include "schemas/queries.h"

namespace lianxi::cli {

// A moment as people type it: an instant, or so long from now.
struct When {
  std::optional<TimeMs> at;
  std::chrono::milliseconds from_now{};
  [[nodiscard]] TimeMs moment(TimeMs now) const { return at.value_or(now + from_now.count()); }
};

// "team:hazmat=2支", "supply:呼吸器=500只", "hazmat=2": a word of the capabilities, else a name.
struct Need {
  std::optional<ResourceType> type;
  std::string what;
  std::int64_t quantity_milli = 0;
  std::string unit;
};
// "361100:resource:team-3=1支"; without a quantity, what the thread says of it.
struct Picked {
  std::string resource;
  std::int64_t quantity_milli = 0;  // 0: not said
  std::string unit;
};

enum class Move : std::uint8_t {
  request,
  offer,        // provisionally; without a thread: unsolicited
  requisition,  // what was offered
  commit,
  decline,
  depart,
  arrive,
  extend,   // asked for by who has it, answered by who owns it
  release,  // by who has it
  return_,  // by who owns it: asked for, under way, or back; by who has it: the answer
  recall,   // an earlier message of one's own counts no more
  ask,      // how the deployment stands
};

struct MobiliseCommand {
  Move move{};
  std::string thread;  // the entity or the originating id in it
  std::vector<Need> needs;
  std::vector<Picked> resources;
  std::string item;  // of the request
  std::vector<RegionCode> to;
  std::string incident, reason, text, address, recalled;
  std::optional<LonLat> location;
  std::optional<When> answer_by, arrive_by, eta, until;
  std::optional<PlaceCode> place;
  Level level{};
  std::optional<Audience> audience;
  Status status = Status::Actual;
  bool asks_back = false, under_way = false;  // of return_
};

struct Speaker {
  RegionCode region;
  std::string agency;
  TimeMs now = 0;
  std::string message_id;  // fresh
};

// The event to publish. `thread`: what the node knows of it, with its messages; null where the command begins one. A refusal
// names the option and says what is missing.
[[nodiscard]] Result<Event> message_of(const MobiliseCommand& command, const MobilisationRow* thread, const Speaker& speaker,
                                       const Say& say);

}  // namespace lianxi::cli
