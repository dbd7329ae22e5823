#include "agents/adapter/line_source.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "agents/adapter/reports.h"
#include "schemas/limits.h"

namespace lianxi::adapter {
namespace {

constexpr std::size_t kWindow = 512;
constexpr int kLookMs = 100;

// Lines of a descriptor; a line beyond the bound is given cut, which no reader accepts.
class Lines {
 public:
  explicit Lines(int input) : input_(input) {}

  // Nothing at the end or at `stop`; `idle` is called while nothing comes.
  std::optional<std::string> next(const std::stop_token& stop, const std::function<void()>& idle) {
    while (!stop.stop_requested()) {
      if (const std::size_t end = buffer_.find('\n', scanned_); end != std::string::npos) return cut(end, 1);
      scanned_ = buffer_.size();
      if (ended_ || buffer_.size() > kMaxRecordBytes) {
        if (buffer_.empty()) return std::nullopt;
        return cut(buffer_.size(), 0);
      }
      fill(idle);
    }
    return std::nullopt;
  }

 private:
  std::string cut(std::size_t end, std::size_t skip) {
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + skip);
    scanned_ = 0;
    return line;
  }
  void fill(const std::function<void()>& idle) {
    pollfd item{input_, POLLIN, 0};
    const int ready = ::poll(&item, 1, kLookMs);
    if (ready <= 0) return idle();
    char chunk[64 * 1024];
    const ssize_t got = ::read(input_, chunk, sizeof chunk);
    if (got > 0) buffer_.append(chunk, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN)) ended_ = true;
  }

  int input_;
  std::string buffer_;
  std::size_t scanned_ = 0;
  bool ended_ = false;
};

struct Sent {
  RecordResult result;
  std::optional<std::future<sdk::Outcome>> answer;  // nothing: refused before it was sent
};

}  // namespace

Tally publish_lines(sdk::Client& client, const formats::Source& source, int input,
                    const std::function<void(const std::string&)>& print, const std::stop_token& stop) {
  Tally tally{1, 0, 0, 0};
  std::deque<Sent> sent;
  const auto settle_front = [&] {
    Sent& front = sent.front();
    if (front.answer) {
      auto outcome = wait_for(*front.answer, stop);
      if (!outcome) return false;
      front.result.outcome = std::move(*outcome);
    }
    ++(front.result.outcome ? tally.accepted : tally.refused);
    print(result_line(front.result));
    sent.pop_front();
    return true;
  };
  const auto settle_ready = [&] {
    const auto is_ready = [](const Sent& s) {
      return !s.answer || s.answer->wait_for(std::chrono::seconds(0)) == std::future_status::ready;
    };
    while (!sent.empty() && is_ready(sent.front()) && settle_front()) {
    }
  };
  Lines lines(input);
  std::size_t number = 0;
  while (auto line = lines.next(stop, settle_ready)) {
    ++number;
    if (line->find_first_not_of(" \t\r") == std::string::npos) continue;
    auto event = formats::read_line(source, *line);
    Sent next;
    next.result = {number, number, {}, event ? event->envelope.entity : "", {}};
    if (event) next.answer = client.publish(*event);
    if (!event) next.result.outcome = tl::unexpected(event.error());
    sent.push_back(std::move(next));
    if (sent.size() >= kWindow && !settle_front()) break;
    settle_ready();
  }
  while (!sent.empty() && settle_front()) {
  }
  tally.failures = sent.size();
  return tally;
}

}  // namespace lianxi::adapter
