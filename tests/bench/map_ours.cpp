// Our side of the map's bench: a broker process of its own, CURVE, the SDK's client.
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <stdexcept>

#include "agents/sdk/client.h"
#include "tests/bench/bench_node.h"
#include "tests/bench/map_bench.h"

namespace lianxi::bench {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::seconds kPatience{900};  // a busy machine takes long to load a million

AskResources ask_of(const MapAsk& from) {
  AskResources ask;
  ask.limit = from.limit;
  switch (from.kind) {
    case MapKind::nearest:
      ask.near = from.at;
      ask.capability = from.capability;
      ask.available = true;
      break;
    case MapKind::radius:
      ask.near = from.at;
      ask.within_m = from.within_m;
      break;
    case MapKind::polygon:
      ask.polygon = from.ring;
      break;
    case MapKind::text:
      ask.text = from.text;
      break;
  }
  return ask;
}

std::unique_ptr<sdk::Client> open(const sdk::Profile& profile, std::size_t window = 1'024) {
  auto client = sdk::Client::open(profile, {.max_in_flight = window});
  if (!client) throw std::runtime_error(client.error().reason);
  if (!(*client)->wait_connected(kPatience)) throw std::runtime_error("the node does not answer");
  return std::move(*client);
}

ResourceRows rows_of(sdk::Client& client, const AskResources& ask, Offset after = {}) {
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto answer = client.query(ask, kPatience, after);
    if (!answer) throw std::runtime_error("a question was not answered: " + answer.error().detail);
    if (*answer) return std::get<ResourceRows>(std::move((*answer)->rows));
    const bool again = (*answer).error().code == RefusalCode::deadline;  // the view is still at it
    if (!again || std::chrono::steady_clock::now() > deadline) throw std::runtime_error((*answer).error().reason);
  }
}

class OurConnection final : public MapSide::Connection {
 public:
  explicit OurConnection(const sdk::Profile& profile) : client_(open(profile)) {}
  std::vector<std::string> ask(const MapAsk& ask) override {
    std::vector<std::string> ids;
    for (ResourceRow& row : rows_of(*client_, ask_of(ask)).rows) ids.push_back(std::move(row.id));
    return ids;
  }

 private:
  std::unique_ptr<sdk::Client> client_;
};

double megabytes(const fs::path& file, const std::string& word) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(word + ":")) return std::stod(line.substr(word.size() + 1)) / 1'024;
  return 0;
}

class OurMap final : public MapSide {
 public:
  explicit OurMap(const fs::path& broker) : node_(broker), publisher_(open(node_.publisher(0), 16'384)) {}

  double load(std::uint64_t resources) override {
    constexpr std::size_t kAtOnce = 1'024;
    constexpr std::uint64_t kWaiting = 64 * kAtOnce;
    const auto begin = Clock::now();
    for (std::uint64_t i = 0; i < resources; i += kAtOnce) {
      std::vector<Event> events;
      for (std::uint64_t k = i; k < std::min(resources, i + kAtOnce); ++k) events.push_back(event_of(map_resource(k)));
      publish(events, kWaiting);
    }
    await(0);
    settle();
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }
  std::unique_ptr<Connection> connect() override {
    return std::make_unique<OurConnection>(node_.follower(next_++ % kBenchAgents));
  }
  void change(std::uint64_t first, std::uint64_t count, std::uint64_t resources) override {
    std::vector<Event> events;
    for (std::uint64_t i = first; i < first + count; ++i) events.push_back(event_of(map_change(i, resources)));
    publish(events, 0);
  }
  void settle() override {
    AskResources ask;
    ask.limit = 1;
    (void)rows_of(*publisher_, ask, Offset(last_.value + 1));
  }
  Memory memory() override {
    const fs::path status = "/proc/" + std::to_string(node_.pid()) + "/status";
    Memory memory{megabytes(status, "RssAnon"), megabytes(status, "RssFile"), 0};
    for (const auto& entry : fs::directory_iterator(node_.folder()))
      if (entry.path().filename().string().starts_with("view.db"))
        memory.disk_mb += static_cast<double>(entry.file_size()) / 1024 / 1024;
    return memory;
  }

 private:
  // Until at most `left` wait for their receipts.
  void await(std::uint64_t left) {
    std::unique_lock lock(mutex_);
    if (!answered_.wait_for(lock, kPatience, [&] { return waiting_ <= left || !refusal_.empty(); }))
      throw std::runtime_error("the node answers nothing");
    if (!refusal_.empty()) throw std::runtime_error("the node refused an event: " + refusal_);
  }
  void publish(const std::vector<Event>& events, std::uint64_t left) {
    {
      const std::lock_guard lock(mutex_);
      waiting_ += events.size();
    }
    publisher_->publish(events, [this](std::size_t, const sdk::Outcome& outcome) {
      const std::lock_guard lock(mutex_);
      --waiting_;
      if (outcome)
        last_ = std::max(last_, outcome->offset);
      else
        refusal_ = outcome.error().reason;
      answered_.notify_all();
    });
    await(left);
  }

  BenchNode node_;
  std::mutex mutex_;
  std::condition_variable answered_;
  std::uint64_t waiting_ = 0;
  Offset last_;
  std::string refusal_;
  std::size_t next_ = 0;
  std::unique_ptr<sdk::Client> publisher_;
};

}  // namespace

std::unique_ptr<MapSide> our_map(const fs::path& broker) {
  return std::make_unique<OurMap>(broker);
}

}  // namespace lianxi::bench
