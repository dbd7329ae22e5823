#include "broker/app/delivery_desk.h"

#include <algorithm>

namespace lianxi::app {

void DeliveryDesk::rights(std::shared_ptr<const core::Policy> policy, std::shared_ptr<const core::Members> members) {
  plans_.rights(std::move(policy), std::move(members));
  shared_.clear();
  shared_order_.clear();
  shared_bytes_ = 0;
  for (std::deque<Active>* queue : {&flash_, &others_})
    for (Active& active : *queue) replan(active);
  auto waiting = std::exchange(waiting_, {});
  waiting_at_.clear();
  for (auto& [id, asked] : waiting)
    for (Active& active : asked.takers) {
      replan(active);
      ask_cold(std::move(active));
    }
  // What is asked already is judged by its plan when it comes.
}

// What was made under other rights is not sent.
void DeliveryDesk::replan(Active& active) {
  active.plan = plans_.plan_of(active.order.spec);
  if (active.read && !active.order.proofs.empty() && active.messages == 0) {
    active.at = active.order.from;
    active.again = true;
  }
  active.ready.clear();
  active.failure.reset();
  active.read = false;
}

void DeliveryDesk::take(std::vector<core::DeliverOrder> orders, const Outlet& outlet, const std::function<FeedVector()>& heads) {
  std::optional<FeedVector> all;
  for (Active& active : flash_) active.waited = true;
  for (Active& active : others_) active.waited = true;
  for (core::DeliverOrder& order : orders) {
    Active active;
    active.at = order.from;
    active.plan = plans_.plan_of(order.spec);
    if (order.search) {
      if (!all) all = heads();
      active.passed_over = active.plan->passed_over(*all);
    }
    active.flash = outlet.is_flash(order.connection);
    active.order = std::move(order);
    enqueue(std::move(active));
  }
}

void DeliveryDesk::enqueue(Active active) {
  auto& queue = active.flash ? flash_ : others_;
  queue.push_back(std::move(active));
}

bool DeliveryDesk::say_flash(Outlet& outlet, std::size_t& steps) {
  if (flash_.empty()) return true;
  Pace pace(steps * kStepWork);
  while (!flash_.empty() && !pace.over()) perform_next(flash_, outlet, pace);
  steps = pace.left() / kStepWork;
  return flash_.empty();
}

bool DeliveryDesk::say_others(Outlet& outlet, std::size_t& steps, std::size_t& unbroken) {
  while (true) {
    take_cold();
    ask_waiting();
    if (!say_flash(outlet, steps) || (others_.empty() && !cold_->done())) return true;
    Pace pace(steps * kStepWork, [&outlet] { return outlet.flash_waits_now(); });
    while (!others_.empty() && !pace.over()) {
      pace.unbroken(unbroken > 0);
      if (unbroken > 0)
        --unbroken;
      else if (outlet.flash_waits())
        return false;
      perform_next(others_, outlet, pace);
    }
    steps = pace.left() / kStepWork;
    if (pace.broken()) return false;
    if (!others_.empty()) return true;
  }
}

void DeliveryDesk::perform_next(std::deque<Active>& queue, Outlet& outlet, Pace& pace) {
  pace.charge(kStepWork);
  Active active = std::move(queue.front());
  queue.pop_front();
  const core::DeliverOrder& order = active.order;
  if (active.waited && !still_open_(order.connection, order.follow)) {
    finish(active);
    return;
  }
  switch (step(active, outlet, pace)) {
    case Step::more:
      queue.push_back(std::move(active));
      break;
    case Step::cold:
      ask_cold(std::move(active));
      break;
    case Step::over:
      break;
  }
}

DeliveryDesk::Step DeliveryDesk::step(Active& active, Outlet& outlet, Pace& pace) {
  const core::DeliverOrder& order = active.order;
  if (active.again) return finish(active);
  if (!active.ready.empty()) {
    const Chunk chunk = std::move(active.ready.front());
    active.ready.pop_front();
    return send(active, chunk, outlet);
  }
  if (active.failure) return fail(active, *active.failure);
  if (active.at >= order.head) {  // it asks, or jumped, to be told that it stands there
    const Chunk standing{std::make_shared<const Bytes>(), active.at, false};
    return active.messages == 0 ? send(active, standing, outlet) : finish(active);
  }
  if (active.bytes >= order.max_bytes || active.messages >= order.max_messages) return finish(active);
  if (!recent_.holds(active.at) || active.passed_over || too_much_to_judge(active) || too_much_to_pack(active))
    return active.read ? finish(active) : Step::cold;
  const auto chunk = chunk_for(active, pace);  // compressed ahead of its turn, it is looked up when that comes
  if (!chunk) return fail(active, chunk.error());
  if (pace.broken()) return Step::more;  // it is sent when what is urgent has been said
  return chunk->next > active.at ? send(active, *chunk, outlet) : finish(active);
}

DeliveryDesk::Step DeliveryDesk::send(Active& active, const Chunk& chunk, Outlet& outlet) {
  const core::DeliverOrder& order = active.order;
  const bool caught_up = chunk.next >= order.head;
  // A stretch without anything for this follower needs no words until its end.
  if (!chunk.segments->empty() || (caught_up && !order.quiet)) {
    switch (outlet.deliver(order.connection, {order.follow, chunk.next, caught_up, chunk.packed}, chunk.segments)) {
      case SendResult::sent:
        active.bytes += chunk.segments->size();
        active.wire_bytes += chunk.wire_bytes();
        active.messages += 1;
        break;
      case SendResult::full:
        return finish(active);
      case SendResult::gone:
        return finish(active, true);
    }
  }
  active.at = chunk.next;
  return caught_up ? finish(active) : Step::more;
}

DeliveryDesk::Step DeliveryDesk::finish(const Active& active, bool unreachable) {
  const core::DeliverOrder& order = active.order;
  done_.push_back({{order.connection, order.follow, active.at, active.bytes, active.messages > 0, unreachable, active.messages,
                    active.wire_bytes},
                   active.at > order.from});
  return Step::over;
}

DeliveryDesk::Step DeliveryDesk::fail(const Active& active, const store::StoreFailure& why) {
  ended_.push_back({active.order, active.at, why.detail});
  return finish(active);
}

store::StoreResult<Chunk> DeliveryDesk::chunk_for(const Active& active, Pace& pace) {
  const std::uint64_t credit = active.order.max_bytes - active.bytes;
  const Offset head = active.order.head;
  const auto make = [&](std::uint64_t max_bytes) {
    auto chunk = make_chunk(*active.plan, stretch_of(active, max_bytes), recent_, pace);
    if (chunk) pack_chunk(*active.plan, *chunk, packer_, pace);
    return chunk;
  };
  if (active.order.step_bytes > 0) return make(credit);  // cut to the measure of one link
  const Place place{active.plan, active.at};
  const auto known = shared_.find(place);
  if (known != shared_.end() && (known->second.chunk.full || known->second.head >= head) &&
      known->second.chunk.segments->size() <= credit)
    return known->second.chunk;
  auto chunk = make(kMaxDeliverBytes);
  if (!chunk) return chunk;
  if (chunk->segments->size() > credit) return make(credit);
  if (known != shared_.end()) {
    shared_bytes_ -= known->second.chunk.held_bytes();
  } else {
    shared_order_.push_back(place);
  }
  shared_bytes_ += chunk->held_bytes();
  shared_[place] = {*chunk, head};
  while (shared_bytes_ > kSharedChunkBytes || shared_order_.size() > kMaxSharedChunks) {
    const auto oldest = shared_.find(shared_order_.front());
    shared_bytes_ -= oldest->second.chunk.held_bytes();
    shared_.erase(oldest);
    shared_order_.pop_front();
  }
  return chunk;
}

Stretch DeliveryDesk::stretch_of(const Active& active, std::uint64_t max_bytes) {
  const std::uint64_t step = active.order.step_bytes;
  return {active.at, active.order.head, max_bytes, step == 0 ? kStepBytes : std::min<std::uint64_t>(step, kStepBytes)};
}

bool DeliveryDesk::too_much_to_pack(const Active& active) const {
  if (!active.plan->packs()) return false;
  std::size_t bytes = 0;
  std::size_t scanned = 0;
  recent_.each(active.at, [&](const HeldSegment& segment) {
    if (segment.first() >= active.order.head || scanned > kMaxDeliverScanBytes) return false;
    scanned += segment.bytes().size();
    if (active.plan->feed_admitted(segment.info().feed)) bytes += segment.bytes().size();
    return bytes <= kLivePackBytes;
  });
  return bytes > kLivePackBytes;
}

bool DeliveryDesk::too_much_to_judge(const Active& active) const {
  if (!active.plan->by_area()) return false;
  std::uint64_t flash = 0;
  std::uint64_t other = 0;
  recent_.each(active.at, [&](const HeldSegment& segment) {
    if (segment.first() >= active.order.head) return false;
    if (!active.plan->feed_admitted(segment.info().feed)) return true;
    const std::uint64_t ahead = segment.end().value - std::max(active.at, segment.first()).value;
    (segment.info().feed.lane == Lane::flash ? flash : other) += segment.bytes().size() * ahead / segment.info().count;
    return flash <= kLiveAreaFlashBytes && other <= kLiveAreaBytes;
  });
  return flash > kLiveAreaFlashBytes || other > kLiveAreaBytes;
}

void DeliveryDesk::ask_cold(Active active) {
  const std::uint64_t credit = active.order.max_bytes - active.bytes;
  const std::uint32_t messages = active.order.max_messages - active.messages;
  const Place place{active.plan, active.at};
  if (const auto at = waiting_at_.find(place); at != waiting_at_.end() && !active.passed_over && active.order.step_bytes == 0) {
    Asked& asked = waiting_.at(at->second);
    asked.job.stretch.max_bytes = std::min(asked.job.stretch.max_bytes, credit);
    asked.job.max_messages = std::min(asked.job.max_messages, messages);
    asked.takers.push_back(std::move(active));
    return;
  }
  const std::uint64_t id = next_job_++;
  Asked asked{{id, active.plan, stretch_of(active, credit), messages, active.passed_over, {}}, {}};
  if (active.passed_over) asked.job.proofs = active.order.proofs;
  if (!active.passed_over && active.order.step_bytes == 0) waiting_at_[place] = id;
  asked.takers.push_back(std::move(active));
  waiting_.emplace(id, std::move(asked));
}

void DeliveryDesk::ask_waiting() {
  while (!waiting_.empty() && asked_.size() < kMaxColdJobs) {
    auto next = waiting_.extract(waiting_.begin());
    const ColdJob& job = next.mapped().job;
    if (!job.passed_over) waiting_at_.erase({job.plan, job.stretch.from});
    cold_->ask(job);
    asked_.insert(std::move(next));
  }
}

void DeliveryDesk::take_cold() {
  while (auto result = cold_->take()) {
    auto asked = asked_.extract(result->id);
    const bool current = plans_.current(asked.mapped().job.plan);
    for (Active& active : asked.mapped().takers) {
      active.waited = true;
      if (!current) {
        replan(active);
      } else {
        active.passed_over.reset();
        active.read = true;
        active.at = std::max(active.at, result->from);
        active.ready.assign(result->chunks.begin(), result->chunks.end());
        active.failure = result->failure;
      }
      enqueue(std::move(active));
    }
  }
}

}  // namespace lianxi::app
