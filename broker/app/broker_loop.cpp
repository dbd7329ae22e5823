// The broker's thread: take in, turn, say; and keep house between.
#include <fmt/format.h>

#include <limits>

#include "broker/app/broker_state.h"
#include "broker/app/clock.h"
#include "broker/app/random.h"
#include "schemas/limits.h"

namespace lianxi::app {

namespace {

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kTickMs = 200;
constexpr std::int64_t kSweepMs = 100;
constexpr std::int64_t kQuickSweepMs = 20;
constexpr std::int64_t kDiskMs = 1'000;
constexpr std::int64_t kStatusMs = 200;
constexpr std::chrono::milliseconds kLinger{1'000};

}  // namespace

Result<void, BrokerFailure> Broker::State::loop() {
  publish_status();
  tell_members();
  board.ready = true;
  log.info("ready", {{"region", to_text(config.file.region)},
                     {"flash", bound.flash},
                     {"data", bound.data},
                     {"follow", bound.follow},
                     {"query", bound.query},
                     {"live", bound.live},
                     {"metrics", bound.metrics}});
  bool more = false;
  while (!stop_requested && !board.failed) {
    wait_for_work(more);
    board.last_loop_ms = steady_ms();
    if (reload_requested.exchange(false)) reload();
    keep_house();
    more = intake.take(wall_ms(), *directory.rights(), inputs);
    outlet.taken();
    // Behind what was received, and stepped before it: what is published now was answered before.
    for (core::RetentionPlanned& plan : plans.take()) inputs.insert(inputs.begin(), {wall_ms(), std::move(plan)});
    if (auto retained = plans.take_retained(); !retained.empty())
      inputs.insert(inputs.begin(), {wall_ms(), core::Retained{std::move(retained)}});
    if (auto done = turn(); !done) return done;
  }
  board.ready = false;
  if (board.failed) {
    const std::lock_guard lock(failure_mutex);
    return tl::unexpected(*failure);
  }
  drain();
  return {};
}

void Broker::State::wait_for_work(bool more) {
  std::vector<net::WaitItem> items = {net::WaitItem{nullptr, wakeup.fd()}};
  for (auto& endpoint : endpoints) items.push_back(endpoint->readable());
  links.readable(items);
  const std::int64_t retry =
      node->core().retry_at() ? steady_ms() + std::max<TimeMs>(0, *node->core().retry_at() - wall_ms()) : kNever;
  const std::int64_t next = std::min({tick_at, sweep_at, disk_at, status_at, members_at, retry});
  const bool at_once = more || !inputs.empty() || node->more_to_deliver();
  net::wait(items, std::chrono::milliseconds(at_once ? 0 : std::max<std::int64_t>(0, next - steady_ms())));
  if (items[0].ready) wakeup.drain();
}

void Broker::State::keep_house() {
  const std::int64_t now = steady_ms();
  if (now >= sweep_at) sweep(now);
  if (now >= disk_at) {
    disk_at = now + kDiskMs;
    watch_disk();
  }
  if (now >= tick_at) {
    tick_at = now + kTickMs;
    inputs.push_back({wall_ms(), core::Tick{}});
  }
  if (now >= members_at) {
    members_at = now + kMembersLookMs;
    watch_members();
  }
  {
    const std::lock_guard lock(damage_mutex);
    if (!damage.empty()) inputs.push_back({wall_ms(), core::Damaged{std::exchange(damage, {})}});
  }
  if (now >= status_at) {
    status_at = now + kStatusMs;
    publish_status();
    board.publish_peers(node->core().peers());
    for (const core::LinkView& link : node->core().links())
      if (link.state == "retired") links.close(link.link);
    for (const LinkRow& link : board.report().links) metrics.set_link(link);
    metrics.set_followers(node->core().follower_count());
    metrics.set_queued("deliveries", ledger->bytes(net::SendClass::delivery));
    metrics.set_queued("answers", ledger->bytes(net::SendClass::answer));
    metrics.set_queued("queries", ledger->bytes(net::SendClass::query));
    const core::DurabilityView acks = node->core().durability();
    metrics.set_standing(board.report().alarms.size(), node->core().fence().has_value(), node->quarantined());
    metrics.set_peer_acks(acks.waiting, acks.reached, acks.late);
  }
}

void Broker::State::sweep(std::int64_t now) {
  bool again_soon = false;
  std::size_t connections = 0;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    auto swept = endpoints[i]->sweep(now);
    count_sweep(swept, metrics);
    for (const std::string& agent : swept.stuck)
      log.warn("connection cut", {{"agent", agent},
                                  {"endpoint", endpoints[i]->endpoint()},
                                  {"reason", "it took nothing of what is queued for it for " +
                                                 std::to_string(net::kStuckMs / 1000) + " s; it may follow on from its cursor"}});
    again_soon = again_soon || swept.again_soon;
    connections += endpoints[i]->connections();
    for (std::string& routing : swept.lost)
      inputs.push_back({wall_ms(), core::ConnectionLost{{static_cast<std::uint8_t>(i), std::move(routing)}}});
  }
  for (LinkTable::Lost& lost : links.sweep(again_soon))
    inputs.push_back({wall_ms(), core::LinkLost{lost.link, std::move(lost.reason)}});
  metrics.set_connections(connections);
  sweep_at = now + (again_soon ? kQuickSweepMs : kSweepMs);
}

void Broker::State::watch_disk() {
  const auto free_bytes = node->journal().free_bytes();
  if (!free_bytes) return;  // a disk that cannot be asked fails at the next commit
  const bool low = *free_bytes < config.file.disk_headroom_bytes;
  metrics.set_disk(*free_bytes, low);
  if (low == board.disk_low) return;
  board.disk_low = low;
  inputs.push_back({wall_ms(), core::DiskState{low}});
  if (low)
    log.error("disk below headroom", {{"data_dir", config.file.data_dir},
                                      {"free_mb", std::to_string(*free_bytes >> 20U)},
                                      {"headroom_mb", std::to_string(config.file.disk_headroom_bytes >> 20U)},
                                      {"mend", "free space; until then publishers are told to come back later"}});
  else
    log.info("disk has its headroom again", {{"free_mb", std::to_string(*free_bytes >> 20U)}});
}

Result<void, BrokerFailure> Broker::State::turn() {
  if (inputs.empty() && !node->more_to_deliver() && node->core().retry_at().value_or(kNever) > wall_ms()) return {};
  const auto begun = std::chrono::steady_clock::now();
  const Hash entropy = random_entropy();
  auto output = node->turn(wall_ms(), entropy, inputs, outlet);
  inputs.clear();
  if (!output)
    return tl::unexpected(BrokerFailure{
        BrokerError::journal, fmt::format("{}: {}; nothing of this turn was acknowledged; mend the disk and start again",
                                          config.file.journal_folder(), output.error().detail)});
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begun;
  metrics.turn(taken.count(), !output->committed.empty());
  perform(std::move(*output));
  follow_members();
  return {};
}

void Broker::State::perform(TurnOutput output) {
  const auto rights = directory.rights();
  for (const core::LinkReset& reset : output.link_resets) {
    if (std::string reason = links.reset(reset.link, *rights->members); !reason.empty())
      inputs.push_back({wall_ms(), core::LinkLost{reset.link, std::move(reason)}});
  }
  for (const core::LinkSend& send_link : output.link_sends) {
    if (!links.send(send_link.link, send_link.message))
      inputs.push_back({wall_ms(), core::LinkLost{send_link.link, "the peer takes no more messages"}});
  }
  for (const core::Counted& counted : output.counted) metrics.refused(counted.code);
  metrics.throttled(output.throttled);
  for (const core::Alarm& alarm : output.alarms) {
    metrics.alarm(alarm.what);
    log.warn("alarm", {{"what", alarm.what}, {"reason", alarm.reason}});
  }
  for (RepairedRange& range : output.repairs) audit->repair(std::move(range));
  for (const Offset offset : output.unreadable) audit->suspect(offset);
  if (output.committed.empty()) return;
  view->committed(output.committed);
  publish_status();  // before anybody can see the view at an offset that the status does not know
  board.head = node->core().next_offset().value;
  view->wake();
  live->wake();
  if (node->journal().wants_maintenance()) maintenance->wake();
}

void Broker::State::publish_status() {
  const core::BrokerCore& core = node->core();
  StatusReport report;
  report.region = config.file.region;
  report.epoch = node->identity().epoch;
  report.incarnation = node->identity().incarnation;
  report.software = kSoftware;
  if (config.file.endpoints.security == Security::plain) report.software += " (PLAIN sockets, not encrypted)";
  report.head = core.next_offset();
  report.feeds = core.heads();
  report.members = config.members->version();
  for (const core::LinkView& link : core.links()) report.links.push_back(row_of(link, wall_ms()));
  report.alarms = core.alarms();
  report.fence = core.fence();
  board.publish(std::move(report));
}

void Broker::State::drain() {
  const std::int64_t until = steady_ms() + kMaxDrainMs;
  log.info("stopping", {{"head", std::to_string(board.head)}});
  while (board.view_offset < board.head && steady_ms() < until && !board.failed) {
    view->wake();
    std::vector<net::WaitItem> items = {net::WaitItem{nullptr, wakeup.fd()}};
    net::wait(items, std::chrono::milliseconds(50));
    wakeup.drain();
  }
  // Answers that wait for a flash event's turn, or stand in the sockets' queues, still leave.
  if (node->more_to_deliver()) (void)turn();
  for (auto& endpoint : endpoints) endpoint->linger(kLinger);
  log.info("stopped", {{"head", std::to_string(board.head)}, {"view_offset", std::to_string(board.view_offset)}});
}

}  // namespace lianxi::app
