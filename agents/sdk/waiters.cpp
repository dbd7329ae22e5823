#include "agents/sdk/waiters.h"

#include <algorithm>

namespace lianxi::sdk {

void tell(Waiter& waiter, const Outcome& outcome) {
  if (const auto* done = std::get_if<Done>(&waiter)) {
    if (*done) (*done)(outcome);
  } else if (const auto* many = std::get_if<ManyWaiter>(&waiter)) {
    if (*many->done) (*many->done)(many->index, outcome);
  } else if (auto* promise = std::get_if<std::promise<Outcome>>(&waiter)) {
    promise->set_value(outcome);
  }
}

Ticket Waiters::add(Lane lane, Waiter waiter) {
  const std::scoped_lock lock(mutex_);
  queues_.at(static_cast<std::size_t>(lane)).push_back({next_, false, std::move(waiter)});
  return next_++;
}

void Waiters::add(std::span<NewEvent> events, std::span<const std::size_t> index, const std::shared_ptr<const EachDone>& done) {
  const std::scoped_lock lock(mutex_);
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].ticket = next_++;
    queues_.at(static_cast<std::size_t>(events[i].lane)).push_back({events[i].ticket, false, ManyWaiter{done, index[i]}});
  }
}

Waiters::Waiting* Waiters::find(Queue& queue, Ticket ticket) {
  if (queue.empty()) return nullptr;
  if (queue.front().ticket == ticket) return &queue.front();
  const auto at = std::ranges::lower_bound(queue, ticket, {}, &Waiting::ticket);
  return at == queue.end() || at->ticket != ticket || at->gone ? nullptr : &*at;
}

void Waiters::tidy(Queue& queue) {
  while (!queue.empty() && queue.front().gone) queue.pop_front();
}

Waiter Waiters::withdraw(Lane lane, Ticket ticket) {
  const std::scoped_lock lock(mutex_);
  Queue& queue = queues_.at(static_cast<std::size_t>(lane));
  Waiting* waiting = find(queue, ticket);
  if (waiting == nullptr) return {};
  Waiter waiter = std::move(waiting->waiter);
  waiting->gone = true;
  tidy(queue);
  return waiter;
}

std::optional<Outcome> Waiters::attach(Ticket ticket, Waiter& waiter, const std::function<std::optional<Outcome>()>& outcome) {
  const std::scoped_lock lock(mutex_);
  auto known = outcome();
  if (!known) attached_.emplace(ticket, std::move(waiter));
  return known;
}

void Waiters::take(Lane lane, std::span<const Ticket> tickets, std::vector<Found>& found, std::size_t& nobodys) {
  const std::scoped_lock lock(mutex_);
  Queue& queue = queues_.at(static_cast<std::size_t>(lane));
  for (std::size_t i = 0; i < tickets.size(); ++i) {
    bool anybody = false;
    if (Waiting* waiting = find(queue, tickets[i])) {
      anybody = true;
      if (waiting->waiter.index() != 0) found.push_back({i, std::move(waiting->waiter)});
      waiting->gone = true;
      tidy(queue);
    }
    if (!attached_.empty()) {
      const auto [first, last] = attached_.equal_range(tickets[i]);
      for (auto at = first; at != last; ++at) found.push_back({i, std::move(at->second)});
      anybody = anybody || first != last;
      attached_.erase(first, last);
    }
    if (!anybody) ++nobodys;
  }
}

std::vector<Waiter> Waiters::drain() {
  const std::scoped_lock lock(mutex_);
  std::vector<Waiter> all;
  for (Queue& queue : queues_) {
    for (Waiting& waiting : queue) {
      if (!waiting.gone) all.push_back(std::move(waiting.waiter));
    }
    queue.clear();
  }
  for (auto& [ticket, waiter] : attached_) all.push_back(std::move(waiter));
  attached_.clear();
  return all;
}

}  // namespace lianxi::sdk
