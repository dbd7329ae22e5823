// What the messages of one mobilisation add up to: what is asked for, who has answered, what is promised, where it is. The same
// for rules, view and questions. Pure, and a function of the set of messages: each region's own are taken in the order of its
// decisions, and a requester's word counts for a promise that was made before it.
#pragma once

#include <map>
#include <span>

#include "schemas/mobilisation_rows.h"

namespace lianxi {

struct ThreadSaid {
  RegionCode region;         // of the node that accepted it
  std::int64_t version = 0;  // (epoch, ordinal) as one number
  Hlc time;
  const Mobilisation* message = nullptr;  // borrowed for the call
};

struct ThreadHolding {
  HoldingRow row;
  bool committed = false;   // its owner has committed it, and has it back not yet
  bool lapses = false;      // it holds until row.until and not behind it: a promise that is not a commitment
  Hlc taken_at;             // of the message that promised or offered it
  std::string promised_by;  // that message's id
  [[nodiscard]] bool holds_at(TimeMs now) const { return row.held && !(lapses && row.until && *row.until <= now); }
};

struct ThreadAnswer {
  TimeMs at = 0;
  bool declined = false;
  std::string reason;
};

struct Thread {
  const Mobilisation* first = nullptr;    // what began it; none: it has not come
  const Mobilisation* request = nullptr;  // as updated last
  bool offer = false;                     // it began with an offer
  bool withdrawn = false;                 // its home has recalled what began it
  bool over = false;
  MobilisationState state = MobilisationState::requested;
  TimeMs updated_at = 0;
  std::vector<NeedRow> needs;
  std::vector<ThreadHolding> holdings;  // by region, resource and item
  std::map<RegionCode, ThreadAnswer> answers;
};

// `home`: of the thread's entity. What a region says of another region's resource counts for nothing.
[[nodiscard]] Thread add_up(RegionCode home, std::span<const ThreadSaid> said);

// The item that was asked for and that this one is about: what it names, or the only one there is.
[[nodiscard]] std::string_view need_of(const Mobilisation& message, const MobilisationItem& item, const Mobilisation* request);
// The owner's word that it gives, or holds, something.
[[nodiscard]] bool takes(const Mobilisation& message, const MobilisationItem& item);
// Behind departure and before the return.
[[nodiscard]] constexpr bool is_out(MobilisationState state) {
  return state >= MobilisationState::departed && state < MobilisationState::returned;
}
[[nodiscard]] std::optional<TimeMs> when(const MobilisationItem& item, std::initializer_list<ScheduleType> types);

}  // namespace lianxi
