#include "broker/app/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

namespace lianxi::app {

struct Log::State {
  LogFormat format;
  std::shared_ptr<spdlog::logger> logger;
};

namespace {

// JSON text of a string; bytes that are not UTF-8 become U+FFFD, so that a line is JSON whatever a peer called itself.
std::string json_text(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// A value with blanks, quotes or control characters is quoted, so that a line stays a line.
std::string console_value(const std::string& value) {
  for (const char c : value)
    if (c == ' ' || c == '"' || c == '=' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return json_text(value);
  return value.empty() ? "\"\"" : value;
}

}  // namespace

Log::Log(LogFormat format, const std::string& level) : state_(std::make_unique<State>()) {
  state_->format = format;
  state_->logger = std::make_shared<spdlog::logger>("broker", std::make_shared<spdlog::sinks::stdout_sink_mt>());
  state_->logger->set_pattern(format == LogFormat::json ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                                                        : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v");
  state_->logger->set_level(spdlog::level::from_str(level));
  state_->logger->flush_on(spdlog::level::trace);
}
Log::~Log() = default;

std::string Log::render(LogFormat format, std::string_view event, Fields fields) {
  std::string out;
  if (format == LogFormat::json) {
    out = "\"event\":" + json_text(event);
    for (const auto& [name, value] : fields) {
      out += ',' + json_text(name);
      out += ':' + json_text(value);
    }
    return out;
  }
  out = std::string(event);
  for (const auto& [name, value] : fields) {
    out += ' ';
    out += name;
    out += '=' + console_value(value);
  }
  return out;
}

void Log::debug(std::string_view event, Fields fields) const {
  if (state_->logger->should_log(spdlog::level::debug)) state_->logger->debug("{}", render(state_->format, event, fields));
}
void Log::info(std::string_view event, Fields fields) const {
  state_->logger->info("{}", render(state_->format, event, fields));
}
void Log::warn(std::string_view event, Fields fields) const {
  state_->logger->warn("{}", render(state_->format, event, fields));
}
void Log::error(std::string_view event, Fields fields) const {
  state_->logger->error("{}", render(state_->format, event, fields));
}

}  // namespace lianxi::app
