#include "tests/bench/flash_bench.h"

#include <atomic>
#include <thread>

#include "agents/sdk/client.h"
#include "tests/support/sample_events.h"

namespace lianxi::bench {
namespace {

constexpr std::chrono::milliseconds kBurst{1};  // of the paced bulk
constexpr double kLoad = 0.8;

Event alert_of(std::uint64_t number) {
  Alert alert;
  alert.identifier = std::to_string(number);
  alert.sender = "yjj@qz.gov.cn";
  alert.sent = test::kNoon;
  AlertInfo info;
  info.categories = {Category::Fire};
  info.event = "危化品火灾";
  info.severity = Severity::Extreme;
  info.areas = {{"衢江区", {}, {{{118.958, 28.973}, 3'000}}, {}, std::nullopt, std::nullopt}};
  alert.infos = {std::move(info)};
  Event event;
  event.envelope = {Kind::alert,
                    alert_entity(RegionCode{330800}, alert.sender, alert.identifier, alert.sent),
                    Status::Actual,
                    PlaceCode::parse("330803").value(),
                    "emergency",
                    Level::red,
                    Audience::conference(),
                    test::kNoon};
  event.body = std::move(alert);
  return event;
}

// An agent that raises alerts at an even pace, and one that follows them on the node's flash endpoint.
class Alerts {
 public:
  explicit Alerts(BenchNode& node) : publisher_(open(node.publisher(kBenchAgents - 1))), follower_(open(node.follower(0))) {
    sdk::FollowOptions options;
    options.flash_endpoint = true;
    options.lanes = mask_of(Lane::flash);
    sdk::FollowCallbacks on;
    on.started = [this](const Followed&) { started_ = true; };
    on.event = [this](const sdk::Delivery&) { arrived_.put(next_arrival_++); };
    auto follow = follower_->follow(options, std::move(on));
    if (!follow) throw std::runtime_error(follow.error().reason);
    const auto until = Clock::now() + kPeerPatience;
    while (!started_ && Clock::now() < until) std::this_thread::sleep_for(kBurst);
    if (!started_) throw std::runtime_error("the node does not begin the follow of alerts");
  }

  void raise(double seconds, FlashPhase& into) {
    const auto count = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(seconds * kAlertsPerSecond));
    const auto begin = Clock::now();
    std::vector<Clock::time_point> due;
    const std::uint64_t first = raised_;
    for (std::uint64_t i = 0; i < count; ++i, ++raised_) {
      due.push_back(begin + std::chrono::duration_cast<Clock::duration>(
                                std::chrono::duration<double>(static_cast<double>(i) / kAlertsPerSecond)));
      std::this_thread::sleep_until(due.back());
      publisher_->publish(alert_of(raised_), [this, number = raised_](const sdk::Outcome& outcome) {
        outcome ? answered_.put(number) : answered_.fail("an alert was refused: " + outcome.error().reason);
      });
    }
    const auto measure = [&](AnswerBox& box, Histogram& histogram) {
      std::vector<Answer> answers;
      const auto until = Clock::now() + kPeerPatience;
      while (answers.size() < count) {
        box.collect(answers, Clock::now() + kConsumerWait, true);
        if (Clock::now() > until) throw std::runtime_error("an alert got lost");
      }
      for (const Answer& answer : answers) histogram.add(answer.at - due.at(answer.number - first));
    };
    measure(answered_, into.receipt);
    measure(arrived_, into.delivered);
  }

 private:
  static std::unique_ptr<sdk::Client> open(const sdk::Profile& profile) {
    auto client = sdk::Client::open(profile, {.software = "lianxi-bench"});
    if (!client) throw std::runtime_error(client.error().reason);
    if (!(*client)->wait_connected(kPeerPatience)) throw std::runtime_error("the node does not welcome the bench");
    return std::move(*client);
  }
  AnswerBox answered_, arrived_;
  std::atomic<bool> started_{false};
  std::uint64_t raised_ = 0;
  std::uint64_t next_arrival_ = 0;  // the feed of alerts is dense and in order
  std::unique_ptr<sdk::Client> publisher_, follower_;
};

// Publishers of bulk beside the alerts, for as long as the object lives.
class Bulk {
 public:
  // `rate`: events a second of each; 0: as many as the window lets through.
  Bulk(LianxiPeer& peer, std::size_t publishers, std::size_t window, double rate) : window_(window), rate_(rate) {
    for (std::size_t i = 0; i < publishers; ++i)
      clients_.push_back(peer.open_publisher("bulk", i, Payloads(PayloadKind::bulk, i, 256), window));
    for (auto& client : clients_) threads_.emplace_back([this, &client] { run(*client); });
  }
  ~Bulk() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }
  Bulk(const Bulk&) = delete;
  Bulk& operator=(const Bulk&) = delete;
  [[nodiscard]] std::uint64_t answered() const { return answered_; }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void run(Publisher& client) try {
    std::vector<Answer> answers;
    std::uint64_t sent = 0, mine = 0;
    const auto begin = Clock::now();
    while (!stop_ || mine < sent) {
      const auto now = Clock::now();
      const auto due = rate_ > 0 ? static_cast<std::uint64_t>(std::chrono::duration<double>(now - begin).count() * rate_) : ~0ULL;
      while (!stop_ && sent < due && sent - mine < window_) client.send(sent++);
      client.flush();
      answers.clear();
      client.collect(answers, now + (rate_ > 0 ? kBurst : kConsumerWait), rate_ <= 0);
      mine += answers.size();
      answered_ += answers.size();
    }
  } catch (const std::exception&) {
    failed_ = true;
  }
  std::size_t window_;
  double rate_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> answered_{0};
  std::vector<std::unique_ptr<Publisher>> clients_;
  std::vector<std::thread> threads_;
};

void beside_bulk(LianxiPeer& peer, Alerts& alerts, std::size_t publishers, std::size_t window, double rate, double seconds,
                 FlashPhase& into) {
  Bulk bulk(peer, publishers, window, rate);
  const auto begin = Clock::now();
  alerts.raise(seconds, into);
  into.bulk_per_second = static_cast<double>(bulk.answered()) / std::chrono::duration<double>(Clock::now() - begin).count();
  if (bulk.failed()) throw std::runtime_error("bulk was refused");
}

}  // namespace

FlashFigures run_flash(LianxiPeer& peer, std::size_t publishers, std::size_t window, double seconds) {
  FlashFigures figures;
  Alerts alerts(peer.node());
  alerts.raise(seconds, figures.idle);
  beside_bulk(peer, alerts, publishers, window, 0, seconds, figures.saturated);
  figures.overtaken_batches = peer.metric("lianxi_flash_overtaken_batches_max");
  figures.overtaken_bytes = peer.metric("lianxi_flash_overtaken_bytes_max");
  const double rate = kLoad * figures.saturated.bulk_per_second / static_cast<double>(publishers);
  beside_bulk(peer, alerts, publishers, window, rate, seconds, figures.loaded);
  return figures;
}

}  // namespace lianxi::bench
