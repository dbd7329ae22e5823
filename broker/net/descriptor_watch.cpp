#include "broker/net/descriptor_watch.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "broker/net/connection_guard.h"

namespace lianxi::net {

namespace {

// Of whatever socket `fd` is now: enough to tell whether it still is a known one.
std::uint64_t cookie_now(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) return 0;
  return cookie;
}

}  // namespace

std::uint64_t connection_cookie(int fd) {
  sockaddr_storage peer{};
  socklen_t peer_size = sizeof peer;
  if (fd < 0 || ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &peer_size) != 0) return 0;
  if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return 0;
  return cookie_now(fd);
}

std::uint64_t bytes_received(int fd) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
  return info.tcpi_bytes_received;
}

std::uint64_t bytes_unread(int fd) {
  int bytes = 0;
  return ::ioctl(fd, SIOCINQ, &bytes) == 0 && bytes > 0 ? static_cast<std::uint64_t>(bytes) : 0;
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

DescriptorWatch::Descriptor& DescriptorWatch::note(int fd, std::uint64_t cookie) {
  const auto [at, fresh] = descriptors_.try_emplace(fd);
  Descriptor& known = at->second;
  if (!fresh && known.cookie == cookie) return known;
  known = Descriptor{};
  known.cookie = cookie;
  known.number = ++opened_;
  known.doubtful = !fresh;
  if (guard_ != nullptr) known.handed = guard_->handed_out(fd, cookie);
  return known;
}

void DescriptorWatch::opened(int fd) {
  const std::uint64_t cookie = connection_cookie(fd);
  if (cookie == 0) {
    // Closed before we looked: its messages may still come out, under a number that may be another's by then.
    const auto found = descriptors_.find(fd);
    if (found == descriptors_.end()) {
      Descriptor& gone = descriptors_[fd];
      gone.closed = gone.told = true;
      ++silent_ends_;
    }
    return;
  }
  Descriptor& known = note(fd, cookie);
  if (known.told) known.doubtful = true;  // told of twice: an earlier connection came and went between two looks
  known.told = true;
}

void DescriptorWatch::yielded(int fd, std::size_t wire_bytes, const std::string& agent) {
  auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) {
    const std::uint64_t cookie = connection_cookie(fd);
    if (cookie == 0) return;
    note(fd, cookie);
    found = descriptors_.find(fd);
  }
  Descriptor& known = found->second;
  known.yielded = true;
  known.handed->bytes.fetch_add(wire_bytes, std::memory_order_relaxed);
  // Of a doubtful one it may be the former connection's.
  if (!known.agent.empty() || known.doubtful) return;
  known.agent = agent;
  if (guard_ != nullptr && !known.closed) guard_->named(fd, known.cookie, agent);
}

void DescriptorWatch::drained() {
  if (drained_) return;
  drained_ = true;
  for (auto& [fd, known] : descriptors_) known.doubtful = false;
}

std::uint64_t DescriptorWatch::sender(int fd) const {
  const auto found = descriptors_.find(fd);
  if (found == descriptors_.end()) return connection_cookie(fd);
  const Descriptor& known = found->second;
  if (known.doubtful || known.closed || connection_cookie(fd) != known.cookie) return 0;
  return known.cookie;
}

bool DescriptorWatch::cut(int fd, Descriptor& known) {
  known.cut = true;
  return cut_connection(fd, known.cookie);
}

void DescriptorWatch::look(int fd, Descriptor& known, WatchCuts& cuts) {
  // An I/O thread that stalls leaves whole messages in the kernel: those are no message without end.
  const std::uint64_t unread = bytes_unread(fd);
  const std::uint64_t received = bytes_received(fd);
  std::uint64_t handed = known.handed->bytes.load(std::memory_order_relaxed);
  if (known.yielded && drained_) {
    // All that was whole at the last sweep is out: what the estimate has not counted was none of a message's bytes.
    handed = std::max(handed, known.sampled_bytes);
  } else if (!known.yielded && drained_ && known.sampled_bytes > handed) {
    // What had come by the last sweep is in no message, though all whole messages were taken out since.
    if (known.sampled_bytes - handed > bounds_.message_bytes && !known.cut && cut(fd, known)) ++cuts.endless;
  }
  handed = std::min(handed, received);
  known.handed->bytes.store(handed, std::memory_order_relaxed);
  known.waiting_bytes = received - handed;
  known.sampled_bytes = received - std::min(received, unread);
  known.yielded = false;
  if (known.waiting_bytes > bounds_.message_bytes / 2) suspicious_ = true;
  waiting_bytes_ += known.waiting_bytes;
}

WatchCuts DescriptorWatch::sweep() {
  WatchCuts cuts;
  suspicious_ = false;
  waiting_bytes_ = 0;
  for (auto it = descriptors_.begin(); it != descriptors_.end();) {
    auto& [fd, known] = *it;
    if (known.closed || cookie_now(fd) != known.cookie) {
      // It is remembered until its last messages are out, so that a newcomer of its number is not taken for their sender.
      const bool over = known.closed && drained_;
      if (!known.closed && known.agent.empty()) ++silent_ends_;
      known.closed = true;
      it = over ? descriptors_.erase(it) : std::next(it);
      continue;
    }
    look(fd, known, cuts);
    ++it;
  }
  bound_waiting(cuts);
  bound_connections(cuts);
  drained_ = false;
  return cuts;
}

// Whoever has the most waiting, over all its connections, loses its largest: a publisher that is a little behind is spared.
void DescriptorWatch::bound_waiting(WatchCuts& cuts) {
  std::uint64_t all = waiting_bytes_;
  if (all > bounds_.waiting_bytes / 2) suspicious_ = true;
  if (all <= bounds_.waiting_bytes) return;
  std::map<std::string, std::vector<Entry>> of_agent;
  std::map<std::string, std::uint64_t> sums;
  for (auto it = descriptors_.begin(); it != descriptors_.end(); ++it) {
    if (it->second.closed || it->second.cut) continue;
    of_agent[it->second.agent].push_back(it);
    sums[it->second.agent] += it->second.waiting_bytes;
  }
  while (all > bounds_.waiting_bytes && !sums.empty()) {
    const auto most =
        std::max_element(sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<Entry>& entries = of_agent[most->first];
    if (entries.empty()) break;
    const auto largest = std::max_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return a->second.waiting_bytes < b->second.waiting_bytes;
    });
    const Entry entry = *largest;
    if (entry->second.waiting_bytes == 0) break;
    if (cut(entry->first, entry->second)) ++cuts.waiting;
    all -= entry->second.waiting_bytes;
    most->second -= entry->second.waiting_bytes;
    entries.erase(largest);
  }
}

// Over an agent's bound its newest connections go. Over the bound of all: first whoever has said nothing, oldest first (an
// honest client speaks at once), then the newest of the agent that has the most.
void DescriptorWatch::bound_connections(WatchCuts& cuts) {
  if (descriptors_.size() > bounds_.connections / 4 * 3) suspicious_ = true;
  if (descriptors_.size() <= std::min(bounds_.connections, bounds_.connections_of_agent)) return;
  std::map<std::string, std::vector<Entry>> of_agent;
  std::size_t open = 0;
  for (auto it = descriptors_.begin(); it != descriptors_.end(); ++it) {
    if (it->second.closed || it->second.cut) continue;
    of_agent[it->second.agent].push_back(it);
    ++open;
  }
  const auto cut_back = [&](std::vector<Entry>& entries) {
    if (cut(entries.back()->first, entries.back()->second)) ++cuts.crowded;
    entries.pop_back();
    --open;
  };
  for (auto& [agent, entries] : of_agent) {
    const bool silent = agent.empty();  // the oldest stands last: it goes first
    std::sort(entries.begin(), entries.end(), [silent](const Entry& a, const Entry& b) {
      return silent ? a->second.number > b->second.number : a->second.number < b->second.number;
    });
    while (!silent && entries.size() > bounds_.connections_of_agent) cut_back(entries);
  }
  for (auto& silent = of_agent[""]; open > bounds_.connections && !silent.empty();) cut_back(silent);
  while (open > bounds_.connections) {
    const auto most = std::max_element(of_agent.begin(), of_agent.end(),
                                       [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
    cut_back(most->second);
  }
}

std::size_t DescriptorWatch::size() const {
  return static_cast<std::size_t>(
      std::count_if(descriptors_.begin(), descriptors_.end(), [](const auto& entry) { return !entry.second.closed; }));
}

std::size_t DescriptorWatch::take_silent_ends() {
  return std::exchange(silent_ends_, 0);
}

void DescriptorWatch::cut_all() {
  for (const auto& [fd, known] : descriptors_) cut_connection(fd, known.cookie);
}

}  // namespace lianxi::net
