#include "broker/app/node.h"

#include <algorithm>
#include <cstdlib>
#include <deque>

#include "broker/app/recent_segments.h"
#include "broker/core/kinds/alert.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::app {
namespace {

constexpr std::size_t kCatchUpBytes = 1024 * 1024;  // of one view transaction at start

using store::StoreResult;

tl::unexpected<store::StoreFailure> failed(store::StoreFailure failure) {
  return tl::unexpected<store::StoreFailure>(std::move(failure));
}

// One seal per touched feed, on the segment that ends at the feed's new head. A head without its segment is a bug of the
// rules, and nothing may be said about it.
void seal_heads(core::Effects& effects, const SealSecretKey& key) {
  for (const FeedPosition& touched : effects.touched) {
    auto& segments = effects.batch.segments;
    const auto at = std::find_if(segments.rbegin(), segments.rend(), [&](const StoredSegment& s) {
      return s.info.feed == touched.feed && s.last.sequence == touched.head.sequence;
    });
    if (at == segments.rend()) std::abort();
    at->seal = sign_seal(key, touched.feed, touched.head);
  }
}

StoreResult<std::map<std::string, Hash>> own_alerts(const store::View& view, RegionCode region) {
  std::map<std::string, Hash> out;
  const auto visited = view.each_alert(region, [&](const std::string&, BytesView bytes) {
    const Result<Event> event = decode_event(bytes);
    if (event) out.emplace(core::alert_memory_key(*event), core::alert_content_hash(*event));
  });
  if (!visited) return failed(visited.error());
  return out;
}

}  // namespace

struct Node::State {
  NodeConfig config;
  std::unique_ptr<store::Journal> journal;
  std::unique_ptr<RecentSegments> reader;
  std::unique_ptr<store::View> view;
  std::optional<core::BrokerCore> core;
  std::deque<core::DeliverOrder> orders;   // not performed yet
  std::vector<core::Delivered> delivered;  // performed, the core has not heard of it yet
  std::vector<core::AgentMessage> ended;   // follows that the journal cannot serve; heard behind `delivered`
  bool progress = false;                   // some of `delivered` moved its follower on

  void step_all(TimeMs now, std::span<const core::Input> inputs);
  void deliver(const Sender& send, TurnOutput& out);
  static core::Delivered perform(const core::DeliverOrder& order, Deliver message, const Sender& send);
  void end_follow(const core::DeliverOrder& order, const store::StoreFailure& why, const Sender& send, TurnOutput& out);
};

Node::Node() : state_(std::make_unique<State>()) {}
Node::~Node() = default;

StoreResult<std::unique_ptr<Node>> Node::open(NodeConfig config, TimeMs /*now*/) {
  std::unique_ptr<Node> node(new Node());
  State& state = *node->state_;
  state.config = std::move(config);
  auto journal = store::open_journal(state.config.journal,
                                     store::JournalIdentity{state.config.region, Epoch(1), state.config.fresh_incarnation});
  if (!journal) return failed(std::move(journal.error()));
  state.journal = std::move(*journal);
  auto loaded = state.journal->load();
  if (!loaded) return failed(std::move(loaded.error()));
  auto reader = store::open_reader(state.config.journal);
  if (!reader) return failed(std::move(reader.error()));
  state.reader = std::make_unique<RecentSegments>(std::move(*reader));
  const store::JournalIdentity& identity = state.journal->identity();
  auto view = store::open_view(state.config.view, identity);
  if (!view) return failed(std::move(view.error()));
  state.view = std::move(*view);
  if (auto caught = store::catch_up(*state.view, *state.reader, kCatchUpBytes); !caught) return failed(std::move(caught.error()));
  auto alerts = own_alerts(*state.view, state.config.region);
  if (!alerts) return failed(std::move(alerts.error()));

  core::LoadedState load;
  load.next_offset = loaded->next_offset;
  load.heads = std::move(loaded->heads);
  load.last_ordinal = loaded->last_ordinal;
  load.last_time = loaded->last_time;
  load.sessions = std::move(loaded->sessions);
  load.answers = std::move(loaded->answers);
  load.cursors = std::move(loaded->cursors);
  load.alerts = std::move(*alerts);
  state.core.emplace(core::CoreConfig{identity.region, identity.epoch, identity.incarnation, state.config.policy,
                                      state.config.members, state.config.software},
                     std::move(load));
  return node;
}

void Node::State::step_all(TimeMs now, std::span<const core::Input> inputs) {
  for (core::Delivered& result : delivered) core->step(core::Input{now, std::move(result)});
  delivered.clear();
  for (core::AgentMessage& end : ended) core->step(core::Input{now, std::move(end)});
  ended.clear();
  for (const core::Input& input : inputs) {
    // Deliveries are judged here, so the rights must change with the core's.
    if (const auto* changed = std::get_if<core::PolicyChanged>(&input.what)) {
      config.policy = changed->policy;
      config.members = changed->members;
      for (core::DeliverOrder& order : orders) {
        if (changed->agents && changed->agents->contains(order.agent.id)) order.agent = changed->agents->at(order.agent.id);
      }
    }
    core->step(input);
  }
}

core::Delivered Node::State::perform(const core::DeliverOrder& order, Deliver message, const Sender& send) {
  core::Delivered result{order.connection, order.follow, message.next, message.segments.size(), false, false};
  // A stretch without anything for this follower needs no words until its end.
  if (message.segments.empty() && !message.caught_up) return result;
  const SendResult outcome = send(order.connection, Message(std::move(message)));
  result.sent = outcome == SendResult::sent;
  result.unreachable = outcome == SendResult::gone;
  if (!result.sent) result.next = order.from;
  return result;
}

// What cannot be read is lost to this follower alone; everyone else, and every publisher, is served on. The follow ends as if
// its agent had asked for it, since the connection may carry others.
void Node::State::end_follow(const core::DeliverOrder& order, const store::StoreFailure& why, const Sender& send,
                             TurnOutput& out) {
  const Unfollow end{order.follow, "the node cannot read its journal from offset " + std::to_string(order.from.value) +
                                       "; follow from a later cursor, or when its operator has restored the journal"};
  (void)send(order.connection, Message(end));
  delivered.push_back({order.connection, order.follow, order.from, 0, false, false});
  ended.push_back({order.connection, order.agent, Message(end)});
  out.counted.push_back({RefusalCode::internal});
  out.alarms.push_back({"journal_unreadable", "the follow of " + order.agent.id.text() + " from offset " +
                                                  std::to_string(order.from.value) + " was ended: " + why.detail});
}

void Node::State::deliver(const Sender& send, TurnOutput& out) {
  progress = false;
  for (std::size_t done = 0; done < kMaxDeliveriesPerTurn && !orders.empty(); ++done) {
    const core::DeliverOrder order = std::move(orders.front());
    orders.pop_front();
    auto message = make_delivery(order, *config.policy, *config.members, *reader);
    if (!message) {
      end_follow(order, message.error(), send, out);
      continue;
    }
    core::Delivered result{order.connection, order.follow, order.from, 0, false, false};
    if (*message) result = perform(order, std::move(**message), send);
    progress = progress || result.next > order.from;
    delivered.push_back(std::move(result));
  }
}

StoreResult<TurnOutput> Node::turn(TimeMs now, const Hash& entropy, std::span<const core::Input> inputs, const Sender& send) {
  State& state = *state_;
  state.core->begin(now, entropy);
  state.step_all(now, inputs);
  core::Effects effects = state.core->finish();

  seal_heads(effects, state.config.seal_keys.secret_key);
  if (!effects.batch.empty()) {
    if (auto committed = state.journal->commit(effects.batch); !committed) return failed(std::move(committed.error()));
  }
  // From here on everything is on disk and may be said.
  TurnOutput out;
  for (StoredSegment& segment : effects.batch.segments) {
    out.committed.push_back({segment.info.first_offset, std::move(segment.bytes), segment.seal});
    state.reader->remember(out.committed.back(), Offset(segment.info.first_offset.value + segment.info.count));
  }
  for (const core::Send& answer : effects.sends) (void)send(answer.connection, answer.message);
  for (core::DeliverOrder& order : effects.deliveries) state.orders.push_back(std::move(order));
  out.link_resets = std::move(effects.link_resets);
  out.link_sends = std::move(effects.link_sends);
  out.counted = std::move(effects.counted);
  out.alarms = std::move(effects.alarms);
  state.deliver(send, out);
  return out;
}

bool Node::more_to_deliver() const {
  return !state_->orders.empty() || state_->progress;
}
std::unique_ptr<store::View> Node::take_view() {
  return std::move(state_->view);
}
const core::BrokerCore& Node::core() const {
  return *state_->core;
}
const store::JournalIdentity& Node::identity() const {
  return state_->journal->identity();
}
store::Journal& Node::journal() {
  return *state_->journal;
}

}  // namespace lianxi::app
