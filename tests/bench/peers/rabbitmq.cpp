// RabbitMQ: one quorum queue, publisher confirms, a consumer without acknowledgements of its own. The Erlang port mapper
// that it needs is one of ours, on a port of its own.
#include <amqp.h>
#include <amqp_tcp_socket.h>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

constexpr amqp_channel_t kChannel = 1;

void must(bool good, const char* doing) {
  if (!good) throw std::runtime_error(std::string("rabbitmq: ") + doing + " failed");
}

timeval time_left(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::microseconds>(until - Clock::now()).count();
  if (left <= 0) return {0, 0};
  return {left / 1'000'000, left % 1'000'000};
}

class Connection {
 public:
  explicit Connection(int port) : state_(amqp_new_connection()) {
    amqp_socket_t* socket = amqp_tcp_socket_new(state_);
    must(socket != nullptr && amqp_socket_open(socket, "127.0.0.1", port) == AMQP_STATUS_OK, "connect");
    constexpr int kFrameMax = 131'072;
    must(amqp_login(state_, "/", 0, kFrameMax, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest").reply_type == AMQP_RESPONSE_NORMAL,
         "login");
    must(amqp_channel_open(state_, kChannel) != nullptr, "channel");
  }
  ~Connection() { amqp_destroy_connection(state_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  [[nodiscard]] amqp_connection_state_t get() const { return state_; }
  // Something to read, here or on its way.
  [[nodiscard]] bool readable(Clock::time_point until) const {
    return amqp_frames_enqueued(state_) != 0 || amqp_data_in_buffer(state_) != 0 || wait_readable(amqp_get_sockfd(state_), until);
  }

 private:
  amqp_connection_state_t state_;
};

class RabbitPublisher final : public Publisher {
 public:
  RabbitPublisher(int port, std::string topic, Payloads payloads, std::size_t window)
      : connection_(port), topic_(std::move(topic)), payloads_(std::move(payloads)), open_(2 * window, false) {
    must(amqp_confirm_select(connection_.get(), kChannel) != nullptr, "confirm.select");
    properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties_.delivery_mode = AMQP_DELIVERY_PERSISTENT;
  }
  void send(std::uint64_t number) override {
    const std::string_view bytes = payloads_.bytes(number);
    const amqp_bytes_t body{bytes.size(), const_cast<char*>(bytes.data())};
    must(amqp_basic_publish(connection_.get(), kChannel, amqp_empty_bytes, amqp_cstring_bytes(topic_.c_str()), 0, 0, &properties_,
                            body) == AMQP_STATUS_OK,
         "publish");
    open_[number % open_.size()] = true;
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) override {
    while (connection_.readable(until)) {
      do {
        take(out);
      } while (connection_.readable({}));
      amqp_maybe_release_buffers(connection_.get());
      if (some && !out.empty()) return;
    }
  }

 private:
  void take(std::vector<Answer>& out) {
    amqp_frame_t frame;
    const timeval now{0, 0};
    const int status = amqp_simple_wait_frame_noblock(connection_.get(), &frame, &now);
    if (status == AMQP_STATUS_TIMEOUT) return;
    must(status == AMQP_STATUS_OK && frame.frame_type == AMQP_FRAME_METHOD && frame.payload.method.id == AMQP_BASIC_ACK_METHOD,
         "confirm");
    const auto* ack = static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
    const std::uint64_t number = ack->delivery_tag - 1;  // tags count from 1
    const auto at = Clock::now();
    for (std::uint64_t i = ack->multiple != 0 ? oldest_ : number; i <= number; ++i) {
      if (!open_[i % open_.size()]) continue;
      open_[i % open_.size()] = false;
      out.push_back({i, at});
    }
    if (ack->multiple != 0) oldest_ = number + 1;
  }
  Connection connection_;
  std::string topic_;
  Payloads payloads_;
  std::vector<bool> open_;  // unanswered, by number
  std::uint64_t oldest_ = 0;
  amqp_basic_properties_t properties_{};
};

class RabbitConsumer final : public Consumer {
 public:
  RabbitConsumer(int port, const std::string& topic, Checker& checker) : connection_(port), checker_(checker) {
    must(amqp_basic_consume(connection_.get(), kChannel, amqp_cstring_bytes(topic.c_str()), amqp_empty_bytes, 0, 1, 0,
                            amqp_empty_table) != nullptr,
         "consume");
  }
  void step() override {
    const timeval time = time_left(Clock::now() + kConsumerWait);
    amqp_envelope_t envelope;
    const amqp_rpc_reply_t reply = amqp_consume_message(connection_.get(), &envelope, &time, 0);
    if (reply.reply_type == AMQP_RESPONSE_NORMAL) {
      checker_.check({static_cast<const char*>(envelope.message.body.bytes), envelope.message.body.len});
      amqp_destroy_envelope(&envelope);
    } else {
      must(reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION && reply.library_error == AMQP_STATUS_TIMEOUT, "consume");
    }
    amqp_maybe_release_buffers(connection_.get());
  }

 private:
  Connection connection_;
  Checker& checker_;
};

// The script beside the library: the one in PATH insists on a user of its own.
std::string server_script() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/rabbitmq/lib", error)) {
    const std::filesystem::path script = entry.path() / "sbin" / "rabbitmq-server";
    if (std::filesystem::exists(script, error)) return script.string();
  }
  return {};
}

class RabbitMq final : public Peer {
 public:
  void start() override {
    folder_ = std::make_unique<TempFolder>("lianxi-bench-rabbitmq");
    port_ = free_port();
    const int mapper_port = free_port();
    const std::string folder = folder_->path().string();
    mapper_ = std::make_unique<ChildProcess>(
        Command{{find_program("epmd"), "-port", std::to_string(mapper_port), "-address", "127.0.0.1"},
                {},
                {},
                folder_->path() / "epmd.log"});
    mapper_->wait_for_port(mapper_port, 10);
    write_text(folder_->path() / "rabbitmq.conf",
               "listeners.tcp.1 = 127.0.0.1:" + std::to_string(port_) + "\nlog.file.level = error\n");
    write_text(folder_->path() / "plugins", "[].\n");
    const std::map<std::string, std::string> env = {
        {"HOME", folder},
        {"RABBITMQ_NODENAME", "bench" + std::to_string(port_) + "@localhost"},
        {"RABBITMQ_MNESIA_BASE", folder + "/mnesia"},
        {"RABBITMQ_LOG_BASE", folder + "/log"},
        {"RABBITMQ_CONFIG_FILE", folder + "/rabbitmq.conf"},
        {"RABBITMQ_ADVANCED_CONFIG_FILE", folder + "/none"},
        {"RABBITMQ_CONF_ENV_FILE", folder + "/none.conf"},
        {"RABBITMQ_ENABLED_PLUGINS_FILE", folder + "/plugins"},
        {"RABBITMQ_PID_FILE", folder + "/pid"},
        {"RABBITMQ_DIST_PORT", std::to_string(free_port())},
        {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}"},
        {"ERL_EPMD_PORT", std::to_string(mapper_port)},
        {"ERL_EPMD_ADDRESS", "127.0.0.1"}};
    process_ = std::make_unique<ChildProcess>(Command{{server_script()}, env, {}, folder_->path() / "out"});
    process_->wait_for_port(port_, 180);
  }
  void stop() override {
    process_.reset();
    mapper_.reset();
    folder_.reset();
  }
  pid_t pid() const override { return process_->pid(); }
  std::string version() const override {
    return std::filesystem::path(server_script()).parent_path().parent_path().filename().string();
  }
  void open_topic(const std::string& topic, std::size_t) override {
    const Connection connection(port_);
    amqp_table_entry_t entry;
    entry.key = amqp_cstring_bytes("x-queue-type");
    entry.value.kind = AMQP_FIELD_KIND_UTF8;
    entry.value.value.bytes = amqp_cstring_bytes("quorum");
    must(amqp_queue_declare(connection.get(), kChannel, amqp_cstring_bytes(topic.c_str()), 0, 1, 0, 0, {1, &entry}) != nullptr,
         "declare");
  }
  std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t, Payloads payloads,
                                            std::size_t window) override {
    return std::make_unique<RabbitPublisher>(port_, topic, std::move(payloads), window);
  }
  std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t, Checker& checker) override {
    return std::make_unique<RabbitConsumer>(port_, topic, checker);
  }

 private:
  int port_ = 0;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<ChildProcess> mapper_, process_;
};

std::string missing() {
  if (server_script().empty()) return "rabbitmq-server is not installed";
  return find_program("epmd").empty() ? "epmd is not installed" : "";
}

}  // namespace

PeerSource rabbitmq_quorum() {
  return {{"rabbitmq_quorum",
           "RabbitMQ, quorum queue, confirms",
           {true, true, "a quorum queue confirms what its Raft log has synced (one node: a quorum of one)"}},
          missing(),
          []() -> std::unique_ptr<Peer> { return std::make_unique<RabbitMq>(); }};
}

}  // namespace lianxi::bench
