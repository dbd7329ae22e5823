// The bare proxy of libzmq, XSUB in front and XPUB behind, two I/O threads: what fan-out costs where nothing is stored and
// nobody answers. Neither side drops, so that a slow subscriber slows the publisher and every event arrives.
#include <zmq.hpp>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

constexpr int kIoThreads = 2;
constexpr std::size_t kProbeBytes = 1;  // a message before the first event, by which a subscriber knows that it hears

std::string endpoint_of(int port) {
  return "tcp://127.0.0.1:" + std::to_string(port);
}

class ProxySubscriber final : public Consumer {
 public:
  ProxySubscriber(zmq::context_t& context, int port, Checker& checker, std::atomic<int>& hearing)
      : socket_(context, zmq::socket_type::sub), checker_(checker), hearing_(hearing) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::subscribe, "");
    socket_.connect(endpoint_of(port));
  }
  void step() override {
    if (!wait_readable_socket()) return;
    for (zmq::message_t message; socket_.recv(message, zmq::recv_flags::dontwait);) {
      if (message.size() > kProbeBytes) {
        checker_.check({static_cast<const char*>(message.data()), message.size()});
      } else if (!hears_) {
        hears_ = true;
        ++hearing_;
      }
    }
  }

 private:
  bool wait_readable_socket() {
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    return zmq::poll(&item, 1, kConsumerWait) > 0;
  }
  zmq::socket_t socket_;
  Checker& checker_;
  std::atomic<int>& hearing_;
  bool hears_ = false;
};

// What is sent counts as answered: there is no more to know.
class ProxyPublisher final : public Publisher {
 public:
  ProxyPublisher(zmq::context_t& context, int port, Payloads payloads)
      : socket_(context, zmq::socket_type::xpub), payloads_(std::move(payloads)) {
    socket_.set(zmq::sockopt::linger, -1);
    socket_.set(zmq::sockopt::xpub_nodrop, true);
    socket_.connect(endpoint_of(port));
    zmq::message_t subscription;
    socket_.set(zmq::sockopt::rcvtimeo, static_cast<int>(std::chrono::milliseconds(kPeerPatience).count()));
    if (!socket_.recv(subscription)) throw std::runtime_error("the proxy passes no subscription on");
  }
  void probe() { socket_.send(zmq::str_buffer(""), zmq::send_flags::none); }
  void send(std::uint64_t number) override {
    const std::string_view bytes = payloads_.bytes(number);
    socket_.send(zmq::buffer(bytes), zmq::send_flags::none);
    sent_.push_back(number);
  }
  void collect(std::vector<Answer>& out, Clock::time_point, bool) override {
    const auto now = Clock::now();
    for (const std::uint64_t number : sent_) out.push_back({number, now});
    sent_.clear();
  }

 private:
  zmq::socket_t socket_;
  Payloads payloads_;
  std::vector<std::uint64_t> sent_;
};

class ZmqProxy final : public Peer {
 public:
  void start() override {
    folder_ = std::make_unique<TempFolder>("lianxi-bench-proxy");
    front_ = free_port();
    back_ = free_port();
    const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
    process_ = std::make_unique<ChildProcess>(
        Command{{self, "proxy", std::to_string(front_), std::to_string(back_)}, {}, {}, folder_->path() / "log"});
    process_->wait_for_port(front_, 10);
    process_->wait_for_port(back_, 10);
    context_ = std::make_unique<zmq::context_t>(kIoThreads);
  }
  void stop() override {
    process_.reset();
    context_.reset();
    folder_.reset();
  }
  pid_t pid() const override { return process_->pid(); }
  std::string version() const override {
    const auto [major, minor, patch] = zmq::version();
    return "libzmq " + std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  }
  void open_topic(const std::string&, std::size_t) override {
    publishers_.clear();
    subscribers_ = 0;
    hearing_ = 0;
  }
  std::unique_ptr<Publisher> open_publisher(const std::string&, std::size_t, Payloads payloads, std::size_t) override {
    auto publisher = std::make_unique<ProxyPublisher>(*context_, front_, std::move(payloads));
    publishers_.push_back(publisher.get());
    return publisher;
  }
  std::unique_ptr<Consumer> open_consumer(const std::string&, std::size_t, Checker& checker) override {
    ++subscribers_;
    return std::make_unique<ProxySubscriber>(*context_, back_, checker, hearing_);
  }
  // Until every subscriber has heard a probe.
  void settle() override {
    const auto until = Clock::now() + kPeerPatience;
    while (hearing_ < subscribers_) {
      if (Clock::now() > until) throw std::runtime_error("a subscriber hears nothing through the proxy");
      for (ProxyPublisher* publisher : publishers_) publisher->probe();
      (void)wait_readable(-1, Clock::now() + std::chrono::milliseconds(1));
    }
  }

 private:
  int front_ = 0, back_ = 0;
  int subscribers_ = 0;
  std::atomic<int> hearing_{0};
  std::vector<ProxyPublisher*> publishers_;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<zmq::context_t> context_;
};

}  // namespace

PeerSource zmq_proxy_peer() {
  return {{"zmq_proxy", "libzmq XSUB/XPUB proxy", {false, false, "stores nothing, answers nothing"}},
          "",
          []() -> std::unique_ptr<Peer> { return std::make_unique<ZmqProxy>(); }};
}

int run_zmq_proxy(int front, int back) {
  zmq::context_t context(kIoThreads);
  zmq::socket_t in(context, zmq::socket_type::xsub);
  zmq::socket_t out(context, zmq::socket_type::xpub);
  out.set(zmq::sockopt::xpub_nodrop, true);
  in.bind(endpoint_of(front));
  out.bind(endpoint_of(back));
  zmq::proxy(in, out);
  return 0;
}

}  // namespace lianxi::bench
