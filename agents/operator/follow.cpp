#include <atomic>
#include <mutex>
#include <ostream>

#include "agents/operator/arguments.h"
#include "agents/operator/commands.h"
#include "agents/operator/event_line.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

// What a follow has shown so far. The I/O thread writes, the main thread looks.
class Printer {
 public:
  Printer(const FollowCommand& command, const Console& console, sdk::StopSignal& stop)
      : command_(command), console_(console), stop_(stop) {}

  sdk::FollowCallbacks callbacks() {
    return {.started = [this](const Followed& followed) { started(followed); },
            .event = [this](const sdk::Delivery& delivery) { event(delivery); },
            .progress = [this](Offset next, bool) { progress(next); },
            .refused = [this](const Refusal& refusal) { refused(refusal); }};
  }

  [[nodiscard]] bool has_started() const { return started_; }
  [[nodiscard]] bool finished() const { return finished_; }
  // Events and moves of the cursor so far: it stands still while the node is away.
  [[nodiscard]] std::uint64_t moves() const { return moves_; }
  [[nodiscard]] std::optional<Refusal> refusal() const {
    const std::scoped_lock lock(mutex_);
    return refusal_;
  }
  [[nodiscard]] Offset done() const {
    const std::scoped_lock lock(mutex_);
    return done_;
  }
  [[nodiscard]] std::string cursor() const {
    const std::scoped_lock lock(mutex_);
    return cursor_text(node_, incarnation_, next_);
  }

 private:
  void started(const Followed& followed) {
    {
      const std::scoped_lock lock(mutex_);
      node_ = followed.node;
      incarnation_ = followed.incarnation;
      next_ = followed.offset;
    }
    until_ = followed.head;
    started_ = true;
    progress(followed.offset);
    stop_.notify();
  }

  void event(const sdk::Delivery& delivery) {
    if (finished_ || (command_.until_now && delivery.offset >= until_)) return;
    if (command_.count && shown_ >= *command_.count) return finish();
    if (console_.json()) {
      console_.out() << event_json(delivery.feed, delivery.offset, delivery.record) << '\n';
    } else {
      console_.out() << event_line(delivery, console_.say(), console_.colour()) << '\n';
    }
    ++shown_;
    move_to(Offset(delivery.offset.value + 1));
    if (command_.count && shown_ >= *command_.count) finish();
  }

  void progress(Offset next) {
    console_.out().flush();
    if (finished_) return;
    const bool reached = command_.until_now && next >= until_;
    move_to(reached ? until_ : next);
    shown();
    if (reached || (command_.count && *command_.count == 0)) finish();
  }

  void refused(const Refusal& refusal) {
    {
      const std::scoped_lock lock(mutex_);
      refusal_ = refusal;
    }
    finish();
  }

  void move_to(Offset next) {
    const std::scoped_lock lock(mutex_);
    next_ = std::max(next, next_);
    ++moves_;
  }
  // What is printed has left: the node's cursor may move over it.
  void shown() {
    const std::scoped_lock lock(mutex_);
    done_ = next_;
  }
  void finish() {
    console_.out().flush();
    if (started_ && !finished_) shown();
    finished_ = true;
    stop_.notify();
  }

  const FollowCommand& command_;
  const Console& console_;
  sdk::StopSignal& stop_;
  std::atomic<bool> started_{false};
  std::atomic<bool> finished_{false};
  std::atomic<std::uint64_t> moves_{0};
  Offset until_;
  std::uint64_t shown_ = 0;
  mutable std::mutex mutex_;
  RegionCode node_;
  Incarnation incarnation_;
  Offset next_, done_;
  std::optional<Refusal> refusal_;
};

// Waits for the end. Nothing: it came as asked, or the operator stopped it.
std::optional<Refusal> wait_for_end(const Common& common, const FollowCommand& command, const Printer& printer,
                                    sdk::Client& client, SessionId follow, sdk::StopSignal& stop, bool& unreachable) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLook{100};
  auto last_move = Clock::now();
  std::uint64_t moves = printer.moves();
  while (!printer.finished()) {
    if (stop.wait(kLook) == sdk::StopSignal::Woken::stopped) return std::nullopt;
    if (printer.moves() != moves) {
      moves = printer.moves();
      last_move = Clock::now();
      if (!command.cursor_name.empty()) client.done_with(follow, printer.done());
    }
    const auto trouble = client.trouble();
    if (trouble && trouble->code != RefusalCode::busy && !printer.has_started()) return trouble;
    // A live follow waits for its node however long it is away; one that has an end does not.
    const bool waits = !printer.has_started() || (command.until_now && trouble);
    if (waits && Clock::now() - last_move > common.timeout) {
      unreachable = true;
      return trouble.value_or(Refusal{RefusalCode::busy, "", "no answer in time", 0});
    }
  }
  return printer.refusal();
}

}  // namespace

Exit run_follow(const Common& common, const FollowCommand& command, const Console& console, sdk::StopSignal& stop) {
  Printer printer(command, console, stop);  // outlives the client, which calls it
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  sdk::FollowOptions options;
  options.from = command.from;
  options.node = command.node;
  options.incarnation = command.incarnation;
  options.offset = command.offset;
  options.filter = command.filter;
  options.cursor_name = command.cursor_name;
  options.cursor_by_hand = !command.cursor_name.empty();
  const auto follow = (*client)->follow(options, printer.callbacks());
  if (!follow) return console.refused(follow.error());
  bool unreachable = false;
  const auto wrong = wait_for_end(common, command, printer, **client, *follow, stop, unreachable);
  if (options.cursor_by_hand) (*client)->done_with(*follow, printer.done());
  client->reset();  // no event is printed behind the cursor that is told now
  console.out().flush();
  if (printer.has_started()) console.err() << console.say()("cursor ", "游标 ") << printer.cursor() << std::endl;
  if (wrong) return unreachable ? console.unreachable(wrong->reason) : console.refused(*wrong);
  return Exit::done;
}

}  // namespace lianxi::cli
