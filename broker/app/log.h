// What the node says about itself: one line an event, for a person's console or as JSON for a collector.
//
//   log.info("ready", {{"flash", endpoint}});
//     2020-11-09T08:31:05.123+08:00 info  ready flash=tcp://127.0.0.1:40001
//     {"time":"2020-11-09T08:31:05.123+0800","level":"info","event":"ready","flash":"tcp://127.0.0.1:40001"}
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "broker/app/config.h"

namespace lianxi::app {

// Any thread. A line stands in the output when the call returns.
class Log {
 public:
  using Fields = std::initializer_list<std::pair<std::string_view, std::string>>;
  // To standard output.
  Log(LogFormat format, const std::string& level);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void debug(std::string_view event, Fields fields = {}) const;
  void info(std::string_view event, Fields fields = {}) const;
  void warn(std::string_view event, Fields fields = {}) const;
  void error(std::string_view event, Fields fields = {}) const;

  // The part of a line behind time and level; for tests.
  [[nodiscard]] static std::string render(LogFormat format, std::string_view event, Fields fields);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::app
