#include "agents/operator/progress.h"

#include <ostream>

namespace lianxi::cli {
namespace {

constexpr std::chrono::milliseconds kOnTerminal{200};
constexpr std::chrono::milliseconds kElsewhere{5'000};

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  const std::string rest = std::to_string(100 + whole % 60).substr(1);
  return std::to_string(whole / 60) + ":" + rest;
}

}  // namespace

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

Progress::Progress(const Console& console, std::string what, std::uint64_t total)
    : console_(console), what_(std::move(what)), total_(total), begun_(Clock::now()), shown_(begun_) {}

Progress::~Progress() {
  if (open_) console_.err() << std::endl;
}

double Progress::seconds() const {
  return std::chrono::duration<double>(Clock::now() - begun_).count();
}

void Progress::show(std::uint64_t done, const std::string& detail) {
  if (console_.json()) return;
  const auto now = Clock::now();
  if (now - shown_ < (console_.progress() ? kOnTerminal : kElsewhere)) return;
  shown_ = now;
  const Say& say = console_.say();
  const double past = std::max(seconds(), 0.001);
  const double rate = static_cast<double>(done) / past;
  std::string line = what_ + " " + grouped(done);
  if (total_ > 0) line += "/" + grouped(total_);
  line += say(" rows, ", " 行,") + grouped(static_cast<std::uint64_t>(rate)) + say("/s", " 行/秒") + detail;
  if (total_ > done && rate > 0) line += say(", left ", ",剩余 ") + clock_text(static_cast<double>(total_ - done) / rate);
  if (console_.progress()) {
    console_.err() << "\r\x1b[K" << line << std::flush;
    open_ = true;
  } else {
    console_.err() << line << std::endl;
  }
}

}  // namespace lianxi::cli
