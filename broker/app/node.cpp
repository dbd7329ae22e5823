#include "broker/app/node.h"

#include <algorithm>
#include <cstdlib>
#include <deque>

#include "broker/app/delivery_desk.h"
#include "broker/app/quarantine_desk.h"
#include "broker/core/kinds/alert.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::app {
namespace {

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

template <class T>
void append(std::vector<T>& to, std::vector<T>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
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

StoreResult<core::Stock> own_stock(const store::View& view, RegionCode region) {
  core::Stock stock;
  const auto visited = view.each_stock(region, [&](const store::View::StockOf& of) {
    const auto audience = Audience::parse(of.audience);
    if (!audience) return;
    stock.load(of.entity, of.status,
               {*audience, of.record, of.removed, of.state_version, of.quantity_version, of.quantity_milli, of.valid_from,
                of.valid_until, core::unit_hash(of.unit), of.type, of.record_state, of.changed_state, of.record_state_version});
  });
  if (!visited) return failed(visited.error());
  const auto cut = view.each_cut(region, [&](const store::View::CutOf& of) {
    if (const auto audience = Audience::parse(of.audience)) stock.retain(of.lane, *audience, of.through);
  });
  if (!cut) return failed(cut.error());
  return stock;
}

StoreResult<void> load_mobilisations(const store::View& view, RegionCode region, core::LoadedState& load) {
  auto& all = load.mobilisations;
  const auto visited = view.each_mobilisation(
      [&](const store::View::MessageOf& of) {
        auto event = decode_event(of.event);
        auto* message = event ? std::get_if<Mobilisation>(&event->body) : nullptr;
        if (message == nullptr) return;
        all.push_back({event->envelope, {of.region, of.version, of.time, core::without_texts(std::move(*message))}});
      },
      [&](const std::string& entity, Status status) {
        load.finished.push_back({status, entity});
      });
  if (!visited) return failed(visited.error());
  std::stable_partition(all.begin(), all.end(), [&](const auto& one) { return one.second.region == region; });
  return {};
}

}  // namespace

struct Node::State {
  NodeConfig config;
  std::unique_ptr<store::Journal> journal;
  std::unique_ptr<store::View> view;
  std::optional<core::BrokerCore> core;
  std::optional<DeliveryDesk> desk;
  std::optional<QuarantineDesk> quarantine;
  std::deque<core::Send> flash_answers;
  std::deque<core::Send> answers;          // what a flash event broke off
  std::vector<core::Delivered> delivered;  // performed, the core has not heard of it yet
  std::vector<core::AgentMessage> ended;   // follows that the journal cannot serve; heard behind `delivered`
  bool progress = false;                   // some of `delivered` moved a follower on that is still behind
  std::size_t breaks = 0;                  // turns in a row that broke off

  void step_all(TimeMs now, std::span<const core::Input> inputs);
  std::size_t remember(std::vector<StoredSegment> segments, TurnOutput& out);
  void say(core::Effects& effects, std::size_t flash_events, Outlet& outlet, TurnOutput& out);
  static bool say_answers(std::deque<core::Send>& queue, Outlet& outlet, std::size_t& unbroken);
  void end_follow(const DeliveryDesk::Ended& end, Outlet& outlet, TurnOutput& out);
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
  const store::JournalIdentity& identity = state.journal->identity();
  auto view = store::open_view(state.config.view, identity);
  if (!view) return failed(std::move(view.error()));
  state.view = std::move(*view);
  if (auto caught = store::catch_up(*state.view, **reader, store::kViewTransactionBytes); !caught)
    return failed(std::move(caught.error()));
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
  load.fence = std::move(loaded->fence);
  load.quarantined = loaded->quarantined;
  load.beginnings = std::move(loaded->beginnings);
  load.retained = state.view->retained();
  state.quarantine.emplace(state.config.journal, std::move(loaded->quarantined));
  load.alerts = std::move(*alerts);
  auto stock = own_stock(*state.view, state.config.region);
  if (!stock) return failed(std::move(stock.error()));
  load.stock = std::move(*stock);
  if (auto read = load_mobilisations(*state.view, state.config.region, load); !read) return failed(std::move(read.error()));
  state.core.emplace(core::CoreConfig{identity.region, identity.epoch, identity.incarnation, state.config.policy,
                                      state.config.members, state.config.software, state.config.links, state.config.whole_feeds},
                     std::move(load));
  state.desk.emplace(
      std::make_unique<InlineColdReads>(std::move(*reader)),
      [&state](const core::Connection& connection, SessionId follow) { return state.core->follows(connection, follow); });
  state.desk->rights(state.config.policy, state.config.members);
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
      if (changed->policy) config.policy = changed->policy;
      desk->rights(config.policy, config.members);
    }
    core->step(input);
  }
  // Members come and go in the core, by the time and by what it was told.
  if (core->members() == config.members) return;
  config.members = core->members();
  desk->rights(config.policy, config.members);
}

// Gives the number of flash events among them.
std::size_t Node::State::remember(std::vector<StoredSegment> segments, TurnOutput& out) {
  std::size_t flash_events = 0;
  for (StoredSegment& segment : segments) {
    if (segment.info.feed.lane == Lane::flash) flash_events += segment.info.count;
    const bool own = segment.info.feed.region == config.region;
    out.committed.push_back(std::make_shared<const HeldSegment>(std::move(segment), own));
    desk->remember(out.committed.back());
  }
  return flash_events;
}

// False: a flash event waits.
bool Node::State::say_answers(std::deque<core::Send>& queue, Outlet& outlet, std::size_t& unbroken) {
  while (!queue.empty()) {
    if (unbroken > 0)
      --unbroken;
    else if (outlet.flash_waits())
      return false;
    (void)outlet.answer(queue.front().connection, queue.front().message);
    queue.pop_front();
  }
  return true;
}

void Node::State::say(core::Effects& effects, std::size_t flash_events, Outlet& outlet, TurnOutput& out) {
  for (core::Send& send : effects.sends) (outlet.is_flash(send.connection) ? flash_answers : answers).push_back(std::move(send));
  desk->take(std::move(effects.deliveries), outlet, [this] { return core->heads(); });
  std::size_t steps = kMaxDeliveriesPerTurn;
  std::size_t all = flash_answers.size();
  (void)say_answers(flash_answers, outlet, all);
  (void)desk->say_flash(outlet, steps);
  if (flash_events > 0) outlet.flash_said(flash_events);

  // Others are told something even in a flood of flash events.
  std::size_t unbroken = breaks < kMaxBreaks ? 0 : 1;
  const bool broke = !say_answers(answers, outlet, unbroken) || !desk->say_others(outlet, steps, unbroken);
  breaks = broke && breaks < kMaxBreaks ? breaks + 1 : 0;
  for (const DeliveryDesk::Ended& end : desk->take_ended()) end_follow(end, outlet, out);
  const Offset head = core->next_offset();
  progress = false;
  for (DeliveryDesk::Done& done : desk->take_done()) {
    progress = progress || (done.moved && done.report.next < head);
    delivered.push_back(std::move(done.report));
  }
}

// What cannot be read is lost to this follower alone; everyone else, and every publisher, is served on. The follow ends as if
// its agent had asked for it, since the connection may carry others.
void Node::State::end_follow(const DeliveryDesk::Ended& end, Outlet& outlet, TurnOutput& out) {
  const core::DeliverOrder& order = end.order;
  const Unfollow word{order.follow,
                      "the node cannot read its journal from offset " + std::to_string(end.at.value) +
                          "; other nodes are asked for what is damaged: follow again in a while, or from a later cursor"};
  (void)outlet.answer(order.connection, Message(word));
  ended.push_back({order.connection, order.spec->agent, Message(word)});
  out.counted.push_back({RefusalCode::internal});
  out.unreadable.push_back(end.at);
  out.alarms.push_back({"journal_unreadable", "the follow of " + order.spec->agent.id.text() + " from offset " +
                                                  std::to_string(end.at.value) + " was ended: " + end.why});
}

StoreResult<TurnOutput> Node::turn(TimeMs now, const Hash& entropy, std::span<const core::Input> inputs, const Sender& send) {
  SenderOutlet outlet(send);
  return turn(now, entropy, inputs, outlet);
}

StoreResult<TurnOutput> Node::turn(TimeMs now, const Hash& entropy, std::span<const core::Input> inputs, Outlet& outlet) {
  State& state = *state_;
  state.core->begin(now, entropy);
  state.step_all(now, inputs);
  core::Effects effects = state.core->finish();

  seal_heads(effects, state.config.seal_keys.secret_key);
  if (!effects.suspects.empty() || state.quarantine->waits())
    state.quarantine->judge(effects, state.core->heads(), *state.config.members, now);
  if (!effects.batch.empty()) {
    outlet.committing();
    if (auto committed = state.journal->commit(effects.batch); !committed) return failed(std::move(committed.error()));
    outlet.committed();
    for (const QuarantinedSegment& kept : effects.batch.quarantined) state.core->contradicted(kept.about);
  }
  // From here on everything is on disk and may be said.
  TurnOutput out;
  const std::size_t flash_events = state.remember(std::move(effects.batch.segments), out);
  state.say(effects, flash_events, outlet, out);
  out.link_resets = std::move(effects.link_resets);
  out.link_sends = std::move(effects.link_sends);
  append(out.counted, effects.counted);
  append(out.alarms, effects.alarms);
  append(out.repairs, effects.repairs);
  out.throttled = effects.throttled;
  return out;
}

void Node::read_cold_with(std::unique_ptr<ColdReads> cold) {
  state_->desk->read_cold_with(std::move(cold));
}

bool Node::more_to_deliver() const {
  return state_->desk->has_work() || state_->progress || !state_->answers.empty();
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
std::size_t Node::quarantined() const {
  return state_->quarantine->kept();
}
store::Journal& Node::journal() {
  return *state_->journal;
}

}  // namespace lianxi::app
