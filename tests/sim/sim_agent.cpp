#include "tests/sim/sim_agent.h"

#include <algorithm>

#include "schemas/codec/event_codec.h"
#include "schemas/mobilisation_thread.h"
#include "schemas/vocabulary.h"

namespace lianxi::sim {
namespace {

constexpr Lane kLanes[] = {Lane::flash, Lane::normal, Lane::bulk};
constexpr std::size_t kWindow = 24;  // events on their way in one lane
constexpr TimeMs kSilenceMs = 3'000;
constexpr TimeMs kWatchMs = 500;
constexpr std::size_t kWideGap = 10'000;

// What leaves the sequence free.
bool consumes_nothing(RefusalCode code) {
  switch (code) {
    case RefusalCode::busy:
    case RefusalCode::disk_full:
    case RefusalCode::sequence_gap:
    case RefusalCode::sequence_reused:
    case RefusalCode::session_unknown:
    case RefusalCode::too_many_sessions:
      return true;
    default:
      return false;
  }
}

}  // namespace

SimAgent::SimAgent(World& world, Network& network, Book& book, Story& story, AgentSettings settings)
    : world_(world),
      network_(network),
      book_(book),
      story_(story),
      settings_(std::move(settings)),
      random_(world.random().fork()),
      session_(random_.next() | 1U),
      wild_(settings_.wild) {
  network_.name(settings_.host, settings_.agent.id.text());
}

void SimAgent::start() {
  for (std::size_t socket = 0; socket < kSockets; ++socket) connect(socket);
  world_.after(random_.between(0, 1000), [this] { write_some(); });
  world_.after(kWatchMs, [this] { watch(); });
}

void SimAgent::connect(std::size_t socket) {
  sockets_[socket].dialer = network_.dial(settings_.host, settings_.node, static_cast<std::uint8_t>(socket), settings_.agent,
                                          {[this, socket](const Message& message) { heard(socket, message); },
                                           [this, socket](const std::string&) { hello(socket); }});
  hello(socket);
}

void SimAgent::hello(std::size_t socket) {
  sockets_[socket].welcome = false;
  sockets_[socket].heard = world_.now();
  Hello message;
  message.session = session_;
  message.close_sessions = left_;
  message.software = "simulated agent";
  for (const Lane lane : kLanes) {
    const Box& b = box(lane);
    message.lanes.push_back({lane, Sequence(b.entries.size()), Sequence(b.told)});
  }
  network_.send(sockets_[socket].dialer, message);
}

void SimAgent::heard(std::size_t socket, const Message& message) {
  sockets_[socket].heard = world_.now();
  if (const auto* welcome = std::get_if<Welcome>(&message)) {
    on(socket, *welcome);
  } else if (const auto* answers = std::get_if<Answers>(&message)) {
    if (answers->session == session_) on(*answers);
  } else if (const auto* replicated = std::get_if<Replicated>(&message)) {
    if (replicated->session == session_) on(*replicated);
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    if (refused->session == session_) on(socket, *refused);
  }
  pump();
}

void SimAgent::on(std::size_t socket, const Welcome& welcome) {
  if (welcome.session != session_) return;
  if (doubtful_ && is_behind(socket, welcome)) return leave_session();
  if (sockets_[socket].known && !welcome.session_known) {
    world_.fail("promise 2: the node of " + to_text(welcome.region) + " has forgotten the session of " +
                settings_.agent.id.text());
    return;
  }
  for (const LaneState& state : welcome.lanes) {
    if (socket_of(state.lane) != socket) continue;  // what was said meanwhile on the other connection may be newer
    Box& b = box(state.lane);
    std::size_t answered = 0;
    for (std::size_t i = 0; i < b.entries.size(); ++i) {
      if (b.entries[i].answered) answered = i + 1;
    }
    if (state.high_water.value < answered && doubtful_) return leave_session();
    if (state.high_water.value < answered) {
      world_.fail("promise 1: " + settings_.agent.id.text() + " holds answers up to " + std::to_string(answered) + " of lane " +
                  std::string(to_word(state.lane)) + ", its node has " + std::to_string(state.high_water.value));
      return;
    }
    b.sent = b.through;  // what got no answer is sent again
  }
  sockets_[socket].welcome = sockets_[socket].compared = true;
  left_.clear();
}

void SimAgent::on(std::size_t socket, const Refused& refused) {
  world_.count("refused " + std::string(to_word(refused.refusal.code)));
  if (refused.refusal.code == RefusalCode::session_unknown) {
    if (sockets_[socket].known && !doubtful_)
      world_.fail("promise 2: " + settings_.agent.id.text() + " hears: " + refused.refusal.reason);
    hello(socket);
  }
}

void SimAgent::on(const Answers& answers) {
  const SessionId session = session_;
  for (const ReceiptRange& range : answers.receipts) {
    if (session == session_) receipt(range);
  }
  for (const SequenceRefusal& one : answers.refusals) {
    if (session == session_) refusal(one);
  }
}

void SimAgent::on(const Replicated& replicated) {
  for (const ReplicatedRange& range : replicated.ranges) {
    if (range.held >= range.wanted) world_.count("ack levels reached");
    for (std::uint32_t i = 0; i < range.count; ++i) {
      const Sequence sequence(range.first_sequence.value + i);
      book_.replicated({settings_.agent.id, session_, range.lane, sequence}, range.held);
    }
  }
}

void SimAgent::receipt(const ReceiptRange& range) {
  const SessionId session = session_;
  world_.note(settings_.agent.id.text() + " has receipts of " + std::string(to_word(range.lane)) + " " +
              std::to_string(range.first_sequence.value) + ".." + std::to_string(range.first_sequence.value + range.count - 1));
  for (std::uint32_t i = 0; i < range.count && session == session_; ++i) {
    Answered answered;
    answered.accepted = true;
    answered.hash = range.body_hashes[i];
    answered.feed = {settings_.agent.id.region(), range.epoch, range.lane, range.audience};
    answered.feed_sequence = Sequence(range.first_feed_sequence.value + i);
    answered.ordinal = Ordinal(range.first_ordinal.value + i);
    answered.offset = Offset(range.first_offset.value + i);
    take(range.lane, range.first_sequence.value + i, answered);
  }
}

void SimAgent::refusal(const SequenceRefusal& one) {
  const RefusalCode code = one.refusal.code;
  world_.count("refused " + std::string(to_word(code)));
  world_.note(settings_.agent.id.text() + " is refused " + std::string(to_word(one.lane)) + " " +
              std::to_string(one.sequence.value) + ": " + one.refusal.field + ": " + one.refusal.reason);
  Box& b = box(one.lane);
  const std::uint64_t sequence = one.sequence.value;
  if (code == RefusalCode::sequence_reused) {
    if (doubtful_) return leave_session();
    const bool ours = sequence <= b.entries.size() && sequence > b.told && b.entries[sequence - 1].hash == one.body_hash;
    if (ours)
      world_.fail("promise 2: " + settings_.agent.id.text() + " repeats sequence " + std::to_string(sequence) +
                  " and hears: " + one.refusal.reason);
    return;
  }
  if (consumes_nothing(code)) return;
  Answered answered;
  answered.hash = one.body_hash;
  answered.code = code;
  take(one.lane, sequence, answered);
}

void SimAgent::take(Lane lane, std::uint64_t sequence, const Answered& answered) {
  Box& b = box(lane);
  const bool fits = sequence > 0 && sequence <= b.entries.size() && b.entries[sequence - 1].hash == answered.hash;
  if (doubtful_ && !fits) return leave_session();
  if (sequence == 0 || sequence > b.entries.size()) {
    world_.fail(settings_.agent.id.text() + " gets an answer to sequence " + std::to_string(sequence) + ", which it never used");
    return;
  }
  Entry& entry = b.entries[sequence - 1];
  if (entry.hash != answered.hash) {
    world_.fail("promise 2: the answer to " + settings_.agent.id.text() + " " + std::string(to_word(lane)) + " " +
                std::to_string(sequence) + " is about another body");
    return;
  }
  sockets_[socket_of(lane)].known = true;
  if (entry.answered) world_.count("answers repeated");
  if (!entry.answered && lane == Lane::flash) note_promise(entry, answered);
  if (!entry.answered) entry.said = false;
  entry.answered = true;
  const HostId by = network_.reached(sockets_[socket_of(lane)].dialer).value_or(settings_.node);
  if (by != settings_.node) world_.fired(Fault::clone_answered);
  book_.answer({settings_.agent.id, session_, lane, Sequence(sequence)}, answered, by);
  while (b.through < b.entries.size() && b.entries[b.through].answered) ++b.through;
}

bool SimAgent::all_answered() const {
  return std::all_of(boxes_.begin(), boxes_.end(), [](const Box& b) { return b.through == b.entries.size(); });
}
bool SimAgent::idle() const {
  return written_ >= settings_.events && all_answered() && !has_duties();
}

bool SimAgent::has_duties() const {
  return settings_.finishes && story_.race().has_duties(settings_.agent.id.region());
}

void SimAgent::behave() {
  wild_ = false;
  if (settings_.finishes) finish_some();
}

// As a person would who looks at what is still open, every second or so.
void SimAgent::finish_some() {
  constexpr TimeMs kLookMs = 1'500;
  if (world_.failed()) return;
  if (written_ >= settings_.events && all_answered()) {
    for (const Event& event : story_.race().to_finish(settings_.agent.id.region(), settings_.agent.agency)) {
      Entry entry;
      entry.bytes = encode_event(event);
      entry.hash = body_hash(entry.bytes);
      entry.others = others_of(event.envelope.audience);
      box(lane_of(event)).entries.push_back(std::move(entry));
      world_.count("mobilisations brought to their end");
    }
    pump();
  }
  world_.after(kLookMs, [this] { finish_some(); });
}

void SimAgent::note_promise(const Entry& entry, const Answered& answered) {
  const Result<Event> event = decode_event(entry.bytes);
  const auto* message = event ? std::get_if<Mobilisation>(&event->body) : nullptr;
  if (message == nullptr) return;
  const bool takes_some =
      std::any_of(message->items.begin(), message->items.end(), [&](const auto& item) { return takes(*message, item); });
  world_.count(std::string(answered.accepted ? "taken " : "refused ") + std::string(to_word(message->message)));
  if (!answered.accepted && answered.code == RefusalCode::conflict && takes_some) world_.fired(Fault::promise_refused);
  if (answered.accepted && takes_some) world_.fired(Fault::promise_made);
}

std::string SimAgent::state() const {
  std::string out = settings_.agent.id.text() + " wrote " + std::to_string(written_);
  for (const Box& b : boxes_) out += " " + std::to_string(b.through) + "/" + std::to_string(b.entries.size());
  return out;
}

std::size_t SimAgent::others_of(const Audience& audience) const {
  if (audience.is_local()) return 0;
  return audience == Audience::conference() ? settings_.nodes - 1 : std::min<std::size_t>(2, settings_.nodes) - 1;
}

void SimAgent::write_some() {
  Prng& random = random_;
  if (written_ < settings_.events) {
    for (std::int64_t n = random.between(1, 5); n > 0; --n) {
      Entry entry;
      Lane lane{};
      if (random.chance(8)) {
        entry.bytes = story_.bad(settings_.agent.id.region(), settings_.agent.agency, lane);
        book_.never(body_hash(entry.bytes));
      } else {
        const Event event = story_.next(settings_.agent.id.region(), settings_.agent.agency);
        lane = lane_of(event);
        entry.bytes = encode_event(event);
        entry.others = others_of(event.envelope.audience);
      }
      entry.hash = body_hash(entry.bytes);
      box(lane).entries.push_back(std::move(entry));
      ++written_;
    }
    if (random.chance(15)) copy_ = Copy{session_, boxes_, false};
    pump();
    world_.after(random.between(100, 2500), [this] { write_some(); });
  }
}

void SimAgent::pump() {
  for (const Lane lane : kLanes) {
    if (!sockets_[socket_of(lane)].welcome || world_.failed()) continue;
    pump_lane(lane);
    if (wild_ && !doubtful_ && random_.chance(4)) misbehave(lane);
  }
}

void SimAgent::pump_lane(Lane lane) {
  Box& b = box(lane);
  while (b.sent < b.entries.size() && b.sent < b.through + kWindow) {
    const std::size_t first = b.sent;
    const std::size_t count = std::min<std::size_t>(b.entries.size() - first, 1 + random_.below(6));
    std::vector<Bytes> events;
    for (std::size_t i = first; i < first + count; ++i) {
      events.push_back(b.entries[i].bytes);
      b.entries[i].said = true;
    }
    b.sent = first + count;
    publish(lane, first + 1, std::move(events));
  }
}

void SimAgent::publish(Lane lane, std::size_t first, std::vector<Bytes> events) {
  Box& b = box(lane);
  // Often the client says late what it has, so that answers stay kept and can be asked for again.
  if (random_.chance(30))
    b.told = b.through - static_cast<std::size_t>(random_.below(std::min<std::size_t>(b.through - b.told, 6) + 1));
  Publish message;
  message.session = session_;
  message.lane = lane;
  message.first_sequence = Sequence(first);
  message.answered_through = Sequence(b.told);
  message.events = std::move(events);
  if (random_.chance(40)) ask_peers(message);
  network_.send(sockets_[socket_of(lane)].dialer, message);
}

// Mostly for what can be: more peers than hold the audience are refused.
void SimAgent::ask_peers(Publish& publish) {
  constexpr std::uint32_t kDeadlinesMs[] = {0, 500, 3'000, 30'000};
  Prng& random = random_;
  const Box& b = box(publish.lane);
  std::size_t most = settings_.nodes - 1;
  for (std::size_t i = 0; i < publish.events.size() && !(wild_ && random.chance(3)); ++i) {
    const std::size_t at = publish.first_sequence.value - 1 + i;
    most = std::min(most, at < b.entries.size() ? b.entries[at].others : 0);
  }
  if (most == 0) return;
  publish.peers = static_cast<std::uint8_t>(1 + random.below(most));
  publish.deadline_ms = kDeadlinesMs[random.below(std::size(kDeadlinesMs))];
}

void SimAgent::misbehave(Lane lane) {
  Box& b = box(lane);
  Prng& random = random_;
  switch (random.below(4)) {
    case 0:
    case 1: {  // a repeat of what has its answer
      if (b.through <= b.told) return;
      const std::size_t first = b.told + static_cast<std::size_t>(random.below(b.through - b.told));
      const std::size_t count = std::min<std::size_t>(b.through - first, 1 + random.below(4));
      std::vector<Bytes> events;
      for (std::size_t i = first; i < first + count; ++i) {
        events.push_back(b.entries[i].bytes);
        b.entries[i].said = true;
      }
      world_.fired(Fault::answered_repeated);
      publish(lane, first + 1, std::move(events));
      return;
    }
    case 2: {  // another body under a used sequence
      if (b.through <= b.told) return;
      world_.fired(Fault::sequence_reused);
      const std::size_t sequence = b.told + 1 + static_cast<std::size_t>(random.below(b.through - b.told));
      const Bytes other = encode_event(story_.next(settings_.agent.id.region(), settings_.agent.agency));
      book_.never_while_known(settings_.agent.id.region(), body_hash(other));
      publish(lane, sequence, {other});
      return;
    }
    default: {  // a gap, so wide that no late copy of it ever fits
      world_.fired(Fault::sequence_skipped);
      const Bytes other = encode_event(story_.next(settings_.agent.id.region(), settings_.agent.agency));
      book_.never(body_hash(other));
      publish(lane, b.entries.size() + kWideGap + static_cast<std::size_t>(random.below(5)), {other});
    }
  }
}

void SimAgent::watch() {
  for (std::size_t socket = 0; socket < kSockets; ++socket) {
    bool waiting = !sockets_[socket].welcome;
    for (const Lane lane : kLanes) waiting = waiting || (socket_of(lane) == socket && box(lane).through < box(lane).sent);
    if (!waiting || world_.now() - sockets_[socket].heard < kSilenceMs) continue;
    if (random_.chance(50)) network_.reset(sockets_[socket].dialer);
    hello(socket);
  }
  const bool used = sockets_[0].known || sockets_[1].known;
  if (wild_ && used && all_answered() && random_.chance(3)) new_session();
  pump();
  world_.after(kWatchMs, [this] { watch(); });
}

// Everything is answered: the old session is done with.
void SimAgent::new_session() {
  world_.fired(Fault::session_closed);
  left_.push_back(session_);
  session_ = SessionId(random_.next() | 1U);
  boxes_ = {};
  doubtful_ = false;
  for (Socket& socket : sockets_) socket.known = false;
  for (std::size_t socket = 0; socket < kSockets; ++socket) hello(socket);
}

}  // namespace lianxi::sim
