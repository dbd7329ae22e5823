#include "tests/bench/peers/lianxi.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <semaphore>

#include "agents/sdk/client.h"

namespace lianxi::bench {
namespace {

std::unique_ptr<sdk::Client> open_client(const sdk::Profile& profile, std::size_t window) {
  auto client = sdk::Client::open(profile, {.max_in_flight = window, .software = "lianxi-bench"});
  if (!client) throw std::runtime_error(client.error().reason);
  if (!(*client)->wait_connected(kPeerPatience)) {
    const auto trouble = (*client)->trouble();
    throw std::runtime_error("the node does not welcome the bench" + (trouble ? ": " + trouble->reason : std::string()));
  }
  return std::move(*client);
}

class OurPublisher final : public Publisher {
 public:
  OurPublisher(const sdk::Profile& profile, Payloads payloads, std::size_t window)
      : payloads_(std::move(payloads)), client_(open_client(profile, window)) {}
  void send(std::uint64_t number) override {
    client_->publish(payloads_.event(number), [this, number](const sdk::Outcome& outcome) {
      outcome ? answers_.put(number) : answers_.fail("the node refused: " + outcome.error().reason);
    });
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) override { answers_.collect(out, until, some); }

 private:
  Payloads payloads_;
  AnswerBox answers_;
  std::unique_ptr<sdk::Client> client_;  // last: its callbacks end first
};

// Sees besides the checker's numbers that each feed is dense. What it does runs on the client's own thread.
class OurConsumer final : public Consumer {
 public:
  OurConsumer(const sdk::Profile& profile, Checker& checker) : checker_(checker), client_(open_client(profile, 1)) {
    sdk::FollowCallbacks on;
    on.started = [this](const Followed&) { started_.release(); };
    on.event = [this](const sdk::Delivery& delivery) { take(delivery); };
    on.refused = [this](const Refusal& refusal) { checker_.fail("the node ended the follow: " + refusal.reason); };
    auto follow = client_->follow({}, std::move(on));
    if (!follow) throw std::runtime_error(follow.error().reason);
    if (!started_.try_acquire_for(kPeerPatience)) throw std::runtime_error("the node does not begin the follow");
  }
  void step() override { (void)idle_.try_acquire_for(kConsumerWait); }  // the client's thread does the work

 private:
  void take(const sdk::Delivery& delivery) {
    try {
      const auto [at, fresh] = next_.try_emplace(delivery.feed, delivery.record.stamp.sequence.value);
      if (at->second != delivery.record.stamp.sequence.value) throw std::runtime_error("a feed is not dense");
      ++at->second;
      checker_.check(delivery.view());
    } catch (const std::exception& error) {
      checker_.fail(error.what());
    }
  }
  Checker& checker_;
  std::map<FeedId, std::uint64_t> next_;
  std::binary_semaphore started_{0};
  std::binary_semaphore idle_{0};
  std::unique_ptr<sdk::Client> client_;
};

std::string http_get(const std::string& address, const std::string& path) {
  const std::size_t colon = address.rfind(':');
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
  ::inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer;
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) {
    const std::string request = "GET " + path + " HTTP/1.0\r\nHost: bench\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
      char part[16'384];
      for (ssize_t got = 0; (got = ::recv(fd, part, sizeof part, 0)) > 0;) answer.append(part, static_cast<std::size_t>(got));
    }
  }
  ::close(fd);
  return answer;
}

}  // namespace

PeerInfo LianxiPeer::info(Security security) {
  const bool plain = security == Security::plain;
  return {plain ? "lianxi" : "lianxi_curve",
          plain ? "lianxi, plain sockets" : "lianxi, CURVE",
          {true, true, "SQLite WAL, synchronous=FULL: receipts leave after the fsync of their batch; hash-chained and sealed"}};
}

void LianxiPeer::start() {
  node_ = std::make_unique<BenchNode>(broker_, security_);
  (void)open_client(node_->profile(), 1);
}
void LianxiPeer::stop() {
  node_.reset();
}
pid_t LianxiPeer::pid() const {
  return node_->pid();
}
std::string LianxiPeer::version() const {
  return first_line_of({broker_.string(), "--version"});
}
void LianxiPeer::open_topic(const std::string&, std::size_t publishers) {
  if (publishers > kBenchAgents) throw std::runtime_error("the bench's node knows fewer publishers");
}
std::unique_ptr<Publisher> LianxiPeer::open_publisher(const std::string&, std::size_t index, Payloads payloads,
                                                      std::size_t window) {
  return make_publisher(node_->publisher(index), std::move(payloads), window);
}
std::unique_ptr<Consumer> LianxiPeer::open_consumer(const std::string&, std::size_t index, Checker& checker) {
  return std::make_unique<OurConsumer>(node_->follower(index), checker);
}

void LianxiPeer::wait_for_view() {
  const auto client = open_client(node_->profile(), 1);
  const auto until = Clock::now() + 3 * kPeerPatience;
  while (Clock::now() < until) {
    const auto answer = client->query(AskStatus{}, std::chrono::seconds(5));
    if (!answer || !*answer) throw std::runtime_error("the node does not tell its status");
    const auto* status = std::get_if<StatusReport>(&answer->value().rows);
    if (status != nullptr && status->view_offset == status->head) return;
  }
  throw std::runtime_error("the view does not come up with the journal");
}

std::optional<double> LianxiPeer::metric(const std::string& name) const {
  const std::string text = http_get(node_->metrics(), "/metrics");
  for (std::size_t at = text.find("\n" + name); at != std::string::npos; at = text.find("\n" + name, at + 1)) {
    const std::size_t after = at + 1 + name.size();
    if (text[after] != ' ' && text[after] != '{') continue;
    return std::stod(text.substr(text.find(' ', after)));
  }
  return std::nullopt;
}

std::unique_ptr<Publisher> make_publisher(const sdk::Profile& profile, Payloads payloads, std::size_t window) {
  return std::make_unique<OurPublisher>(profile, std::move(payloads), window);
}

}  // namespace lianxi::bench
