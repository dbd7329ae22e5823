// The questions of a client, over a connection of their own. Whoever asks drives it: no other thread is woken for a question or
// for its answer. When several ask at once, one of them drives for all.
//
// Any thread. While nobody asks, nobody looks after the connection: the next question finds it lost and has it made anew, within
// its own time. The constructor throws where the process has no descriptor left.
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "agents/sdk/channel.h"
#include "agents/sdk/client.h"
#include "agents/sdk/wake_fd.h"

namespace lianxi::sdk {

using QueryResult = Result<Result<Answer>, Failure<SdkError>>;

class QueryLine {
 public:
  // Both outlive it.
  QueryLine(zmq::context_t& context, const Profile& profile);
  ~QueryLine();  // closes
  QueryLine(const QueryLine&) = delete;
  QueryLine& operator=(const QueryLine&) = delete;

  // Blocks for at most `timeout`. Failure: unreachable, timeout or closed; a node's refusal, or one of the question's own shape,
  // is the inner result.
  [[nodiscard]] QueryResult ask(const Ask& ask, std::chrono::milliseconds timeout, Offset after_offset);
  // Whoever waits for an answer hears `closed`, as does whoever asks later; returns when nobody waits any more.
  void close();
  // As Client::trouble(): why the questions' endpoint cannot be reached, as far as is known.
  [[nodiscard]] std::optional<Refusal> trouble() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Asked {
    Query query;
    Clock::time_point until;
    std::optional<std::uint64_t> sent = {};  // how much had been heard by then
    std::optional<QueryResult> result = {};
  };
  // All with mutex_ held.
  void drive(std::unique_lock<std::mutex>& lock, const Asked& mine);
  void leave(std::uint64_t request);
  void turn();
  void await(std::unique_lock<std::mutex>& lock, std::int64_t most_ms);  // until something has come
  void hear(Message message);
  void answer_all(const QueryResult& result);
  [[nodiscard]] QueryResult unanswered(const Asked& mine);

  const Profile& profile_;
  WakeFd wake_;
  mutable std::mutex mutex_;  // of all below; open while the driver sleeps
  std::condition_variable changed_;
  std::map<std::uint64_t, Asked> asked_;  // by request
  std::uint64_t requests_ = 0, heard_ = 0;
  bool driven_ = false;
  bool silent_ = false;  // somebody's time ran out while another drove: the connection is to be made anew
  bool closed_ = false;
  Channel channel_;
};

}  // namespace lianxi::sdk
