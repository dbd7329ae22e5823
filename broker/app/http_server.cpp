#include "broker/app/http_server.h"

#include <arpa/inet.h>
#include <civetweb.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstring>
#include <thread>

namespace lianxi::app {

struct HttpServer::State {
  HttpHandlers handlers;
  std::string address;
  mg_context* context = nullptr;
};

namespace {

void write_answer(mg_connection* connection, const char* type, const HttpAnswer& answer) {
  const std::string head = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n",
      answer.status, answer.status == 200 ? "OK" : "Service Unavailable", type, answer.body.size());
  mg_write(connection, head.data(), head.size());
  mg_write(connection, answer.body.data(), answer.body.size());
}

int serve(mg_connection* connection, void* data) {
  const auto& handlers = *static_cast<const HttpHandlers*>(data);
  const mg_request_info* request = mg_get_request_info(connection);
  const std::string_view path = request->local_uri == nullptr ? "" : request->local_uri;
  if (path == "/metrics") {
    write_answer(connection, "text/plain; version=0.0.4; charset=utf-8", {200, handlers.metrics()});
    return 200;
  }
  if (path == "/health" || path == "/ready") {
    const HttpAnswer answer = path == "/health" ? handlers.health() : handlers.ready();
    write_answer(connection, "application/json", answer);
    return answer.status;
  }
  mg_send_http_error(connection, 404, "%s", "only /metrics, /health and /ready");
  return 404;
}

sockaddr_in parse_address(const std::string& address) {
  const auto colon = address.rfind(':');
  sockaddr_in parsed{};
  parsed.sin_family = AF_INET;
  if (::inet_pton(AF_INET, address.substr(0, colon).c_str(), &parsed.sin_addr) != 1) parsed.sin_family = AF_UNSPEC;
  parsed.sin_port = htons(static_cast<std::uint16_t>(std::strtoul(address.c_str() + colon + 1, nullptr, 10)));
  return parsed;
}

// civetweb reports a failed bind only to its log: keep its words.
int keep_message(const mg_connection*, const char*) {
  return 1;
}

// Why an address cannot be bound: civetweb does not say.
int bind_error(const std::string& address) {
  const sockaddr_in wanted = parse_address(address);
  if (wanted.sin_family != AF_INET) return EINVAL;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  int error = ::bind(fd, reinterpret_cast<const sockaddr*>(&wanted), sizeof wanted) == 0 ? 0 : errno;
  if (error == 0 && ::listen(fd, 1) != 0) error = errno;
  ::close(fd);
  return error;
}

}  // namespace

HttpServer::HttpServer() : state_(std::make_unique<State>()) {}

net::NetResult<std::unique_ptr<HttpServer>> HttpServer::open(const std::string& address, HttpHandlers handlers) {
  std::unique_ptr<HttpServer> server(new HttpServer());
  State& state = *server->state_;
  state.handlers = std::move(handlers);
  mg_callbacks callbacks{};
  callbacks.log_message = keep_message;
  const std::array<const char*, 13> options = {"listening_ports",
                                               address.c_str(),
                                               "num_threads",
                                               "2",
                                               "request_timeout_ms",
                                               "5000",
                                               "enable_keep_alive",
                                               "no",
                                               "connection_queue",
                                               "8",
                                               "tcp_nodelay",
                                               "1",
                                               nullptr};
  state.context = mg_start(&callbacks, nullptr, const_cast<const char**>(options.data()));
  if (state.context == nullptr) {
    const int error = bind_error(address);
    return tl::unexpected(net::NetFailure{
        error == EADDRINUSE ? net::NetError::address_in_use : net::NetError::bad_endpoint,
        error == EADDRINUSE
            ? fmt::format("metrics cannot listen on {}: another process uses the port; stop it or change metrics in [endpoints]",
                          address)
            : fmt::format("metrics cannot listen on {}: {}; write [endpoints] metrics as \"127.0.0.1:<port>\"", address,
                          std::strerror(error))});
  }
  mg_server_port port{};
  mg_get_server_ports(state.context, 1, &port);
  state.address = fmt::format("{}:{}", address.substr(0, address.rfind(':')), port.port);
  mg_set_request_handler(state.context, "/", serve, &state.handlers);
  return server;
}

// civetweb looks at its stop flag only when its listener wakes, every two seconds: wake it, or a restart takes as long.
HttpServer::~HttpServer() {
  if (state_->context == nullptr) return;
  std::atomic<bool> stopped{false};
  std::thread waker([&stopped, address = parse_address(state_->address)] {
    while (!stopped) {
      const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      (void)::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
      ::close(fd);
      ::poll(nullptr, 0, 10);
    }
  });
  mg_stop(state_->context);
  stopped = true;
  waker.join();
}

const std::string& HttpServer::address() const {
  return state_->address;
}

}  // namespace lianxi::app
