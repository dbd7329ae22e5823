// Mosquitto: MQTT at QoS 1 with persistence, to a subscriber with a session that is kept.
#include <mosquitto.h>

#include <array>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

constexpr int kAtOnce = 1'000;  // packets of one read
constexpr int kKeepaliveS = 600;

void must(int code, const char* doing) {
  if (code != MOSQ_ERR_SUCCESS) throw std::runtime_error(std::string("mosquitto: ") + doing + ": " + mosquitto_strerror(code));
}

// One MQTT connection, driven by whoever owns it. Derived classes hear of what comes.
class Client {
 public:
  Client(int port, const std::string& name, bool clean) : client_(mosquitto_new(name.c_str(), clean, this)) {
    if (client_ == nullptr) throw std::runtime_error("mosquitto: no memory");
    mosquitto_connect_callback_set(client_, [](mosquitto*, void* self, int code) { static_cast<Client*>(self)->code_ = code; });
    mosquitto_subscribe_callback_set(
        client_, [](mosquitto*, void* self, int, int, const int*) { static_cast<Client*>(self)->subscribed_ = true; });
    mosquitto_publish_callback_set(client_, [](mosquitto*, void* self, int id) { static_cast<Client*>(self)->on_published(id); });
    mosquitto_message_callback_set(client_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Client*>(self)->on_message(
          {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)});
    });
    mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, 65'535);
    must(mosquitto_connect(client_, "127.0.0.1", port, kKeepaliveS), "connect");
    wait([this] { return code_ >= 0; });
    if (code_ != 0) throw std::runtime_error("mosquitto: the connection is refused");
  }
  virtual ~Client() { mosquitto_destroy(client_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

 protected:
  virtual void on_published(int) {}
  virtual void on_message(std::string_view) {}

  void subscribe(const std::string& topic) {
    must(mosquitto_subscribe(client_, nullptr, topic.c_str(), 1), "subscribe");
    wait([this] { return subscribed_; });
  }
  // Reads and writes what can be; waits until `until` for something to read.
  void turn(Clock::time_point until) {
    if (mosquitto_want_write(client_)) must(mosquitto_loop_write(client_, kAtOnce), "write");
    if (wait_readable(mosquitto_socket(client_), until)) must(mosquitto_loop_read(client_, kAtOnce), "read");
    if (mosquitto_want_write(client_)) must(mosquitto_loop_write(client_, kAtOnce), "write");
  }
  mosquitto* client_;

 private:
  template <class Done>
  void wait(const Done& done) {
    const auto until = Clock::now() + kPeerPatience;
    while (!done()) {
      if (Clock::now() > until) throw std::runtime_error("mosquitto: no answer");
      turn(Clock::now() + kConsumerWait);
    }
  }
  int code_ = -1;
  bool subscribed_ = false;
};

class MqttPublisher final : public Publisher, Client {
 public:
  MqttPublisher(int port, std::string topic, std::size_t index, Payloads payloads)
      : Client(port, topic + "-p" + std::to_string(index), true), topic_(std::move(topic)), payloads_(std::move(payloads)) {}
  void send(std::uint64_t number) override {
    const std::string_view bytes = payloads_.bytes(number);
    int id = 0;
    must(mosquitto_publish(client_, &id, topic_.c_str(), static_cast<int>(bytes.size()), bytes.data(), 1, false), "publish");
    number_of_.at(static_cast<std::size_t>(id)) = number;
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) override {
    do {
      turn(until);
      out.insert(out.end(), answers_.begin(), answers_.end());
      answers_.clear();
    } while ((!some || out.empty()) && Clock::now() < until);
  }

 private:
  void on_published(int id) override { answers_.push_back({number_of_.at(static_cast<std::size_t>(id)), Clock::now()}); }
  std::string topic_;
  Payloads payloads_;
  std::array<std::uint64_t, 65'536> number_of_{};
  std::vector<Answer> answers_;
};

class MqttConsumer final : public Consumer, Client {
 public:
  MqttConsumer(int port, const std::string& topic, std::size_t index, Checker& checker)
      : Client(port, topic + "-c" + std::to_string(index), false), checker_(checker) {
    subscribe(topic);
  }
  void step() override { turn(Clock::now() + kConsumerWait); }

 private:
  void on_message(std::string_view bytes) override {
    try {
      checker_.check(bytes);
    } catch (const std::exception& error) {  // not through the library's C
      checker_.fail(error.what());
    }
  }
  Checker& checker_;
};

class Mosquitto final : public Peer {
 public:
  void start() override {
    folder_ = std::make_unique<TempFolder>("lianxi-bench-mosquitto");
    port_ = free_port();
    const std::filesystem::path store = folder_->path() / "store";
    std::filesystem::create_directory(store);
    std::filesystem::permissions(store, std::filesystem::perms::all);
    write_text(folder_->path() / "conf",
               "listener " + std::to_string(port_) + " 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location " +
                   store.string() + "/\nmax_inflight_messages 0\nmax_queued_messages 0\nset_tcp_nodelay true\n");
    process_ = std::make_unique<ChildProcess>(
        Command{{find_program("mosquitto"), "-c", (folder_->path() / "conf").string()}, {}, {}, folder_->path() / "log"});
    process_->wait_for_port(port_, 10);
    static const int once = mosquitto_lib_init();
    (void)once;
  }
  void stop() override {
    process_.reset();
    folder_.reset();
  }
  pid_t pid() const override { return process_->pid(); }
  std::string version() const override { return first_line_of({find_program("mosquitto"), "-h"}); }
  void open_topic(const std::string&, std::size_t) override {}
  std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t index, Payloads payloads,
                                            std::size_t) override {
    return std::make_unique<MqttPublisher>(port_, topic, index, std::move(payloads));
  }
  std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t index, Checker& checker) override {
    return std::make_unique<MqttConsumer>(port_, topic, index, checker);
  }

 private:
  int port_ = 0;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace

PeerSource mosquitto_qos1() {
  return {{"mosquitto_qos1",
           "Mosquitto, QoS 1, persistence",
           {true, false, "persistence true: in memory, written to its file every half hour and at its end (autosave_interval)"}},
          find_program("mosquitto").empty() ? "mosquitto is not installed" : "",
          []() -> std::unique_ptr<Peer> { return std::make_unique<Mosquitto>(); }};
}

}  // namespace lianxi::bench
