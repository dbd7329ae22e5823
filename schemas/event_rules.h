// Rules of form that hold for an event whoever publishes it: ranges, words, CAP 1.2's own rules. Pure. A refusal names the
// field by its path (`infos[0].areas[1].polygons[0]`) and says how to mend it.
#pragma once

#include "schemas/event.h"

namespace lianxi {

[[nodiscard]] Result<void> check_envelope(const Envelope& envelope);
// The body by its kind, and that the entity's name is the one its body gives. The envelope must have passed.
[[nodiscard]] Result<void> check_body(const Event& event);

}  // namespace lianxi
