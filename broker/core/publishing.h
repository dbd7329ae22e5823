// Hello and Publish: which events become this node's, and what their authors are told.
#pragma once

#include "broker/core/acceptance.h"
#include "broker/core/answer_book.h"
#include "broker/core/ground.h"
#include "broker/core/kinds/registry.h"
#include "broker/core/sessions.h"
#include "broker/core/throttle.h"

namespace lianxi::core {

class Publishing {
 public:
  explicit Publishing(const LoadedState& loaded);

  void hello(Ground& ground, Turn& turn, const AgentMessage& from, const Hello& hello);
  void publish(Ground& ground, Turn& turn, const AgentMessage& from, const Publish& publish);
  // Any other word of an agent: its sessions without a durable outbox live as long as their clients are heard.
  void heard(const Turn& turn, const AgentMessage& from) { sessions_.heard(from.agent.id, from.connection, turn.now); }
  // After Sequencer::close.
  void close_turn(Ground& ground, Turn& turn);

 private:
  struct Call;
  // False: consumed nothing, and what is behind must wait.
  bool take(Call& call, Sequence sequence, BytesView body, const BodyHash& hash);
  void repeat(Call& call, Sequence sequence, const BodyHash& hash);
  [[nodiscard]] bool consume(Call& call, Sequence sequence, BytesView body, const BodyHash& hash);
  void hold_back(Call& call, Sequence sequence, RefusalCode code, std::string reason, std::uint32_t after_ms = kRetryAfterMs);
  // True: the agent publishes too fast, and was told when to come again.
  bool too_fast(Call& call, Sequence sequence, std::size_t bytes);
  void say(Call& call, Sequence sequence, const BodyHash& hash, Refusal refusal, bool first);
  [[nodiscard]] bool close_asked(Turn& turn, const AgentMessage& from, const Hello& hello);
  [[nodiscard]] bool room_for_session(Turn& turn, const AgentMessage& from, const Hello& hello);

  Sessions sessions_;
  AnswerBook book_;
  Judge judge_;
  Throttle throttle_;
};

}  // namespace lianxi::core
