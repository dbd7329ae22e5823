#include "tests/bench/load.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <atomic>
#include <barrier>
#include <exception>
#include <thread>

namespace lianxi::bench {
namespace {

constexpr std::chrono::milliseconds kLook{1};
constexpr std::chrono::seconds kAnswerPatience{60};
constexpr std::chrono::seconds kFollowerPatience{120};

// What a thread threw, for the thread that waits for it.
class Failures {
 public:
  void run(const std::function<void()>& work) {
    try {
      work();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!first_) first_ = std::current_exception();
      any_ = true;
    }
  }
  [[nodiscard]] bool any() const { return any_; }
  void rethrow() {
    const std::lock_guard lock(mutex_);
    if (first_) std::rethrow_exception(first_);
  }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
  std::atomic<bool> any_{false};
};

struct PublisherRun {
  std::unique_ptr<Publisher> client;
  std::uint64_t sent = 0;
  Clock::time_point last_answer;
  Histogram latency;
};

void check_patience(Clock::time_point since) {
  if (Clock::now() - since > kAnswerPatience) throw std::runtime_error("events stay unanswered");
}

// As many as the window lets through.
void publish_freely(PublisherRun& run, const Load& load, Clock::time_point end) {
  std::vector<Answer> answers;
  std::uint64_t answered = 0;
  run.last_answer = Clock::now();
  while (Clock::now() < end || answered < run.sent) {
    const bool sending = Clock::now() < end;
    while (sending && run.sent - answered < load.window) run.client->send(run.sent++);
    run.client->flush();
    answers.clear();
    run.client->collect(answers, Clock::now() + kConsumerWait, true);
    answered += answers.size();
    if (!answers.empty()) run.last_answer = answers.back().at;
    check_patience(run.last_answer);
  }
}

// Open loop: an event is due when it is due, however late the one before it was answered.
void publish_paced(PublisherRun& run, const Load& load, Clock::time_point begin) {
  const auto count = static_cast<std::uint64_t>(load.seconds * load.rate);
  const auto due = [&](std::uint64_t number) {
    return begin +
           std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(static_cast<double>(number) / load.rate));
  };
  std::vector<Answer> answers;
  std::uint64_t answered = 0;
  const auto take = [&](Clock::time_point until, bool some) {
    answers.clear();
    run.client->collect(answers, until, some);
    for (const Answer& answer : answers) run.latency.add(answer.at - due(answer.number));
    answered += answers.size();
    if (!answers.empty()) run.last_answer = answers.back().at;
  };
  run.last_answer = begin;
  for (; run.sent < count; ++run.sent) {
    take(due(run.sent), false);
    run.client->send(run.sent);
    run.client->flush();
  }
  while (answered < count) {
    take(Clock::now() + kConsumerWait, true);
    check_patience(run.last_answer);
  }
}

double own_cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Followers, each with its thread, until told to stop.
class Followers {
 public:
  Followers(Peer& peer, const std::string& topic, std::size_t count) : checkers_(count) {
    for (std::size_t i = 0; i < count; ++i) clients_.push_back(peer.open_consumer(topic, i, checkers_[i]));
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this, i] {
        failures_.run([&] {
          while (!stop_) clients_[i]->step();
        });
      });
    }
  }
  ~Followers() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }
  Followers(const Followers&) = delete;
  Followers& operator=(const Followers&) = delete;

  // Until each has so many.
  void wait_for(std::uint64_t events) {
    const auto until = Clock::now() + kFollowerPatience;
    for (const Checker& checker : checkers_) {
      while (checker.received() < events) {
        failures_.rethrow();
        if (checker.failed()) throw std::runtime_error(checker.failure());
        if (Clock::now() > until)
          throw std::runtime_error("a follower has " + std::to_string(checker.received()) + " of " + std::to_string(events) +
                                   " events");
        std::this_thread::sleep_for(kLook);
      }
    }
  }

 private:
  std::vector<Checker> checkers_;
  std::vector<std::unique_ptr<Consumer>> clients_;
  Failures failures_;
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

}  // namespace

bool wait_readable(int fd, Clock::time_point until) {
  pollfd item{fd, POLLIN, 0};
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - Clock::now()).count();
  const timespec time{left <= 0 ? 0 : left / 1'000'000'000, left <= 0 ? 0 : left % 1'000'000'000};
  return ::ppoll(&item, 1, &time, nullptr) > 0;
}

Figures run_load(Peer& peer, const std::string& topic, const Load& load) {
  ::prctl(PR_SET_TIMERSLACK, 1);  // inherited by the threads below: a pace of a millisecond, kept to some microseconds
  peer.open_topic(topic, load.publishers);
  Followers followers(peer, topic, load.followers);
  std::vector<PublisherRun> runs(load.publishers);
  for (std::size_t i = 0; i < runs.size(); ++i)
    runs[i].client = peer.open_publisher(topic, i, Payloads(load.kind, i, load.bytes), load.window);
  peer.settle();

  const double server_cpu = cpu_seconds(peer.pid());
  const double client_cpu = own_cpu_seconds();
  Failures failures;
  const auto begin = Clock::now() + kLook;
  const auto end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(load.seconds));
  std::vector<std::thread> threads;
  for (PublisherRun& run : runs) {
    threads.emplace_back([&] {
      std::this_thread::sleep_until(begin);
      failures.run([&] { load.rate > 0 ? publish_paced(run, load, begin) : publish_freely(run, load, end); });
    });
  }
  for (auto& thread : threads) thread.join();
  failures.rethrow();

  Figures figures;
  Clock::time_point answered = begin;
  for (PublisherRun& run : runs) {
    figures.events += run.sent;
    figures.latency.add(run.latency);
    answered = std::max(answered, run.last_answer);
  }
  if (load.after) {
    load.after();
    answered = Clock::now();
  }
  followers.wait_for(figures.events);
  const auto delivered = Clock::now();
  const auto seconds = [](Clock::duration time) { return std::chrono::duration<double>(time).count(); };
  const auto events = static_cast<double>(figures.events);
  if (figures.events == 0) throw std::runtime_error("no event was published; measure longer");
  figures.acked_per_second = events / seconds(answered - begin);
  if (load.followers > 0) {
    figures.delivered_per_second = events * static_cast<double>(load.followers) / seconds(delivered - begin);
    figures.follower_late_s = std::max(0.0, seconds(delivered - answered));
  }
  figures.server_cpu_us = (cpu_seconds(peer.pid()) - server_cpu) / events * 1e6;
  figures.client_cpu_us = (own_cpu_seconds() - client_cpu) / events * 1e6;
  return figures;
}

}  // namespace lianxi::bench
