// The rules of publishing, without sockets: which events go next, what an answer means, when a session must be given up.
// Belongs to the client's I/O thread; time is a field (milliseconds of any steady clock).
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <optional>

#include "agents/sdk/client.h"
#include "agents/sdk/outbox.h"

namespace lianxi::sdk {

class Publisher {
 public:
  struct Sinks {
    std::function<void(Ticket, const Outcome&)> answered;
    std::function<void(const std::string&)> report;  // for a person
    std::function<SessionId()> fresh_session;
  };
  // Say whether the connections must say Hello (again): the session changed, or the node does not know it.
  enum class Next : std::uint8_t { go_on, hello };

  Publisher(Outbox& outbox, std::size_t max_in_flight, Sinks sinks);

  // For the connection that carries `lanes`. Only that one may say what is answered: another could overtake what still
  // travels here.
  [[nodiscard]] Hello hello(const std::string& software, LaneMask lanes) const;
  // Compares what both sides hold; then `lanes` may send. Hello may be said at any time, to hear whether the node is there.
  [[nodiscard]] Next welcomed(const Welcome& welcome, LaneMask lanes);
  // The connection that carried `lanes` is gone: what has no answer is sent again after the next welcome.
  void lost(LaneMask lanes);

  // The next message of a lane, with as many events as wait and fit; nothing if the window is full or a hold is on.
  [[nodiscard]] std::optional<Publish> next(Lane lane, std::int64_t now_ms);
  // When a lane that waits may have something to send again.
  [[nodiscard]] std::optional<std::int64_t> due(Lane lane) const;

  [[nodiscard]] Next answered(const Answers& answers, std::int64_t now_ms);
  [[nodiscard]] Next refused(const Refused& refused, std::int64_t now_ms);

  // The node's last retry_after (disk_full, busy), until it takes something again or the connection goes.
  [[nodiscard]] std::optional<Refusal> held_back() const;

 private:
  struct InFlight {
    Ticket ticket = 0;
    BodyHash hash{};
    bool answered = false;
  };
  struct Window {  // sent[i] has sequence answered_through + 1 + i
    std::deque<InFlight> sent;
    bool ready = false;
    std::int64_t held_until = 0;
    std::int64_t progress_ms = 0;  // when something was last sent or answered
    std::size_t batch_limit = kMaxPublishEvents;
    std::optional<Refusal> held_back;  // the node's last retry_after, since `held_back_ms` without progress
    std::int64_t held_back_ms = 0;
    bool held_back_told = false;
  };

  Window& of(Lane lane) { return windows_.at(static_cast<std::size_t>(lane)); }
  InFlight* find(Lane lane, Sequence sequence);
  void settle(InFlight& item, const Outcome& outcome);
  void tell();
  [[nodiscard]] Next take(const Answers& answers, std::int64_t now_ms);
  [[nodiscard]] Next take(const Refused& refused, std::int64_t now_ms);
  void advance(Lane lane, std::int64_t now_ms);
  void hold_back(Lane lane, const Refusal& refusal, std::int64_t now_ms);
  void take_again(Lane lane);
  void send_again_from(Lane lane, Sequence sequence, std::int64_t at_ms);
  [[nodiscard]] bool receive(const ReceiptRange& range);
  [[nodiscard]] Next refusal(const SequenceRefusal& refusal, std::int64_t now_ms);
  [[nodiscard]] Next new_session(const std::string& why);

  Outbox& outbox_;
  std::size_t max_in_flight_;
  Sinks sinks_;
  RegionCode region_;
  std::vector<SessionId> abandoned_;
  std::array<Window, kLaneCount> windows_;
  std::vector<std::pair<Ticket, Outcome>> settled_;  // to be told once the outbox knows of them
};

}  // namespace lianxi::sdk
