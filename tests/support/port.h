// A port of loopback for a test: nobody else is given it while this lives, though nobody listens on it yet.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

namespace lianxi::test {

// Bound and never listening: the system gives it to no other socket, nor to an outgoing connection, while whoever sets
// SO_REUSEADDR and names it, as libzmq does, may listen on it.
class Port {
 public:
  Port() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int on = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { ::close(fd_); }
  Port(const Port&) = delete;
  Port& operator=(const Port&) = delete;
  [[nodiscard]] int number() const { return number_; }
  [[nodiscard]] std::string endpoint() const { return "tcp://127.0.0.1:" + std::to_string(number_); }

 private:
  int fd_;
  int number_ = 0;
};

}  // namespace lianxi::test
