#include "broker/net/descriptor_watch.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

namespace lianxi::net {

namespace {
std::uint64_t bytes_received(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}
}  // namespace

std::uint64_t connection_cookie(int fd) {
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  if (fd < 0 || ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return 0;
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return 0;
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return 0;
  return cookie;
}

bool cut_connection(int fd, std::uint64_t cookie) {
  if (fd < 0 || cookie == 0) return false;
  const int held = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
  if (held < 0) return false;
  const bool same = connection_cookie(held) == cookie;
  if (same) ::shutdown(held, SHUT_RDWR);
  ::close(held);
  return same;
}

void DescriptorWatch::opened(int fd) {
  const std::uint64_t cookie = connection_cookie(fd);
  if (cookie == 0) return;
  Descriptor& known = descriptors_[fd];
  if (known.cookie != cookie) known = Descriptor{cookie, 0, 0, false};
}

void DescriptorWatch::yielded(int fd) {
  const auto found = descriptors_.find(fd);
  if (found != descriptors_.end()) {
    found->second.yielded = true;
    return;
  }
  opened(fd);
  if (const auto added = descriptors_.find(fd); added != descriptors_.end()) added->second.yielded = true;
}

std::size_t DescriptorWatch::sweep() {
  std::size_t cut = 0;
  suspicious_ = false;
  for (auto it = descriptors_.begin(); it != descriptors_.end();) {
    auto& [fd, known] = *it;
    if (connection_cookie(fd) != known.cookie) {
      it = descriptors_.erase(it);
      continue;
    }
    const std::uint64_t received = bytes_received(fd);
    if (known.yielded) {
      known.baseline_bytes = received;
    } else if (drained_ && known.sampled_bytes > known.baseline_bytes) {
      // What had come by the last sweep is in no message, though all whole messages were taken out since.
      const std::uint64_t unyielded = known.sampled_bytes - known.baseline_bytes;
      if (unyielded > max_unyielded_bytes_ && cut_connection(fd, known.cookie)) ++cut;
    }
    if (received - std::min(received, known.baseline_bytes) > max_unyielded_bytes_ / 2) suspicious_ = true;
    known.sampled_bytes = received;
    known.yielded = false;
    ++it;
  }
  drained_ = false;
  return cut;
}

void DescriptorWatch::cut_all() {
  for (const auto& [fd, known] : descriptors_) cut_connection(fd, known.cookie);
}

}  // namespace lianxi::net
