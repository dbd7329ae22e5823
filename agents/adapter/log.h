// The log of the adapter goes to standard error: lines for people, or an object of JSON a line.
#pragma once

namespace lianxi::adapter {

void start_log(bool json);

}  // namespace lianxi::adapter
