#include "broker/core/publishing.h"

#include <algorithm>

#include "broker/core/acceptance.h"
#include "schemas/codec/event_codec.h"
#include "schemas/decision.h"
#include "schemas/limits.h"

namespace lianxi::core {

struct Publishing::Call {
  Ground& ground;
  Turn& turn;
  const AgentMessage& from;
  const Publish& publish;
  Session& session;
  SessionLane& lane;
};

Publishing::Publishing(const LoadedState& loaded) : sessions_(loaded.sessions, loaded.answers) {}

// --- Hello ---

bool Publishing::close_asked(Turn& turn, const AgentMessage& from, const Hello& hello) {
  if (std::find(hello.close_sessions.begin(), hello.close_sessions.end(), hello.session) != hello.close_sessions.end()) {
    turn.refuse(from.connection,
                {hello.session,
                 0,
                 Lane::flash,
                 {RefusalCode::invalid_field, "close_sessions", "a Hello cannot close the session it opens", 0}});
    return false;
  }
  for (const SessionId session : hello.close_sessions) sessions_.close(SessionKey{from.agent.id, session});
  return true;
}

bool Publishing::room_for_session(Turn& turn, const AgentMessage& from, const Hello& hello) {
  // A session whose client keeps nothing over its end, and is not heard any more, is nobody's.
  while (const auto dead = sessions_.oldest_silent(from.agent.id, turn.now, kVolatileSilenceMs))
    sessions_.close(SessionKey{from.agent.id, *dead});
  const auto open = sessions_.of(from.agent.id);
  if (open.size() < kMaxSessionsPerAgent) return true;
  if (const auto silent = sessions_.oldest_silent(from.agent.id, turn.now, kPeerSilenceMs)) {
    sessions_.close(SessionKey{from.agent.id, *silent});
    return true;
  }
  // Programs that ask once and end leave sessions behind. One whose client holds every answer can go: nothing that the client
  // may still repeat has been taken here.
  if (const auto done = sessions_.oldest_answered(from.agent.id)) {
    sessions_.close(SessionKey{from.agent.id, *done});
    return true;
  }
  std::string reason = "this agent has " + std::to_string(open.size()) +
                       " sessions open, the most it may; close some by naming them in close_sessions. Open:";
  for (const auto& [session, used_at] : open) reason += " " + std::to_string(session.value) + ",";
  reason.back() = '.';
  turn.refuse(from.connection,
              {hello.session, 0, Lane::flash, {RefusalCode::too_many_sessions, "session", std::move(reason), 0}});
  return false;
}

void Publishing::hello(Ground& ground, Turn& turn, const AgentMessage& from, const Hello& hello) {
  if (hello.session.value == 0) {
    turn.refuse(
        from.connection,
        {hello.session, 0, Lane::flash, {RefusalCode::invalid_field, "session", "a session's number is random and never 0", 0}});
    return;
  }
  if (!close_asked(turn, from, hello)) return;
  const SessionKey key{from.agent.id, hello.session};
  Session* session = sessions_.use(key);
  Welcome welcome;
  welcome.session_known = session != nullptr;
  if (session == nullptr) {
    if (!room_for_session(turn, from, hello)) return;
    session = &sessions_.open(key, turn.now);
  }
  session->used_at = turn.now;
  session->keep_for(hello.volatile_outbox, from.connection);
  for (const LaneState& lane : hello.lanes) sessions_.answered(session->lane(lane.lane), lane.answered_through);
  welcome.session = hello.session;
  welcome.region = ground.region();
  welcome.epoch = ground.config.epoch;
  welcome.incarnation = ground.config.incarnation;
  welcome.agent = from.agent.id;
  for (const Lane lane : {Lane::flash, Lane::normal, Lane::bulk}) {
    const SessionLane& state = session->lane(lane);
    welcome.lanes.push_back(LaneState{lane, state.high_water, state.answered_through});
  }
  welcome.head = ground.sequencer.next_offset();
  welcome.time = turn.now;
  turn.send(from.connection, std::move(welcome));
}

// --- Publish ---

void Publishing::publish(Ground& ground, Turn& turn, const AgentMessage& from, const Publish& publish) {
  Session* session = sessions_.use(SessionKey{from.agent.id, publish.session});
  const auto refuse_all = [&](RefusalCode code, std::string field, std::string reason) {
    turn.refuse(from.connection,
                {publish.session, publish.first_sequence.value, publish.lane, {code, std::move(field), std::move(reason), 0}});
  };
  if (session == nullptr)
    return refuse_all(RefusalCode::session_unknown, "session", "this node does not know the session; say Hello first");
  if (publish.first_sequence.value == 0) return refuse_all(RefusalCode::invalid_field, "sequence", "sequences begin at 1");
  if (publish.events.size() > kMaxPublishEvents)
    return refuse_all(RefusalCode::oversize, "events", "at most " + std::to_string(kMaxPublishEvents) + " events in a publish");
  session->used_at = turn.now;
  Call call{ground, turn, from, publish, *session, session->lane(publish.lane)};
  sessions_.answered(call.lane, publish.answered_through);
  const std::vector<BytesView> bodies(publish.events.begin(), publish.events.end());
  std::vector<BodyHash> hashes(bodies.size());
  body_hashes(bodies, hashes);
  judge_.begin(from.agent, publish.lane, turn.now);
  Sequence sequence = publish.first_sequence;
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    if (!take(call, sequence, bodies[i], hashes[i])) return;
    sequence = Sequence{sequence.value + 1};
  }
}

bool Publishing::take(Call& call, Sequence sequence, BytesView body, const BodyHash& hash) {
  if (sequence <= call.lane.high_water) {
    repeat(call, sequence, hash);
    return true;
  }
  if (sequence.value != call.lane.high_water.value + 1) {
    hold_back(call, sequence, RefusalCode::sequence_gap,
              "this lane expects sequence " + std::to_string(call.lane.high_water.value + 1) + "; send from there");
    return false;
  }
  if (call.ground.disk_low) {
    hold_back(call, sequence, RefusalCode::disk_full,
              "the node's disk is below its headroom; it takes nothing until there is room");
    return false;
  }
  if (call.publish.peers > 0 && call.ground.durability.full(call.from.agent.id)) {
    hold_back(call, sequence, RefusalCode::busy, "too many events wait for other nodes to hold them; send again");
    return false;
  }
  if (call.lane.full()) {
    hold_back(call, sequence, RefusalCode::busy,
              "too many answers of this lane are kept for you; say in answered_through which you have");
    return false;
  }
  if (call.turn.bytes + body.size() > kMaxTurnBytes) {
    hold_back(call, sequence, RefusalCode::busy, "the node has too much at once; send again");
    return false;
  }
  if (too_fast(call, sequence, body.size())) return false;
  return consume(call, sequence, body, hash);
}

bool Publishing::too_fast(Call& call, Sequence sequence, std::size_t bytes) {
  const AgentId& agent = call.from.agent.id;
  const std::uint32_t after_ms =
      throttle_.take(agent, call.publish.lane, bytes, call.ground.policy().rates(agent), call.turn.now);
  if (after_ms == 0) return false;
  const std::uint64_t behind = call.publish.first_sequence.value + call.publish.events.size();
  call.turn.effects.throttled += static_cast<std::size_t>(behind - sequence.value);
  hold_back(call, sequence, RefusalCode::busy, "this agent publishes faster than its rate; send again from here", after_ms);
  return true;
}

void Publishing::repeat(Call& call, Sequence sequence, const BodyHash& hash) {
  if (sequence <= call.lane.answered_through) {
    say(call, sequence, hash,
        {RefusalCode::sequence_reused, "sequence",
         "this sequence was answered, and the client has said that it holds the answer; it is forgotten here", 0},
        true);
    return;
  }
  const HeldAnswer& held = call.lane.answer(sequence);
  if (held.hash != hash) {
    say(call, sequence, hash,
        {RefusalCode::sequence_reused, "sequence",
         "this sequence was used for another event; open a new session and send under fresh sequences", 0},
        true);
  } else if (held.refusal) {
    say(call, sequence, hash, *held.refusal, false);
  } else {
    const bool this_turn = sequence > call.lane.committed;
    book_.receipt(call.from.connection, call.publish.session, call.publish.lane, sequence, held, this_turn);
    if (call.publish.peers == 0) return;
    Durability& durability = call.ground.durability;
    if (this_turn)
      durability.ask(call.from, call.publish, sequence, *held.feed, held.ticket);
    else
      durability.ask(call.from, call.publish, sequence, *held.feed, {held.feed_sequence, held.offset});
  }
}

// False: held back, and nothing behind it may be taken.
bool Publishing::consume(Call& call, Sequence sequence, BytesView body, const BodyHash& hash) {
  call.turn.bytes += body.size();
  const Lane lane = call.publish.lane;
  call.ground.memory.now = call.ground.sequencer.clock().next_ms(call.turn.now);
  auto judged = judge_.judge(call.ground, call.ground.memory, body);
  if (judged && call.publish.peers > 0) {
    if (auto may = Durability::askable(call.ground, judged->feed->audience, call.publish.peers); !may)
      judged = tl::unexpected(std::move(may.error()));
  }
  if (!judged) {
    Refusal refusal = clipped(std::move(judged.error()));
    if (refusal.code == RefusalCode::busy) {
      hold_back(call, sequence, refusal.code, std::move(refusal.reason), refusal.retry_after_ms);
      return false;
    }
    refusal.retry_after_ms = 0;  // it consumes its sequence: there is nothing to retry
    sessions_.refused(call.session, lane, call.turn.now, hash, refusal);
    say(call, sequence, hash, std::move(refusal), true);
    return true;
  }
  Sequencer& sequencer = call.ground.sequencer;
  const auto ticket = sequencer.accept(call.turn, *judged->feed, {&call.from.agent.id, call.publish.session, sequence}, body);
  sessions_.accepted(call.session, lane, call.turn.now, hash, ticket, sequencer);
  if (judged->rules->remember != nullptr) {
    const Decision version = decision_of(judged->feed->epoch, sequencer.position(ticket).ordinal).value();
    judged->rules->remember({*judged->event, body, call.ground.region(), version, sequencer.clock().last()}, call.ground.memory);
  }
  if (lane == Lane::flash) call.turn.effects.flash = true;
  book_.receipt(call.from.connection, call.publish.session, lane, sequence, call.lane.answer(sequence), true);
  if (call.publish.peers > 0) call.ground.durability.ask(call.from, call.publish, sequence, *judged->feed, ticket);
  return true;
}

void Publishing::hold_back(Call& call, Sequence sequence, RefusalCode code, std::string reason, std::uint32_t after_ms) {
  say(call, sequence, BodyHash{}, {code, "sequence", std::move(reason), after_ms}, true);
}

void Publishing::say(Call& call, Sequence sequence, const BodyHash& hash, Refusal refusal, bool first) {
  if (first) call.turn.count(refusal.code);
  book_.refusal(call.from.connection, call.publish.session, {call.publish.lane, sequence, std::move(refusal), hash});
}

void Publishing::close_turn(Ground& ground, Turn& turn) {
  book_.close_turn(turn, ground.sequencer);
  sessions_.close_turn(turn.effects.batch, ground.sequencer);
}

}  // namespace lianxi::core
