// Standard input: a record a line, a result a line.
#pragma once

#include <functional>
#include <stop_token>

#include "agents/adapter/adapter.h"

namespace lianxi::adapter {

// Reads `input` to its end or to `stop`, publishes each line and gives each result, in order, as a line of JSON to `print`.
// Lines that are sent and unanswered at `stop` stay in the outbox. `source` is of format jsonl or lianxi.
[[nodiscard]] Tally publish_lines(sdk::Client& client, const formats::Source& source, int input,
                                  const std::function<void(const std::string&)>& print, const std::stop_token& stop);

}  // namespace lianxi::adapter
