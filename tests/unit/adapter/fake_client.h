// A client whose node is in the test: it answers at once, holds its answers, or refuses. The outbox outlives the client, as
// the file would outlive the process.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "agents/sdk/client.h"

namespace lianxi::adapter {

struct FakeOutbox {
  std::mutex mutex;
  std::map<std::string, sdk::Outcome, std::less<>> answered;  // by key
  std::map<std::string, Event, std::less<>> unanswered;
  std::vector<Event> events;  // that reached the node, in order
  std::uint64_t next = 1;
};

class FakeClient : public sdk::Client {
 public:
  explicit FakeClient(FakeOutbox& outbox) : outbox_(outbox) {
    const std::scoped_lock lock(outbox_.mutex);
    while (!outbox_.unanswered.empty()) answer(outbox_.unanswered.begin()->first);  // what an earlier process left
  }

  // Set before use. Which events the node refuses (an empty reason accepts), and which it leaves without an answer.
  std::function<std::optional<Refusal>(const Event&)> refuses = [](const Event&) { return std::nullopt; };
  std::function<bool(const Event&)> holds = [](const Event&) { return false; };

  std::future<sdk::Outcome> publish(const Event& event) override {
    return publish_once(event, "line " + std::to_string(++lines_));
  }
  void publish(const Event& event, std::function<void(const sdk::Outcome&)> done) override { done(publish(event).get()); }

  sdk::Published publish(const Event& event, const sdk::PublishOptions& options) override {
    std::promise<Result<sdk::Replication>> replication;
    replication.set_value(sdk::Replication{options.peers, options.peers});
    return {publish(event), replication.get_future()};
  }
  void publish(const Event& event, const sdk::PublishOptions& options, std::function<void(const sdk::Outcome&)> done,
               std::function<void(const Result<sdk::Replication>&)> replicated) override {
    done(publish(event).get());
    replicated(sdk::Replication{options.peers, options.peers});
  }
  void publish(std::span<const Event> events, sdk::EachDone done) override {
    for (std::size_t i = 0; i < events.size(); ++i) done(i, publish(events[i]).get());
  }
  void publish_async(std::span<const Event> events, sdk::EachDone done) override { publish(events, std::move(done)); }

  std::future<sdk::Outcome> publish_once(const Event& event, std::string_view key) override {
    const std::scoped_lock lock(outbox_.mutex);
    std::promise<sdk::Outcome> promise;
    auto future = promise.get_future();
    if (const auto known = outbox_.answered.find(key); known != outbox_.answered.end()) {
      promise.set_value(known->second);
      return future;
    }
    if (const auto refusal = refuses(event); refusal && refusal->code == RefusalCode::disk_full) {
      promise.set_value(tl::unexpected(*refusal));  // nothing is stored
      return future;
    }
    outbox_.unanswered.emplace(key, event);
    waiting_[std::string(key)].push_back(std::move(promise));
    if (!holds(event)) answer(std::string(key));
    return future;
  }
  void forget_keys(std::string_view prefix) override {
    const std::scoped_lock lock(outbox_.mutex);
    std::erase_if(outbox_.answered, [&](const auto& item) { return item.first.starts_with(prefix); });
  }
  void release() {
    const std::scoped_lock lock(outbox_.mutex);
    holds = [](const Event&) { return false; };
    while (!outbox_.unanswered.empty()) answer(outbox_.unanswered.begin()->first);
  }

  [[nodiscard]] std::size_t pending() const override {
    const std::scoped_lock lock(outbox_.mutex);
    return outbox_.unanswered.size();
  }
  Result<SessionId> follow(const sdk::FollowOptions&, sdk::FollowCallbacks) override { return SessionId{1}; }
  void unfollow(SessionId) override {}
  void done_with(SessionId, Offset) override {}
  sdk::EventStream events(const sdk::FollowOptions&) override { return sdk::EventStream(nullptr); }
  Result<Result<Answer>, Failure<sdk::SdkError>> query(const Ask&, std::chrono::milliseconds, Offset) override {
    return tl::unexpected(Failure<sdk::SdkError>{sdk::SdkError::closed, ""});
  }
  bool wait_connected(std::chrono::milliseconds) override { return true; }
  [[nodiscard]] std::optional<Welcome> welcome() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Refusal> trouble() const override { return std::nullopt; }
  [[nodiscard]] std::optional<Refusal> held_back() const override { return std::nullopt; }

 private:
  void answer(const std::string key) {
    const auto item = outbox_.unanswered.find(key);
    const Event event = item->second;
    outbox_.unanswered.erase(item);
    sdk::Outcome outcome;
    if (const auto refusal = refuses(event)) {
      outcome = tl::unexpected(*refusal);
    } else {
      outbox_.events.push_back(event);
      const std::uint64_t n = outbox_.next++;
      outcome = sdk::Receipt{
          {RegionCode(330800), Epoch(1), lane_of(event), event.envelope.audience}, Sequence(n), Ordinal(n), Offset(n)};
    }
    outbox_.answered.insert_or_assign(key, outcome);
    for (std::promise<sdk::Outcome>& promise : waiting_[key]) promise.set_value(outcome);
    waiting_.erase(key);
  }

  FakeOutbox& outbox_;
  std::map<std::string, std::vector<std::promise<sdk::Outcome>>> waiting_;
  std::size_t lines_ = 0;
};

}  // namespace lianxi::adapter
