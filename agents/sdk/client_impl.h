// The client behind client.h: caller side in client.cpp, I/O thread in client_io.cpp.
#pragma once

#include <poll.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "agents/sdk/client.h"
#include "agents/sdk/follower.h"
#include "agents/sdk/outbox.h"
#include "agents/sdk/publisher.h"
#include "agents/sdk/query_line.h"
#include "agents/sdk/store_queue.h"
#include "agents/sdk/waiters.h"
#include "agents/sdk/wake_fd.h"

namespace lianxi::sdk {

[[nodiscard]] SessionId random_session();

class ClientImpl final : public Client {
 public:
  ClientImpl(const Profile& profile, ClientOptions options, std::unique_ptr<Outbox> outbox);
  ~ClientImpl() override;

  std::future<Outcome> publish(const Event& event) override;
  void publish(const Event& event, std::function<void(const Outcome&)> done) override;
  Published publish(const Event& event, const PublishOptions& options) override;
  void publish(const Event& event, const PublishOptions& options, std::function<void(const Outcome&)> done,
               std::function<void(const Result<Replication>&)> replicated) override;
  void publish(std::span<const Event> events, EachDone done) override;
  void publish_async(std::span<const Event> events, EachDone done) override;
  std::future<Outcome> publish_once(const Event& event, std::string_view key) override;
  void forget_keys(std::string_view prefix) override;
  std::size_t pending() const override;
  Result<SessionId> follow(const FollowOptions& options, FollowCallbacks callbacks) override;
  void unfollow(SessionId follow) override;
  void done_with(SessionId follow, Offset below) override;
  EventStream events(const FollowOptions& options) override;
  QueryResult query(const Ask& ask, std::chrono::milliseconds timeout, Offset after_offset) override;
  bool wait_connected(std::chrono::milliseconds timeout) override;
  std::optional<Welcome> welcome() const override;
  std::optional<Refusal> trouble() const override;
  std::optional<Refusal> held_back() const override;

 private:
  struct Publishing {  // a connection that carries publishes
    LaneMask lanes = 0;
    std::unique_ptr<Channel> channel;
    bool welcomed = false;
    std::int64_t hello_at_ms = 0;  // when to say Hello (again); 0: said, or not up
  };

  // Caller side.
  void store(const Event& event, Waiter waiter, const PublishOptions& options = {}, PeerAcks::Done replicated = {});
  void store_once(const Event& event, const std::string& key, Waiter waiter);
  void store_many(std::span<const Event> events, EachDone done, bool async);
  void hand_over(std::span<NewEvent> events, std::span<const std::size_t> index, const std::shared_ptr<const EachDone>& done,
                 bool async);
  StoreQueue* store_queue();
  void stored();
  void not_stored(Lane lane, Ticket ticket, const Refusal& refusal);
  void tell_later(Waiter waiter, Outcome outcome);  // on the I/O thread
  void post(std::function<void()> task);
  void wake();

  // I/O thread.
  void run();
  void run_tasks();
  void turn();
  void wait();
  void note_ready();
  void begin_publishing();
  void pump();
  void on_publish_message(Publishing& connection, const Message& message);
  void on_hello_refused(Publishing& connection, const Refusal& refusal);
  void say_hello(Publishing& connection);
  void hello_everywhere();
  void flush_outbox();
  void answer(Lane lane, std::span<const Ticket> tickets, const Outcome& first);
  void tell_of_no_peers(std::span<const Ticket> tickets, const Outcome& outcome);
  void note_trouble();
  void end();

  Profile profile_;
  ClientOptions options_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<zmq::context_t> context_;
  QueryLine query_line_;
  WakeFd wake_;

  std::mutex tasks_mutex_;
  std::vector<std::function<void()>> tasks_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> posted_{false};            // something was handed over since the I/O thread began its turn
  std::atomic<bool> sleeping_{false};          // it waits, or is about to, and must be woken
  std::atomic<bool> wants_publishing_{false};  // who only asks and follows needs no session at the node

  Waiters waiters_;
  PeerAcks acks_;
  std::mutex storing_mutex_;
  bool storing_ended_ = false;
  std::unique_ptr<StoreQueue> storing_;  // with a durable outbox, from the first publish_async on

  mutable std::mutex state_mutex_;
  std::condition_variable state_changed_;
  std::optional<Welcome> welcome_;
  bool connected_ = false;
  std::optional<Refusal> trouble_;
  std::optional<Refusal> held_back_;

  // I/O thread alone, from here on.
  std::int64_t now_ms_ = 0;
  std::vector<pollfd> polled_;  // the wake descriptor, then two of each channel
  Publisher publisher_;
  std::vector<Waiters::Found> found_;
  std::vector<Publishing> publishing_;
  std::optional<Refusal> hello_refused_;
  std::int64_t flushed_ms_ = 0;
  std::map<SessionId, std::unique_ptr<Follower>> followers_;
  std::thread thread_;
};

}  // namespace lianxi::sdk
