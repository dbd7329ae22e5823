#include "agents/operator/upload.h"

namespace lianxi::cli {

Upload::Upload(sdk::Client& client, const Common& common, const Console& console, Progress& progress)
    : client_(client), common_(common), console_(console), progress_(progress) {
  batch_.reserve(kBatch);
}

std::optional<Exit> Upload::send(const Event& event) {
  batch_.push_back(event);
  if (batch_.size() < kBatch) return std::nullopt;
  hand_over();
  return sent_ < kOnTheWay ? std::nullopt : wait_until(sent_ - kOnTheWay);
}

void Upload::hand_over() {
  if (batch_.empty()) return;
  sent_ += batch_.size();
  const auto batch = std::make_shared<const std::vector<Event>>(std::move(batch_));
  batch_ = {};
  batch_.reserve(kBatch);
  client_.publish_async(*batch, [shared = shared_, batch](std::size_t index, const sdk::Outcome& outcome) {
    const std::lock_guard lock(shared->mutex);
    Counts& counts = shared->counts;
    if (outcome) {
      ++counts.accepted;
      counts.last = std::max(counts.last, outcome->offset);
    } else {
      ++counts.refused;
      if (counts.first.size() < kShown) counts.first.push_back({(*batch)[index].envelope.entity, outcome.error()});
    }
    // Whoever waits looks again by itself; it is woken for the whole of a batch.
    if (++shared->answered % kBatch == 0) shared->moved.notify_all();
  });
}

std::optional<Exit> Upload::finish() {
  hand_over();
  return wait_until(sent_);
}

Upload::Counts Upload::counts() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->counts;
}

std::optional<Exit> Upload::wait_until(std::uint64_t answered) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLook{20};
  auto last_answer = Clock::now();
  std::uint64_t before = 0;
  for (;;) {
    std::uint64_t now = 0, refused = 0;
    {
      std::unique_lock lock(shared_->mutex);
      const auto there = [&] { return shared_->answered >= answered; };
      shared_->moved.wait_for(lock, kLook, there);
      now = shared_->answered;
      refused = shared_->counts.refused;
    }
    const Say& say = console_.say();
    progress_.show(now, refused == 0 ? std::string{} : say(", refused ", ",被拒绝 ") + grouped(refused));
    if (now >= answered) return std::nullopt;
    if (now != before) last_answer = Clock::now();
    before = now;
    const auto trouble = client_.trouble();
    if (trouble && trouble->code != RefusalCode::busy) return console_.refused(*trouble);
    if (Clock::now() - last_answer <= common_.timeout) continue;
    if (const auto held = client_.held_back()) return console_.refused(*held);
    return console_.unreachable((trouble ? trouble->reason : std::string(say("no answer in time", "超时未答复"))) +
                                say("; whether the node has the rest is not known: import again, what it has stays as it is",
                                    ";其余部分节点是否已收到尚不清楚:可重新导入,已收到的不会重复"));
  }
}

}  // namespace lianxi::cli
