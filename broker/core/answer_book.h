// The answers of one turn, by connection and session: collected while it is open, said when it is closed. Receipts of a run of
// sequences become one range.
#pragma once

#include <map>
#include <variant>
#include <vector>

#include "broker/core/sessions.h"

namespace lianxi::core {

class AnswerBook {
 public:
  // A first answer; `held` may be of the open turn.
  void receipt(const Connection& to, SessionId session, Lane lane, Sequence sequence, const HeldAnswer& held, bool this_turn);
  void refusal(const Connection& to, SessionId session, SequenceRefusal refusal);
  // Writes the messages behind what the turn has said so far.
  void close_turn(Turn& turn, const Sequencer& sequencer);

 private:
  struct Receipts {  // of a dense run
    Lane lane{};
    Sequence sequence;             // of the first, like the rest
    const FeedId* feed = nullptr;  // interned
    Sequence feed_sequence;
    Ordinal ordinal;
    Offset offset;
    Sequencer::Ticket ticket = 0;
    bool this_turn = false;
    std::vector<BodyHash> hashes;
    [[nodiscard]] bool goes_on(Lane lane, Sequence sequence, const HeldAnswer& held, bool this_turn) const;
  };
  using Item = std::variant<Receipts, SequenceRefusal>;
  struct Page {
    Connection to;
    SessionId session;
    std::vector<Item> items;
  };
  std::vector<Item>& page(const Connection& to, SessionId session);

  std::vector<Page> pages_;  // in order of first appearance
  std::map<std::pair<Connection, SessionId>, std::size_t> index_;
  std::size_t last_ = 0;  // page asked for last: the next answer is mostly of the same message
};

}  // namespace lianxi::core
