// `metrics`: the only HTTP that a node serves: /metrics for Prometheus, /health and /ready for whoever keeps it running.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/net/net_result.h"

namespace lianxi::app {

struct HttpAnswer {
  int status = 200;
  std::string body;
};
struct HttpHandlers {  // each is called on a thread of the server
  std::function<std::string()> metrics;
  std::function<HttpAnswer()> health;  // JSON
  std::function<HttpAnswer()> ready;   // JSON
};

class HttpServer {
 public:
  // `address` is "host:port"; port 0 takes any free one.
  [[nodiscard]] static net::NetResult<std::unique_ptr<HttpServer>> open(const std::string& address, HttpHandlers handlers);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  [[nodiscard]] const std::string& address() const;  // with its real port

 private:
  HttpServer();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::app
