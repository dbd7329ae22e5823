#include "agents/sdk/query_line.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "schemas/protocol.h"

namespace lianxi::sdk {
namespace {

constexpr std::chrono::hours kMostPatience{24};

std::int64_t ms_of(std::chrono::steady_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

QueryResult closed() {
  return tl::unexpected(Failure<SdkError>{SdkError::closed, "closed"});
}

}  // namespace

QueryLine::QueryLine(zmq::context_t& context, const Profile& profile)
    : profile_(profile),
      wake_fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      channel_(context, profile, ChannelOptions{profile.query, false},
               ChannelEvents{.up = [] {},
                             .lost =
                                 [this] {
                                   for (auto& [request, asked] : asked_) asked.sent = false;
                                 },
                             .message = [this](Message message) { hear(std::move(message)); },
                             .beat = [] {}}) {}

QueryLine::~QueryLine() {
  close();
  ::close(wake_fd_);
}

QueryResult QueryLine::ask(const Ask& ask, std::chrono::milliseconds timeout, Offset after_offset) {
  Asked fresh{{}, Clock::now() + std::min<std::chrono::milliseconds>(timeout, kMostPatience)};
  fresh.query.after_offset = after_offset;
  fresh.query.deadline_ms = static_cast<std::uint32_t>(std::clamp<std::int64_t>(timeout.count(), 1, kMaxQueryWaitMs));
  fresh.query.ask = ask;
  if (auto good = fits(fresh.query); !good) return Result<Answer>(tl::unexpected(good.error()));
  std::unique_lock lock(mutex_);
  if (closed_) return closed();
  const std::uint64_t request = ++requests_;
  fresh.query.request = request;
  Asked& mine = asked_.emplace(request, std::move(fresh)).first->second;
  if (driven_) wake_driver();
  while (!mine.result && Clock::now() < mine.until) {
    if (driven_)
      changed_.wait_until(lock, mine.until);
    else
      drive(lock, mine);
  }
  QueryResult result = mine.result ? std::move(*mine.result) : unanswered();
  asked_.erase(request);
  if (closed_ || !asked_.empty()) changed_.notify_all();  // the line is free, or empty
  return result;
}

void QueryLine::close() {
  std::unique_lock lock(mutex_);
  closed_ = true;
  answer_all(closed());
  if (driven_) wake_driver();
  changed_.notify_all();
  changed_.wait(lock, [this] { return asked_.empty(); });
}

std::optional<Refusal> QueryLine::trouble() const {
  const std::scoped_lock lock(mutex_);
  if (channel_.trouble().empty()) return std::nullopt;
  if (channel_.key_refused()) return Refusal{RefusalCode::unknown_key, "agent.public_key", channel_.trouble(), 0};
  return Refusal{RefusalCode::busy, "", channel_.trouble(), kRetryAfterMs};
}

void QueryLine::drive(std::unique_lock<std::mutex>& lock, const Asked& mine) {
  driven_ = true;
  await(lock, 0);  // nobody has looked since the last question
  for (turn(); !mine.result && Clock::now() < mine.until; turn()) {
    channel_.look_again();
    await(lock, std::min(channel_.due(), ms_of(mine.until) + 1) - ms_of(Clock::now()));
  }
  driven_ = false;
}

void QueryLine::turn() {
  const std::int64_t now = ms_of(Clock::now());
  if (std::exchange(silent_, false)) channel_.reset(now, profile_.query + " gave no answer in time");
  channel_.step(now);
  if (channel_.key_refused() && !channel_.trying())
    answer_all(Result<Answer>(refuse(RefusalCode::unknown_key, "agent.public_key", channel_.trouble())));
  for (auto& [request, asked] : asked_)
    if (!asked.sent && !asked.result) asked.sent = channel_.send(asked.query, now);
}

void QueryLine::await(std::unique_lock<std::mutex>& lock, std::int64_t most_ms) {
  const auto [socket, monitor] = channel_.descriptors();  // poll leaves out what is -1
  std::array polled = {pollfd{wake_fd_, POLLIN, 0}, pollfd{socket, POLLIN, 0}, pollfd{monitor, POLLIN, 0}};
  lock.unlock();
  const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(0, most_ms)));
  lock.lock();
  if (ready <= 0) return;
  std::uint64_t count = 0;
  if (polled[0].revents != 0) (void)!::read(wake_fd_, &count, sizeof count);
  channel_.note(polled[1].revents != 0, polled[2].revents != 0);
}

void QueryLine::hear(Message message) {
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

void QueryLine::wake_driver() {
  const std::uint64_t one = 1;
  (void)!::write(wake_fd_, &one, sizeof one);  // full means that it is readable already
}

// A connection that gives no answer may be dead without knowing it.
QueryResult QueryLine::unanswered() {
  const bool up = channel_.up();
  Failure<SdkError> failure{up ? SdkError::timeout : SdkError::unreachable, channel_.trouble()};
  if (failure.detail.empty()) failure.detail = profile_.query + (up ? " gave no answer in time" : " does not answer");
  if (up && driven_) {
    silent_ = true;
    wake_driver();
  } else if (up) {
    channel_.reset(ms_of(Clock::now()), profile_.query + " gave no answer in time");
  }
  return tl::unexpected(std::move(failure));
}

}  // namespace lianxi::sdk
