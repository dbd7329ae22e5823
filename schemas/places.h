// The one rule of place for filters, rights to read, questions and live topics: what is placed above a city strikes the city
// too, so an alert of the province stands in whatever is asked for one of its cities. (A right to publish does not widen so.)
#pragma once

#include "schemas/ids.h"

namespace lianxi {

// True if one of the places is the other or lies below it.
[[nodiscard]] inline bool meet(const PlaceCode& one, const PlaceCode& other) {
  return one.covers(other) || other.covers(one);
}

}  // namespace lianxi
