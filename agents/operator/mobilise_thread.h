// A mobilisation as the node knows it, found by what an operator calls it.
#pragma once

#include "agents/operator/console.h"

namespace lianxi::cli {

// `name`: the entity, or the id in it (its end is enough if no other open one ends so). With all messages. Of a drill and an
// actual one under the same id, that of `status` is taken. What goes wrong is told, and the exit status returned.
[[nodiscard]] Result<MobilisationRow, Exit> find_thread(sdk::Client& client, const Common& common, const Console& console,
                                                        const std::string& name, Status status);

}  // namespace lianxi::cli
