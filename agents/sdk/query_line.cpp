#include "agents/sdk/query_line.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "schemas/protocol.h"

namespace lianxi::sdk {
namespace {

constexpr std::chrono::milliseconds kMostPatience{std::chrono::hours(24)};

std::int64_t ms_of(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

QueryResult closed() {
  return tl::unexpected(Failure<SdkError>{SdkError::closed, "closed"});
}

}  // namespace

QueryLine::QueryLine(zmq::context_t& context, const Profile& profile)
    : profile_(profile),
      channel_(context, profile, ChannelOptions{profile.query, false},
               ChannelEvents{.up = [] {},
                             .lost =
                                 [this] {
                                   for (auto& [request, asked] : asked_) asked.sent.reset();
                                 },
                             .message = [this](Message message) { hear(std::move(message)); },
                             .beat = [] {}}) {}

QueryLine::~QueryLine() {
  close();
}

QueryResult QueryLine::ask(const Ask& ask, std::chrono::milliseconds timeout, Offset after_offset) {
  timeout = std::clamp(timeout, std::chrono::milliseconds(0), kMostPatience);
  Asked fresh{{}, Clock::now() + timeout};
  fresh.query.after_offset = after_offset;
  fresh.query.deadline_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.count(), 1, kMaxQueryWaitMs));
  fresh.query.ask = ask;
  if (auto good = fits(fresh.query); !good) return Result<Answer>(tl::unexpected(good.error()));
  std::unique_lock lock(mutex_);
  if (closed_) return closed();
  const std::uint64_t request = ++requests_;
  fresh.query.request = request;
  Asked& mine = asked_.emplace(request, std::move(fresh)).first->second;
  struct Leaving {
    QueryLine& line;
    std::uint64_t request;
    ~Leaving() { line.leave(request); }
  } const leaving{*this, request};
  if (driven_) wake_.signal();
  while (!mine.result && Clock::now() < mine.until) {
    if (driven_)
      changed_.wait_until(lock, mine.until);
    else
      drive(lock, mine);
  }
  return mine.result ? std::move(*mine.result) : unanswered(mine);
}

void QueryLine::leave(std::uint64_t request) {
  asked_.erase(request);
  if (closed_ || !asked_.empty()) changed_.notify_all();  // the line is free, or empty
}

void QueryLine::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  answer_all(closed());
  if (driven_) wake_.signal();
  changed_.notify_all();
  changed_.wait(lock, [this] { return asked_.empty(); });
}

std::optional<Refusal> QueryLine::trouble() const {
  const std::scoped_lock lock(mutex_);
  return channel_.refusal();
}

void QueryLine::drive(std::unique_lock<std::mutex>& lock, const Asked& mine) {
  struct Driving {
    bool& driven;
    ~Driving() { driven = false; }
  } const driving{driven_};
  driven_ = true;
  const bool was_up = channel_.up();
  await(lock, 0);  // nobody has looked since the last question
  turn();
  if (was_up && !channel_.up()) {  // lost while nobody asked: no reason to wait
    channel_.retry_now();
    turn();
  }
  while (!mine.result && Clock::now() < mine.until) {
    channel_.look_again();
    await(lock, std::min(channel_.due(), ms_of(mine.until) + 1) - ms_of(Clock::now()));
    turn();
  }
}

void QueryLine::turn() {
  const std::int64_t now = ms_of(Clock::now());
  if (std::exchange(silent_, false)) channel_.reset(now, profile_.query + " gave no answer in time");
  channel_.step(now);
  if (channel_.key_refused() && !channel_.trying()) answer_all(Result<Answer>(tl::unexpected(*channel_.refusal())));
  for (auto& [request, asked] : asked_)
    if (!asked.sent && !asked.result && channel_.send(asked.query, now)) asked.sent = heard_;
}

void QueryLine::await(std::unique_lock<std::mutex>& lock, std::int64_t most_ms) {
  const auto [socket, monitor] = channel_.descriptors();  // poll leaves out what is -1
  std::array polled = {pollfd{wake_.fd(), POLLIN, 0}, pollfd{socket, POLLIN, 0}, pollfd{monitor, POLLIN, 0}};
  lock.unlock();
  const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, most_ms)));
  lock.lock();
  if (ready <= 0) return;
  if (polled[0].revents != 0) wake_.drain();
  channel_.note(polled[1].revents != 0, polled[2].revents != 0);
}

void QueryLine::hear(Message message) {
  ++heard_;
  std::uint64_t request = 0;
  std::optional<QueryResult> result;
  if (auto* answer = std::get_if<Answer>(&message)) {
    request = answer->request;
    result = Result<Answer>(std::move(*answer));
  } else if (auto* refused = std::get_if<Refused>(&message)) {
    request = refused->sequence;
    result = Result<Answer>(tl::unexpected(std::move(refused->refusal)));
  }
  const auto found = asked_.find(request);
  if (!result || found == asked_.end() || found->second.result) return;  // answered after its caller went away
  found->second.result = std::move(result);
  if (asked_.size() > 1) changed_.notify_all();
}

void QueryLine::answer_all(const QueryResult& result) {
  for (auto& [request, asked] : asked_)
    if (!asked.result) asked.result = result;
  changed_.notify_all();
}

// A connection on which nothing comes after a question may be dead without knowing it.
QueryResult QueryLine::unanswered(const Asked& mine) {
  const bool up = channel_.up();
  Failure<SdkError> failure{up ? SdkError::timeout : SdkError::unreachable, channel_.trouble()};
  if (failure.detail.empty()) failure.detail = profile_.query + (up ? " gave no answer in time" : " does not answer");
  if (!up || mine.sent != heard_) return tl::unexpected(std::move(failure));
  if (driven_) {
    silent_ = true;
    wake_.signal();
  } else {
    channel_.reset(ms_of(Clock::now()), profile_.query + " gave no answer in time");
  }
  return tl::unexpected(std::move(failure));
}

}  // namespace lianxi::sdk
