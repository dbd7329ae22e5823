#include "agents/adapter/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "schemas/ids.h"

namespace lianxi::adapter {
namespace {

class JsonLines : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& to) override {
    using Json = nlohmann::ordered_json;
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(message.time.time_since_epoch());
    const auto level = spdlog::level::to_string_view(message.level);
    const Json json{{"time", to_iso8601(at.count())},
                    {"level", std::string(level.data(), level.size())},
                    {"message", std::string(message.payload.data(), message.payload.size())}};
    const std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    to.append(line.data(), line.data() + line.size());
  }
  [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonLines>(); }
};

}  // namespace

void start_log(bool json) {
  auto logger = spdlog::stderr_color_mt("lianxi-agent");
  if (json) {
    logger->set_formatter(std::make_unique<JsonLines>());
  } else {
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  }
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace lianxi::adapter
