// Who waits for the answer to which event, and the numbers (tickets) of the events of this process. Any thread.
#pragma once

#include <array>
#include <deque>
#include <future>
#include <mutex>
#include <unordered_map>
#include <variant>

#include "agents/sdk/outbox.h"

namespace lianxi::sdk {

using Done = std::function<void(const Outcome&)>;
struct ManyWaiter {  // one of the events of a call that published many
  std::shared_ptr<const EachDone> done;
  std::size_t index = 0;
};
// Nobody, a callback, a callback for many, a future.
using Waiter = std::variant<std::monostate, Done, ManyWaiter, std::promise<Outcome>>;
void tell(Waiter& waiter, const Outcome& outcome);

class Waiters {
 public:
  explicit Waiters(Ticket first) : next_(first) {}

  // Gives the event its ticket; before the event can be answered.
  [[nodiscard]] Ticket add(Lane lane, Waiter waiter);
  // Tickets in a row for the events of one call; `lanes[i]` and `index[i]` belong together.
  void add(std::span<NewEvent> events, std::span<const std::size_t> index, const std::shared_ptr<const EachDone>& done);
  // Takes it out again: the event was not stored.
  [[nodiscard]] Waiter withdraw(Lane lane, Ticket ticket);
  // Lets `waiter` wait for an event of an earlier call, unless that is answered by now: `outcome` is asked under the lock, so
  // an answer is either known by then or finds the waiter.
  [[nodiscard]] std::optional<Outcome> attach(Ticket ticket, Waiter& waiter,
                                              const std::function<std::optional<Outcome>()>& outcome);

  struct Found {
    std::size_t index = 0;  // in the tickets asked for
    Waiter waiter;
  };
  // Takes out who waits for these; `nobodys` counts those events that no call of this process made.
  void take(Lane lane, std::span<const Ticket> tickets, std::vector<Found>& found, std::size_t& nobodys);
  [[nodiscard]] std::vector<Waiter> drain();

 private:
  struct Waiting {
    Ticket ticket = 0;
    bool gone = false;
    Waiter waiter;
  };
  using Queue = std::deque<Waiting>;  // tickets ascend; the front is not gone
  static Waiting* find(Queue& queue, Ticket ticket);
  static void tidy(Queue& queue);

  std::mutex mutex_;
  Ticket next_;
  std::array<Queue, kLaneCount> queues_;
  std::unordered_multimap<Ticket, Waiter> attached_;
};

}  // namespace lianxi::sdk
