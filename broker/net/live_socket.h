// `live`: any ZeroMQ SUB in any language hears events as JSON. Two frames: topic, one JSON object. Best effort: a subscriber
// that does not keep up misses events (whoever must not miss any follows).
//
// Every subscription is judged by its sender's key. A refused one is heard on "<its topic>!refused/<agent>" (a SUB hears
// nothing that does not begin with its own topic), with the refusal as JSON.
//
// One thread. Borrows context and key table, which outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "broker/net/context.h"
#include "broker/net/descriptor_watch.h"
#include "broker/net/key_table.h"
#include "schemas/result.h"
#include "schemas/security.h"

namespace lianxi::net {

inline constexpr std::size_t kMaxTopicBytes = 256;
inline constexpr std::size_t kMaxSubscriptionsPerConnection = 256;
inline constexpr std::size_t kMaxTopicBytesInAll = 512 * 1024;  // of all subscriptions; libzmq takes some 60 bytes for each

class LiveSocket {
 public:
  struct Options {
    std::string endpoint;
    CurveKeys keys;
    int send_hwm = 1000;  // events that one subscriber may be behind
    Security security = Security::curve;
    std::size_t max_connections = WatchBounds{}.connections;
  };
  // Empty: `agent` may hear everything whose topic begins with `prefix`.
  using Admit = std::function<std::optional<Refusal>(const std::string& agent, std::string_view prefix)>;
  using Render = std::function<std::string(const Refusal&)>;  // to JSON

  [[nodiscard]] static NetResult<std::unique_ptr<LiveSocket>> open(Context& context, const KeyTable& keys, Options options,
                                                                   Admit admit, Render render);
  ~LiveSocket();
  LiveSocket(const LiveSocket&) = delete;
  LiveSocket& operator=(const LiveSocket&) = delete;

  [[nodiscard]] const std::string& endpoint() const;
  [[nodiscard]] WaitItem readable();

  // Takes what subscribers ask for. `refused` hears each refusal before its subscriber does.
  void serve(const std::function<void(const Refusal&)>& refused);
  // True if some subscription begins `topic`: whoever publishes need not render for nobody.
  [[nodiscard]] bool wanted(std::string_view topic) const;
  void publish(std::string_view topic, std::string_view json);

  // Housekeeping as RouterEndpoint's. Returns true if it should be called again soon.
  bool sweep();
  // Connections cut since the last call, for subscribing without end or for being too many.
  [[nodiscard]] WatchCuts take_cuts();
  // After rights were narrowed: cuts every subscriber; who comes back is judged anew.
  void cut_all();
  [[nodiscard]] std::size_t subscriptions() const;

 private:
  LiveSocket();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::net
