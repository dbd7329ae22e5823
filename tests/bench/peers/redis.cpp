// Redis Streams: XADD pipelined, XREAD BLOCK. With appendfsync=always Redis writes and syncs its append-only file before it
// answers what one turn of its loop has taken in; with appendfsync=no the kernel syncs when it likes.
#include <hiredis/hiredis.h>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

constexpr int kReadCount = 1'000;  // entries of one XREAD

struct FreeContext {
  void operator()(redisContext* context) const { ::redisFree(context); }
};
using Connection = std::unique_ptr<redisContext, FreeContext>;
struct FreeReply {
  void operator()(redisReply* reply) const { ::freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

Connection connect_to(int port) {
  Connection connection(::redisConnect("127.0.0.1", port));
  if (!connection || connection->err != 0)
    throw std::runtime_error(std::string("redis: ") + (connection ? connection->errstr : "no memory"));
  ::redisEnableKeepAlive(connection.get());
  return connection;
}

[[noreturn]] void broken(const redisContext& connection) {
  throw std::runtime_error(std::string("redis: ") + connection.errstr);
}

class RedisPublisher final : public Publisher {
 public:
  RedisPublisher(int port, std::string topic, Payloads payloads)
      : connection_(connect_to(port)), topic_(std::move(topic)), payloads_(std::move(payloads)) {}
  void send(std::uint64_t number) override {
    const std::string_view bytes = payloads_.bytes(number);
    const char* words[] = {"XADD", topic_.c_str(), "*", "e", bytes.data()};
    const std::size_t sizes[] = {4, topic_.size(), 1, 1, bytes.size()};
    if (::redisAppendCommandArgv(connection_.get(), 5, words, sizes) != REDIS_OK) broken(*connection_);
  }
  void flush() override {
    for (int done = 0; done == 0;)
      if (::redisBufferWrite(connection_.get(), &done) != REDIS_OK) broken(*connection_);
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) override {
    while (wait_readable(connection_->fd, until)) {
      if (::redisBufferRead(connection_.get()) != REDIS_OK) broken(*connection_);
      const auto now = Clock::now();
      for (;;) {
        void* raw = nullptr;
        if (::redisGetReplyFromReader(connection_.get(), &raw) != REDIS_OK) broken(*connection_);
        const Reply reply(static_cast<redisReply*>(raw));
        if (!reply) break;
        if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string("redis: ") + reply->str);
        out.push_back({answered_++, now});
      }
      if (some && !out.empty()) return;
    }
  }

 private:
  Connection connection_;
  std::string topic_;
  Payloads payloads_;
  std::uint64_t answered_ = 0;
};

class RedisConsumer final : public Consumer {
 public:
  RedisConsumer(int port, std::string topic, Checker& checker)
      : connection_(connect_to(port)), topic_(std::move(topic)), checker_(checker) {}
  void step() override {
    const Reply reply(
        static_cast<redisReply*>(::redisCommand(connection_.get(), "XREAD COUNT %d BLOCK %d STREAMS %s %s", kReadCount,
                                                static_cast<int>(kConsumerWait.count()), topic_.c_str(), last_.c_str())));
    if (!reply) broken(*connection_);
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(std::string("redis: ") + reply->str);
    if (reply->type != REDIS_REPLY_ARRAY) return;
    const redisReply& entries = *reply->element[0]->element[1];
    for (std::size_t i = 0; i < entries.elements; ++i) {
      const redisReply& event = *entries.element[i]->element[1]->element[1];
      checker_.check({event.str, event.len});
    }
    if (entries.elements > 0) last_ = entries.element[entries.elements - 1]->element[0]->str;
  }

 private:
  Connection connection_;
  std::string topic_;
  Checker& checker_;
  std::string last_ = "0";
};

class Redis final : public Peer {
 public:
  explicit Redis(bool always) : always_(always) {}
  void start() override {
    folder_ = std::make_unique<TempFolder>("lianxi-bench-redis");
    port_ = free_port();
    const std::string folder = folder_->path().string();
    process_ = std::make_unique<ChildProcess>(
        Command{{find_program("redis-server"), "--port", std::to_string(port_), "--bind", "127.0.0.1", "--dir", folder, "--save",
                 "", "--appendonly", "yes", "--appendfsync", always_ ? "always" : "no", "--auto-aof-rewrite-percentage", "0",
                 "--daemonize", "no", "--pidfile", folder + "/redis.pid"},
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
  std::string version() const override { return first_line_of({find_program("redis-server"), "--version"}); }
  void open_topic(const std::string&, std::size_t) override {}
  std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t, Payloads payloads, std::size_t) override {
    return std::make_unique<RedisPublisher>(port_, topic, std::move(payloads));
  }
  std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t, Checker& checker) override {
    return std::make_unique<RedisConsumer>(port_, topic, checker);
  }

 private:
  bool always_;
  int port_ = 0;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<ChildProcess> process_;
};

std::string missing() {
  return find_program("redis-server").empty() ? "redis-server is not installed" : "";
}

}  // namespace

PeerSource redis_always() {
  return {{"redis_always", "Redis Streams, appendfsync always", {true, true, "appendonly yes, appendfsync always"}},
          missing(),
          []() -> std::unique_ptr<Peer> { return std::make_unique<Redis>(true); }};
}
PeerSource redis_none() {
  return {
      {"redis_none", "Redis Streams, appendfsync no", {true, false, "appendonly yes, appendfsync no: the kernel syncs later"}},
      missing(),
      []() -> std::unique_ptr<Peer> { return std::make_unique<Redis>(false); }};
}

}  // namespace lianxi::bench
