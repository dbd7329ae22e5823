#include "tests/bench/publish_bench.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "agents/sdk/client.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kOutstanding = 1'024;  // of each publisher, in the rows at full speed
constexpr int kResources = 1'000;
constexpr std::chrono::seconds kPatience{20};

// A change of state of one of a thousand resources: what comes often in a long operation. The address fills it up.
Event event_of(std::uint64_t number, std::size_t padding) {
  Resource body;
  body.change = ResourceChange::state;
  body.state = number % 2 == 0 ? ResourceState::deployed : ResourceState::available;
  body.address = std::string(padding, 'x');
  Event event;
  const std::string name = "bench-" + std::to_string(1'000 + number % kResources);
  event.envelope = {Kind::resource,
                    resource_entity(RegionCode{330800}, name),
                    Status::Actual,
                    PlaceCode::parse("330803").value(),
                    "emergency",
                    Level::none,
                    Audience::conference(),
                    1'604'894'400'000};
  event.body = std::move(body);
  return event;
}

std::size_t padding_for(std::size_t body_bytes) {
  std::size_t padding = 0;
  while (encode_event(event_of(0, padding)).size() < body_bytes) ++padding;
  return padding;
}

// Latencies of one publisher; its callbacks run on one thread.
struct Publisher {
  std::unique_ptr<sdk::Client> client;
  std::counting_semaphore<> slots{kOutstanding};
  std::vector<double> latencies_us;
  std::atomic<std::uint64_t> answered{0};
  std::uint64_t sent = 0;
  std::mutex mutex;
  std::string refusal;

  void publish(const Event& event, Clock::time_point from) {
    ++sent;
    client->publish(event, [this, from](const sdk::Outcome& outcome) {
      latencies_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - from).count());
      if (!outcome) {
        const std::scoped_lock lock(mutex);
        refusal = outcome.error().reason;
      }
      answered.fetch_add(1, std::memory_order_release);
      answered.notify_all();
      slots.release();
    });
  }
  void await_all() {
    for (std::uint64_t seen = answered.load(std::memory_order_acquire); seen < sent;
         seen = answered.load(std::memory_order_acquire)) {
      answered.wait(seen);
    }
    const std::scoped_lock lock(mutex);
    if (!refusal.empty()) throw std::runtime_error("the node refused an event: " + refusal);
  }
};

class Bench {
 public:
  Bench(const sdk::Profile& profile, const PublishOptions& options)
      : profile_(profile), options_(options), padding_(padding_for(options.body_bytes)) {}

  std::unique_ptr<Publisher> open(const std::string& outbox = {}) const {
    auto client = sdk::Client::open(profile_, {.outbox = outbox, .max_in_flight = kOutstanding, .software = "lianxi-bench"});
    if (!client) throw std::runtime_error(client.error().reason);
    if (!(*client)->wait_connected(kPatience)) throw std::runtime_error("the node does not welcome the bench");
    auto publisher = std::make_unique<Publisher>();
    publisher->client = std::move(*client);
    return publisher;
  }

  // As many as each can, with kOutstanding unanswered at most.
  Sample full_speed(const std::vector<Publisher*>& publishers) const {
    reset(publishers);
    const auto begin = Clock::now();
    const auto end = begin + std::chrono::duration<double>(options_.seconds);
    std::vector<std::thread> threads;
    for (Publisher* publisher : publishers) {
      threads.emplace_back([this, publisher, end] {
        while (Clock::now() < end) {
          publisher->slots.acquire();
          publisher->publish(event_of(publisher->sent, padding_), Clock::now());
        }
      });
    }
    for (auto& thread : threads) thread.join();
    return sample(publishers, begin);
  }

  // Open loop: latency counts from when the event was due, also if the publisher was late.
  Sample paced(Publisher& publisher) const {
    reset({&publisher});
    const auto begin = Clock::now();
    const auto count = static_cast<std::uint64_t>(options_.seconds * options_.paced_per_second);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto due = begin + std::chrono::duration_cast<Clock::duration>(
                                   std::chrono::duration<double>(static_cast<double>(i) / options_.paced_per_second));
      std::this_thread::sleep_until(due);
      publisher.slots.acquire();
      publisher.publish(event_of(i, padding_), due);
    }
    return sample({&publisher}, begin);
  }

 private:
  static void reset(const std::vector<Publisher*>& publishers) {
    for (Publisher* publisher : publishers) {
      publisher->latencies_us.clear();
      publisher->sent = 0;
      publisher->answered = 0;
    }
  }

  static Sample sample(const std::vector<Publisher*>& publishers, Clock::time_point begin) {
    std::vector<double> all;
    for (Publisher* publisher : publishers) {
      publisher->await_all();
      all.insert(all.end(), publisher->latencies_us.begin(), publisher->latencies_us.end());
    }
    const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    if (all.empty()) throw std::runtime_error("no event was answered; measure longer");
    std::sort(all.begin(), all.end());
    const auto at = [&](double share) { return all.at(static_cast<std::size_t>(share * static_cast<double>(all.size() - 1))); };
    return {static_cast<double>(all.size()) / seconds, at(0.5), at(0.9), at(0.99), at(1)};
  }

  const sdk::Profile& profile_;
  const PublishOptions& options_;
  std::size_t padding_;
};

}  // namespace

std::vector<Row> run_publish(const sdk::Profile& profile, const std::filesystem::path& scratch, const PublishOptions& options,
                             const std::function<void(const std::string&)>& progress) {
  const Bench bench(profile, options);
  std::vector<std::unique_ptr<Publisher>> many;
  std::vector<Publisher*> eight;
  for (int i = 0; i < 8; ++i) {
    many.push_back(bench.open());
    eight.push_back(many.back().get());
  }
  const auto durable = bench.open((scratch / "outbox.db").string());
  std::vector<Row> rows{{"1 publisher", "full speed, outbox in memory", {}},
                        {"8 publishers", "full speed, a client each, outbox in memory", {}},
                        {"1 publisher, durable outbox", "one thread, each publish() on disk before it returns", {}},
                        {"paced 1 publisher", "open loop at the given rate, outbox in memory", {}}};
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      progress("round " + std::to_string(round + 1) + "/" + std::to_string(options.rounds) + ": " + rows[i].name);
      rows[i].samples.push_back(i == 0   ? bench.full_speed({eight.front()})
                                : i == 1 ? bench.full_speed(eight)
                                : i == 2 ? bench.full_speed({durable.get()})
                                         : bench.paced(*eight.front()));
    }
  }
  return rows;
}

}  // namespace lianxi::bench
