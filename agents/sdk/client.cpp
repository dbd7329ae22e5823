#include <sodium.h>
#include <algorithm>
#include <zmq.hpp>

#include "agents/sdk/client_impl.h"
#include "agents/sdk/stream_state.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::sdk {
namespace {

Result<void> check_follow(const FollowOptions& options) {
  if (options.flash_endpoint && options.lanes != mask_of(Lane::flash)) {
    return refuse(RefusalCode::wrong_lane, "lanes", "the flash endpoint serves the flash lane alone; ask for that lane only");
  }
  if (options.lanes == 0 || (options.lanes & ~kAllLanes) != 0) {
    return refuse(RefusalCode::invalid_field, "lanes", "name at least one of flash, normal, bulk");
  }
  if (options.from == FollowFrom::vector) {
    return refuse(RefusalCode::invalid_field, "from", "a client follows from beginning, now or a cursor");
  }
  if (options.cursor_name.size() > kMaxCursorNameBytes) {
    return refuse(RefusalCode::oversize, "cursor_name", "at most " + std::to_string(kMaxCursorNameBytes) + " bytes");
  }
  if (options.cursor_name.empty() && (options.from == FollowFrom::named || options.cursor_by_hand)) {
    return refuse(RefusalCode::missing_field, "cursor_name", "a follow on a named cursor names it");
  }
  Follow follow;
  follow.filter = options.filter;
  return fits(follow);
}

// Memory that publishing uses again; each thread its own.
struct Scratch {
  EventEncoder encoder;
  Bytes bytes;
  std::vector<std::size_t> ends;  // in `bytes`
  std::vector<NewEvent> events;
  std::vector<std::size_t> index;
  void clear() {
    bytes.clear();
    ends.clear();
    events.clear();
    index.clear();
  }
};
Scratch& scratch() {
  static thread_local Scratch mine;
  return mine;
}
constexpr std::size_t kHandOverBytes = 512 * 1024;  // of one commit of a call with many events

// Borrowed until this thread encodes again.
Result<BytesView> bytes_of(const Event& event) {
  if (auto good = check_event(event); !good) return tl::unexpected(std::move(good.error()));
  const BytesView bytes = scratch().encoder.encode(event);
  if (bytes.size() > kMaxBodyBytes) {
    return refuse(RefusalCode::oversize, "event",
                  "the event takes " + std::to_string(bytes.size()) + " bytes, at most " + std::to_string(kMaxBodyBytes) +
                      " may be sent; shorten texts or areas");
  }
  return bytes;
}

}  // namespace

SessionId random_session() {
  std::uint64_t number = 0;
  while (number == 0) randombytes_buf(&number, sizeof number);
  return SessionId(number);
}

Result<std::unique_ptr<Client>> Client::open(const Profile& profile, ClientOptions options) {
  if (sodium_init() < 0) return refuse(RefusalCode::internal, "", "the system's random source does not work");
  if (auto fit = check_security(profile); !fit) return tl::unexpected(fit.error());
  std::unique_ptr<Outbox> outbox;
  if (options.outbox.empty()) {
    outbox = make_memory_outbox(random_session(), options.max_waiting_bytes);
  } else {
    auto opened = open_sqlite_outbox(options.outbox, profile.agent, profile.region, random_session());
    if (!opened) return tl::unexpected(opened.error());
    outbox = std::move(*opened);
  }
  try {
    return std::make_unique<ClientImpl>(profile, std::move(options), std::move(outbox));
  } catch (const std::exception& error) {
    return refuse(RefusalCode::internal, "", std::string("the client cannot start: ") + error.what());
  }
}

ClientImpl::ClientImpl(const Profile& profile, ClientOptions options, std::unique_ptr<Outbox> outbox)
    : profile_(profile),
      options_(std::move(options)),
      outbox_(std::move(outbox)),
      context_(std::make_unique<zmq::context_t>(1)),
      query_line_(*context_, profile_),
      waiters_(outbox_->first_ticket()),
      publisher_(
          *outbox_, {options_.max_in_flight, options_.max_in_flight_bytes},
          {.answered = [this](Lane lane, std::span<const Ticket> tickets, const Outcome& first) { answer(lane, tickets, first); },
           .report =
               [this](const std::string& text) {
                 if (options_.report) options_.report(text);
               },
           .fresh_session = random_session},
          &acks_) {
  wants_publishing_ = pending() > 0;
  thread_ = std::thread([this] { run(); });
}

ClientImpl::~ClientImpl() {
  query_line_.close();
  StoreQueue* storing = nullptr;
  {
    const std::scoped_lock lock(storing_mutex_);
    storing_ended_ = true;
    storing = storing_.get();
  }
  // Callbacks publish until the thread ends: the queue stays, closed.
  if (storing != nullptr) storing->close();
  stopping_ = true;
  wake();
  thread_.join();
}

void ClientImpl::wake() {
  if (posted_.exchange(true)) return;  // somebody else's wake, or its look before it sleeps, is still to come
  if (!sleeping_) return;
  wake_.signal();
}

void ClientImpl::post(std::function<void()> task) {
  {
    const std::scoped_lock lock(tasks_mutex_);
    tasks_.push_back(std::move(task));
  }
  wake();
}

std::future<Outcome> ClientImpl::publish(const Event& event) {
  std::promise<Outcome> promise;
  auto future = promise.get_future();
  store(event, std::move(promise));
  return future;
}

void ClientImpl::publish(const Event& event, std::function<void(const Outcome&)> done) {
  store(event, std::move(done));
}

Published ClientImpl::publish(const Event& event, const PublishOptions& options) {
  std::promise<Outcome> promise;
  const auto replicated = std::make_shared<std::promise<Result<Replication>>>();
  Published published{promise.get_future(), replicated->get_future()};
  store(event, std::move(promise), options,
        [replicated](const Result<Replication>& replication) { replicated->set_value(replication); });
  return published;
}

void ClientImpl::publish(const Event& event, const PublishOptions& options, std::function<void(const Outcome&)> done,
                         std::function<void(const Result<Replication>&)> replicated) {
  store(event, std::move(done), options, std::move(replicated));
}

void ClientImpl::publish(std::span<const Event> events, EachDone done) {
  store_many(events, std::move(done), false);
}

void ClientImpl::publish_async(std::span<const Event> events, EachDone done) {
  store_many(events, std::move(done), !outbox_->in_memory());
}

std::future<Outcome> ClientImpl::publish_once(const Event& event, std::string_view key) {
  std::promise<Outcome> promise;
  auto future = promise.get_future();
  if (key.empty()) {
    store(event, std::move(promise));
  } else {
    store_once(event, std::string(key), std::move(promise));
  }
  return future;
}

void ClientImpl::forget_keys(std::string_view prefix) {
  outbox_->forget_keys(std::string(prefix));
}

void ClientImpl::tell_later(Waiter waiter, Outcome outcome) {
  auto shared = std::make_shared<Waiter>(std::move(waiter));
  post([shared, outcome = std::move(outcome)] { tell(*shared, outcome); });
}

void ClientImpl::stored() {
  if (!wants_publishing_) wants_publishing_ = true;
  wake();
}

void ClientImpl::not_stored(Lane lane, Ticket ticket, const Refusal& refusal) {
  tell_later(waiters_.withdraw(lane, ticket), tl::unexpected(refusal));
}

void ClientImpl::store(const Event& event, Waiter waiter, const PublishOptions& options, PeerAcks::Done replicated) {
  const auto bytes = bytes_of(event);
  if (!bytes) {
    tell_later(std::move(waiter), tl::unexpected(bytes.error()));
    if (replicated) post([replicated, refusal = bytes.error()] { replicated(tl::unexpected(refusal)); });
    return;
  }
  const Lane lane = lane_of(event);
  const NewEvent fresh{waiters_.add(lane, std::move(waiter)), lane, *bytes};
  if (replicated) acks_.ask(fresh.ticket, options, std::move(replicated));
  if (auto appended = outbox_->append(std::span(&fresh, 1)); !appended) {
    not_stored(lane, fresh.ticket, appended.error());
    post([this, ticket = fresh.ticket, refusal = appended.error()] { acks_.tell(ticket, tl::unexpected(refusal)); });
    return;
  }
  stored();
}

void ClientImpl::store_once(const Event& event, const std::string& key, Waiter waiter) {
  const auto bytes = bytes_of(event);
  if (!bytes) return tell_later(std::move(waiter), tl::unexpected(bytes.error()));
  const Lane lane = lane_of(event);
  const NewEvent fresh{waiters_.add(lane, std::move(waiter)), lane, *bytes};
  const auto appended = outbox_->append_once(fresh, key);
  if (!appended) return not_stored(lane, fresh.ticket, appended.error());
  if (!appended->known) return stored();
  Waiter mine = waiters_.withdraw(lane, fresh.ticket);
  auto outcome = appended->outcome;
  if (!outcome) outcome = waiters_.attach(appended->ticket, mine, [&] { return outbox_->outcome_of(key); });
  if (outcome) tell_later(std::move(mine), std::move(*outcome));
}

void ClientImpl::store_many(std::span<const Event> events, EachDone done, bool async) {
  const auto shared = std::make_shared<const EachDone>(std::move(done));
  Scratch& mine = scratch();
  mine.clear();
  const auto flush = [&] {
    for (std::size_t i = 0, begin = 0; i < mine.events.size(); begin = mine.ends[i++]) {
      mine.events[i].bytes = BytesView(mine.bytes).subspan(begin, mine.ends[i] - begin);
    }
    if (!mine.events.empty()) hand_over(mine.events, mine.index, shared, async);
    mine.clear();
  };
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto bytes = bytes_of(events[i]);
    if (!bytes) {
      tell_later(ManyWaiter{shared, i}, tl::unexpected(bytes.error()));
      continue;
    }
    mine.bytes.insert(mine.bytes.end(), bytes->begin(), bytes->end());
    mine.ends.push_back(mine.bytes.size());
    mine.events.push_back({0, lane_of(events[i]), {}});
    mine.index.push_back(i);
    if (mine.bytes.size() >= kHandOverBytes) flush();
  }
  flush();
}

void ClientImpl::hand_over(std::span<NewEvent> events, std::span<const std::size_t> index,
                           const std::shared_ptr<const EachDone>& done, bool async) {
  StoreQueue* const storing = async ? store_queue() : nullptr;
  waiters_.add(events, index, done);
  // Without a queue the client is being closed, and what is stored at once is stored all the same.
  const auto appended = storing != nullptr ? storing->push(events) : outbox_->append(events);
  if (!appended) {
    for (const NewEvent& event : events) not_stored(event.lane, event.ticket, appended.error());
  } else if (storing == nullptr) {
    stored();
  }
}

// Lives as long as the client; null once it is being closed and nobody has asked before.
StoreQueue* ClientImpl::store_queue() {
  const std::scoped_lock lock(storing_mutex_);
  if (storing_ == nullptr && !storing_ended_) {
    storing_ = std::make_unique<StoreQueue>(
        *outbox_, options_.max_waiting_bytes,
        StoreQueue::Sinks{
            .stored = [this] { stored(); },
            .failed = [this](Lane lane, Ticket ticket, const Refusal& refusal) { not_stored(lane, ticket, refusal); }});
  }
  return storing_.get();
}

std::size_t ClientImpl::pending() const {
  std::uint64_t count = 0;
  for (Lane lane : {Lane::flash, Lane::normal, Lane::bulk}) {
    const std::uint64_t answered = outbox_->answered_through(lane).value;
    count += std::max(outbox_->last(lane).value, answered) - answered;
  }
  return count;
}

Result<SessionId> ClientImpl::follow(const FollowOptions& options, FollowCallbacks callbacks) {
  if (auto good = check_follow(options); !good) return tl::unexpected(good.error());
  const SessionId id = random_session();
  post([this, id, options, callbacks = std::move(callbacks)]() mutable {
    followers_.emplace(id, std::make_unique<Follower>(*context_, profile_, id, options, std::move(callbacks)));
  });
  return id;
}

EventStream ClientImpl::events(const FollowOptions& options) {
  const auto state = std::make_shared<EventStream::State>();
  if (auto good = check_follow(options); !good) {
    state->end(good.error());
    return EventStream(state);
  }
  const SessionId id = random_session();
  state->attach({.taken =
                     [this, id](const Chunk& chunk) {
                       post([this, id, bytes = chunk.payload.bytes.size(), next = chunk.next] {
                         if (const auto found = followers_.find(id); found != followers_.end()) found->second->taken(bytes, next);
                       });
                     },
                 .unfollow = [this, id] { unfollow(id); }});
  post([this, id, options, state] {
    followers_.emplace(id, std::make_unique<Follower>(*context_, profile_, id, options, FollowCallbacks{}, state));
  });
  return EventStream(state);
}

void ClientImpl::unfollow(SessionId follow) {
  post([this, follow] {
    const auto found = followers_.find(follow);
    if (found != followers_.end()) found->second->stop(now_ms_);
  });
}

void ClientImpl::done_with(SessionId follow, Offset below) {
  post([this, follow, below] {
    const auto found = followers_.find(follow);
    if (found != followers_.end()) found->second->done_with(below);
  });
}

QueryResult ClientImpl::query(const Ask& ask, std::chrono::milliseconds timeout, Offset after_offset) {
  return query_line_.ask(ask, timeout, after_offset);
}

bool ClientImpl::wait_connected(std::chrono::milliseconds timeout) {
  wants_publishing_ = true;
  wake();
  std::unique_lock lock(state_mutex_);
  return state_changed_.wait_for(lock, timeout, [this] { return connected_; });
}

std::optional<Welcome> ClientImpl::welcome() const {
  const std::scoped_lock lock(state_mutex_);
  return welcome_;
}

std::optional<Refusal> ClientImpl::trouble() const {
  {
    const std::scoped_lock lock(state_mutex_);
    if (trouble_) return trouble_;
  }
  return query_line_.trouble();
}

std::optional<Refusal> ClientImpl::held_back() const {
  const std::scoped_lock lock(state_mutex_);
  return held_back_;
}

}  // namespace lianxi::sdk
