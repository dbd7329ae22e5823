// NATS JetStream with a file store: publishes with a reply subject each and counts the acknowledgements, which is what the
// library's own asynchronous publish does with more bookkeeping; an ordered push consumer follows.
#include <nats/nats.h>

#include <charconv>
#include <cstring>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

void must(natsStatus status, const char* doing) {
  if (status == NATS_OK) return;
  throw std::runtime_error(std::string("nats: ") + doing + ": " + natsStatus_GetText(status));
}

class Connection {
 public:
  explicit Connection(int port) {
    natsOptions* options = nullptr;
    must(natsOptions_Create(&options), "options");
    const std::string url = "nats://127.0.0.1:" + std::to_string(port);
    natsStatus status = natsOptions_SetURL(options, url.c_str());
    if (status == NATS_OK) status = natsConnection_Connect(&connection_, options);
    natsOptions_Destroy(options);
    must(status, "connect");
  }
  ~Connection() { natsConnection_Destroy(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  [[nodiscard]] natsConnection* get() const { return connection_; }

 private:
  natsConnection* connection_ = nullptr;
};

class NatsPublisher final : public Publisher {
 public:
  NatsPublisher(int port, std::string subject, Payloads payloads)
      : connection_(port), subject_(std::move(subject)), payloads_(std::move(payloads)) {
    natsInbox* inbox = nullptr;
    must(natsInbox_Create(&inbox), "inbox");
    inbox_ = std::string(inbox) + ".";
    natsInbox_Destroy(inbox);
    must(natsConnection_Subscribe(&answers_of_, connection_.get(), (inbox_ + "*").c_str(), &on_answer, this), "subscribe");
    must(natsSubscription_SetPendingLimits(answers_of_, -1, -1), "limits");
    must(natsConnection_Flush(connection_.get()), "flush");
  }
  ~NatsPublisher() override {
    natsConnection_Close(connection_.get());
    natsSubscription_Destroy(answers_of_);
  }
  NatsPublisher(const NatsPublisher&) = delete;
  NatsPublisher& operator=(const NatsPublisher&) = delete;

  void send(std::uint64_t number) override {
    const std::string_view bytes = payloads_.bytes(number);
    const std::string reply = inbox_ + std::to_string(number);
    must(natsConnection_PublishRequest(connection_.get(), subject_.c_str(), reply.c_str(), bytes.data(),
                                       static_cast<int>(bytes.size())),
         "publish");
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) override { answers_.collect(out, until, some); }

 private:
  static void on_answer(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
    auto& publisher = *static_cast<NatsPublisher*>(self);
    const std::string_view data(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    const char* subject = natsMsg_GetSubject(message);
    std::uint64_t number = 0;
    std::from_chars(subject + publisher.inbox_.size(), subject + std::strlen(subject), number);
    if (data.find("\"error\"") != std::string_view::npos || data.find("\"seq\"") == std::string_view::npos)
      publisher.answers_.fail("nats: " + std::string(data));
    else
      publisher.answers_.put(number);
    natsMsg_Destroy(message);
  }
  AnswerBox answers_;
  Connection connection_;
  natsSubscription* answers_of_ = nullptr;
  std::string subject_, inbox_;
  Payloads payloads_;
};

class NatsConsumer final : public Consumer {
 public:
  NatsConsumer(int port, const std::string& topic, Checker& checker) : connection_(port), checker_(checker) {
    must(natsConnection_JetStream(&stream_, connection_.get(), nullptr), "JetStream");
    jsSubOptions options;
    must(jsSubOptions_Init(&options), "options");
    options.Ordered = true;
    jsErrCode error{};
    must(js_SubscribeSync(&events_, stream_, (topic + ".*").c_str(), nullptr, &options, &error), "follow");
    must(natsSubscription_SetPendingLimits(events_, -1, -1), "limits");
  }
  ~NatsConsumer() override {
    natsConnection_Close(connection_.get());
    natsSubscription_Destroy(events_);
    jsCtx_Destroy(stream_);
  }
  NatsConsumer(const NatsConsumer&) = delete;
  NatsConsumer& operator=(const NatsConsumer&) = delete;
  void step() override {
    natsMsg* message = nullptr;
    const natsStatus status = natsSubscription_NextMsg(&message, events_, kConsumerWait.count());
    if (status == NATS_TIMEOUT) return;
    must(status, "next event");
    const std::string_view bytes(natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message)));
    checker_.check(bytes);
    natsMsg_Destroy(message);
  }

 private:
  Connection connection_;
  Checker& checker_;
  jsCtx* stream_ = nullptr;
  natsSubscription* events_ = nullptr;
};

class Nats final : public Peer {
 public:
  void start() override {
    folder_ = std::make_unique<TempFolder>("lianxi-bench-nats");
    port_ = free_port();
    process_ =
        std::make_unique<ChildProcess>(Command{{find_program("nats-server"), "-js", "-sd", (folder_->path() / "store").string(),
                                                "-a", "127.0.0.1", "-p", std::to_string(port_)},
                                               {},
                                               {},
                                               folder_->path() / "log"});
    process_->wait_for_port(port_, 10);
  }
  void stop() override {
    process_.reset();
    folder_.reset();
  }
  pid_t pid() const override { return process_->pid(); }
  std::string version() const override { return first_line_of({find_program("nats-server"), "--version"}); }
  void open_topic(const std::string& topic, std::size_t) override {
    const Connection connection(port_);
    jsCtx* stream = nullptr;
    must(natsConnection_JetStream(&stream, connection.get(), nullptr), "JetStream");
    jsStreamConfig config;
    must(jsStreamConfig_Init(&config), "stream");
    const std::string subjects = topic + ".*";
    const char* list[] = {subjects.c_str()};
    config.Name = topic.c_str();
    config.Subjects = list;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    jsErrCode error{};
    const natsStatus status = js_AddStream(nullptr, stream, &config, nullptr, &error);
    jsCtx_Destroy(stream);
    must(status, "add stream");
  }
  std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t index, Payloads payloads,
                                            std::size_t) override {
    return std::make_unique<NatsPublisher>(port_, topic + "." + std::to_string(index), std::move(payloads));
  }
  std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t, Checker& checker) override {
    return std::make_unique<NatsConsumer>(port_, topic, checker);
  }

 private:
  int port_ = 0;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace

PeerSource nats_jetstream() {
  return {{"nats_jetstream", "NATS JetStream, file store", {true, false, "file store; synced every two minutes (sync_interval)"}},
          find_program("nats-server").empty() ? "nats-server is not installed" : "",
          []() -> std::unique_ptr<Peer> { return std::make_unique<Nats>(); }};
}

}  // namespace lianxi::bench
