#include "broker/app/broker.h"

#include <fmt/format.h>
#include <sodium.h>

#include "broker/app/broker_state.h"
#include "broker/app/clock.h"
#include "broker/app/cold_thread.h"
#include "broker/app/open_files.h"
#include "broker/app/random.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"

namespace lianxi::app {

namespace {

constexpr std::int64_t kHangMs = 10'000;           // the loop did not come by for so long: unhealthy
constexpr std::uint64_t kReadyLagEvents = 10'000;  // further behind, the view is not fit for queries
constexpr std::size_t kMegabyte = 1024 * 1024;
// What is a little too large is refused with a word; libzmq cuts what is larger still without one.
constexpr std::size_t kOversizeSlackBytes = 64 * 1024;

tl::unexpected<BrokerFailure> failed(BrokerError code, std::string detail) {
  return tl::unexpected(BrokerFailure{code, std::move(detail)});
}

std::string journal_detail(const store::StoreFailure& failure, const std::string& folder) {
  switch (failure.code) {
    case store::StoreError::corrupt:
      return fmt::format("the journal in {} is damaged: {}; run lianxi-broker verify {} --members FILE and restore it", folder,
                         failure.detail, folder);
    case store::StoreError::wrong_node:
      return fmt::format("{}: {}; point data_dir to this region's own folder", folder, failure.detail);
    case store::StoreError::newer_version:
      return fmt::format("{} was written by a newer lianxi: {}; start that version", folder, failure.detail);
    case store::StoreError::full:
      return fmt::format("the disk of {} is full: {}; free space and start again", folder, failure.detail);
    default:
      return fmt::format("{}: {}", folder, failure.detail);
  }
}

}  // namespace

Broker::Broker() = default;
Broker::~Broker() = default;

Result<std::unique_ptr<Broker>, BrokerFailure> Broker::open(BrokerConfig config, const Log& log) {
  if (sodium_init() < 0) return failed(BrokerError::system, "libsodium cannot start: the system gives no random numbers");
  config.members = std::make_shared<const core::Members>(config.members->at(wall_ms()));
  std::unique_ptr<Broker> broker(new Broker());
  broker->state_ = std::make_unique<State>(std::move(config), log);
  State& state = *broker->state_;
  if (auto done = state.open_stores(); !done) return tl::unexpected(std::move(done.error()));
  if (auto done = state.open_sockets(); !done) return tl::unexpected(std::move(done.error()));
  if (auto done = state.start_threads(); !done) return tl::unexpected(std::move(done.error()));
  if (auto done = state.open_http(); !done) return tl::unexpected(std::move(done.error()));
  const BoundEndpoints& bound = state.bound;
  if (!state.data_folder.write_endpoints({{"flash", bound.flash},
                                          {"data", bound.data},
                                          {"follow", bound.follow},
                                          {"query", bound.query},
                                          {"live", bound.live},
                                          {"metrics", bound.metrics}}))
    return failed(BrokerError::disk, state.config.file.data_dir + "/endpoints.toml cannot be written; free space on its disk");
  return broker;
}

const BoundEndpoints& Broker::endpoints() const {
  return state_->bound;
}

Result<void, BrokerFailure> Broker::run() {
  return state_->loop();
}

void Broker::stop() noexcept {
  state_->stop_requested = true;
  state_->wakeup.signal();
}
void Broker::reload() noexcept {
  state_->reload_requested = true;
  state_->wakeup.signal();
}

void Broker::State::fail(BrokerFailure why) {
  const std::lock_guard lock(failure_mutex);
  if (!failure) failure = std::move(why);
  board.failed = true;
  wakeup.signal();
}

Result<void, BrokerFailure> Broker::State::open_stores() {
  auto folder = DataFolder::open(config.file.data_dir);
  if (!folder) return failed(BrokerError::disk, std::move(folder.error().detail));
  data_folder = std::move(*folder);
  auto kept = GroupBook::open(config.file.data_dir + "/groups.toml");
  if (!kept) return failed(BrokerError::config, std::move(kept.error()));
  groups = std::move(*kept);
  if (std::string why = take_in(*config.members, true); !why.empty())
    return failed(BrokerError::config, config.file.members + ": " + why);
  NodeConfig with;
  with.region = config.file.region;
  with.software = kSoftware;
  with.seal_keys = config.keys.seal;
  with.journal.folder = config.file.journal_folder();
  with.journal.file_bytes = config.file.journal_file_bytes;
  with.view.path = config.file.view_path();
  with.view.map = map_feed;
  with.policy = config.policy;
  with.members = config.members;
  with.links = std::make_shared<const core::LinkSettings>(config.file.links);
  with.whole_feeds = config.file.whole_feeds;
  with.fresh_incarnation = random_incarnation();
  auto opened = Node::open(std::move(with), wall_ms());
  if (!opened) return failed(BrokerError::journal, journal_detail(opened.error(), config.file.journal_folder()));
  node = std::move(*opened);
  board.head = node->core().next_offset().value;
  return {};
}

Result<void, BrokerFailure> Broker::State::open_sockets() {
  const Security security = config.file.endpoints.security;
  if (security == Security::plain)
    log.warn("PLAIN sockets: nothing is encrypted, no key is proved; for measurements on one machine only",
             {{"file", config.file.path}});
  // The gate first: libzmq admits any key to a socket that is bound before it.
  auto gate = net::ZapHandler::start(
      context, directory.keys(),
      [this](const net::ZapRejection& rejection) {
        metrics.zap_rejected();
        // A stranger that tries again and again fills a counter, not the log.
        const std::int64_t now = steady_ms();
        if (std::int64_t last = zap_logged_ms; now - last < 1000 || !zap_logged_ms.compare_exchange_strong(last, now)) return;
        log.warn("connection turned away",
                 {{"address", rejection.address}, {"key", rejection.key}, {"reason", rejection.reason}});
      },
      security);
  if (!gate) return failed(BrokerError::network, std::move(gate.error().detail));
  zap = std::move(*gate);

  const std::size_t connections = connections_per_endpoint(raise_open_files());
  struct Wanted {
    const char* name;
    std::string endpoint;
    net::IoThread thread;
    int send_hwm;
    std::size_t message_bytes;  // the largest that a peer has reason to send
    std::size_t waiting_bytes;
    std::unique_ptr<net::RouterEndpoint>& target;
    std::string& bound_as;
  };
  const auto open = [this, security, connections](const Wanted& each) {
    net::EndpointOptions options;
    options.name = each.name;
    options.endpoint = each.endpoint;
    options.keys = curve_keys();
    options.io_thread = each.thread;
    options.send_hwm = each.send_hwm;
    options.max_message_bytes = each.message_bytes + kOversizeSlackBytes;
    options.max_waiting_bytes = each.waiting_bytes;
    options.max_connections = connections;
    options.ledger = ledger;
    options.security = security;
    return net::RouterEndpoint::open(context, directory.keys(), std::move(options));
  };
  const Endpoints& ask = config.file.endpoints;
  using net::IoThread;
  Wanted wanted[] = {{"flash", ask.flash, IoThread::flash, 256, kMaxPublishBytes, 32 * kMegabyte, endpoints[0], bound.flash},
                     {"data", ask.data, IoThread::rest, 1024, kMaxPublishBytes, 64 * kMegabyte, endpoints[1], bound.data},
                     {"follow", ask.follow, IoThread::rest, 256, kMaxVectorBytes, 16 * kMegabyte, endpoints[2], bound.follow},
                     {"query", ask.query, IoThread::rest, 16, kMaxControlBytes, 16 * kMegabyte, query_socket, bound.query}};
  for (Wanted& each : wanted) {
    auto opened = open(each);
    if (!opened) return failed(BrokerError::network, std::move(opened.error().detail));
    each.target = std::move(*opened);
    each.bound_as = each.target->endpoint();
  }
  const auto admit = [this](const std::string& agent, std::string_view prefix) -> std::optional<Refusal> {
    auto admitted = may_subscribe(*directory.rights(), agent, prefix);
    if (admitted) return std::nullopt;
    return std::move(admitted.error());
  };
  auto opened =
      net::LiveSocket::open(context, directory.keys(),
                            {.endpoint = ask.live, .keys = curve_keys(), .security = security, .max_connections = connections},
                            admit, [](const Refusal& refusal) { return to_json(refusal); });
  if (!opened) return failed(BrokerError::network, std::move(opened.error().detail));
  live_socket = std::move(*opened);
  bound.live = live_socket->endpoint();
  return {};
}

Result<void, BrokerFailure> Broker::State::start_threads() {
  const store::JournalOptions journal{.folder = config.file.journal_folder()};
  const store::ViewOptions view_options{.path = config.file.view_path()};
  auto view_reader = store::open_reader(journal);
  if (!view_reader) return failed(BrokerError::journal, journal_detail(view_reader.error(), journal.folder));
  auto live_reader = store::open_reader(journal);
  if (!live_reader) return failed(BrokerError::journal, journal_detail(live_reader.error(), journal.folder));
  auto cold_reader = store::open_reader(journal);
  if (!cold_reader) return failed(BrokerError::journal, journal_detail(cold_reader.error(), journal.folder));
  node->read_cold_with(std::make_unique<ColdReadThread>(std::move(*cold_reader), [this] { wakeup.signal(); }));
  auto plan_reader = store::open_reader(journal);
  if (!plan_reader) return failed(BrokerError::journal, journal_detail(plan_reader.error(), journal.folder));
  auto query_reader = store::open_reader(journal);
  if (!query_reader) return failed(BrokerError::journal, journal_detail(query_reader.error(), journal.folder));
  store::ViewOptions fed = view_options;
  fed.map = map_feed;  // one reader alone keeps the map in memory
  auto read_view = store::open_read_view(fed);
  if (!read_view) return failed(BrokerError::view, fmt::format("{}: {}", view_options.path, read_view.error().detail));
  auto scraped = store::open_read_view(view_options);
  if (!scraped) return failed(BrokerError::view, fmt::format("{}: {}", view_options.path, scraped.error().detail));
  scraped_view = std::move(*scraped);

  const auto journal_failed = [this](const store::StoreFailure& why) {
    fail({BrokerError::journal, journal_detail(why, config.file.journal_folder())});
  };
  maintenance = std::make_unique<MaintenanceThread>(node->journal(), journal_failed);
  audit = std::make_unique<AuditThread>(journal.folder, config.file.archive_behind, directory, audit_reports());
  QueryDesk desk(std::move(*read_view), board, metrics, std::move(*query_reader));
  desk.plan_with(std::make_unique<RetentionDesk>(std::move(*plan_reader), plans));
  query = std::make_unique<QueryService>(std::move(query_socket), std::move(desk), directory, board, metrics);
  live = std::make_unique<LiveFeed>(
      LiveFeed::Parts{std::move(live_socket), std::move(*live_reader)}, node->core().next_offset(), directory, board, metrics,
      [this](const store::StoreFailure& why) {
        metrics.alarm("journal_unreadable");
        log.warn("alarm", {{"what", "journal_unreadable"}, {"reason", "subscribers of live miss events: " + why.detail}});
      });
  view = std::make_unique<ViewThread>(
      ViewThread::Parts{.view = node->take_view(),
                        .journal = std::move(*view_reader),
                        .region = config.file.region,
                        .mismatch =
                            [this](const std::string& what) {
                              metrics.alarm("retention_digest");
                              log.error("alarm", {{"what", "retention_digest"}, {"reason", what}});
                            },
                        .retained = [this](std::vector<RetainedFeed> retained) { plans.add(std::move(retained)); }},
      board, metrics,
      [this] {
        query->wake();
        if (stop_requested) wakeup.signal();
      },
      [this](const store::StoreFailure& why) {
        fail({BrokerError::view, fmt::format("{}: {}; lianxi-broker --rebuild-view makes it anew from the journal",
                                             config.file.view_path(), why.detail)});
      });
  return {};
}

AuditThread::Reports Broker::State::audit_reports() {
  AuditThread::Reports reports;
  reports.found = [this](const std::string& finding) {
    metrics.alarm("journal_damaged");
    log.error("alarm", {{"what", "journal_damaged"},
                        {"reason", finding},
                        {"mend",
                         "what other nodes hold of it is asked of them; of the rest run lianxi-broker verify, and restore "
                         "the journal from a backup"}});
  };
  reports.damaged = [this](const std::vector<store::FoundDamage>& found) {
    {
      const std::lock_guard lock(damage_mutex);
      for (const store::FoundDamage& each : found) damage.push_back(each.range);
    }
    wakeup.signal();
  };
  reports.repaired = [this](std::uint64_t file, std::size_t segments) {
    metrics.alarm("journal_repaired");
    metrics.repaired(segments);
    log.warn("alarm",
             {{"what", "journal_repaired"},
              {"reason",
               fmt::format("file {} of the journal: {} damaged segments were replaced by what other nodes hold", file, segments)},
              {"mend", "look after the disk: it changed what was written"}});
  };
  reports.archived = [this](const store::ArchivedFile& file) {
    metrics.archived(file.plain_bytes, file.packed_bytes);
    log.info("archived", {{"file", file.path},
                          {"plain_bytes", std::to_string(file.plain_bytes)},
                          {"packed_bytes", std::to_string(file.packed_bytes)}});
  };
  reports.failed = [this](const std::string& why) { log.warn("the journal's keeping waits", {{"reason", why}}); };
  return reports;
}

Result<void, BrokerFailure> Broker::State::open_http() {
  if (config.file.endpoints.metrics.empty()) return {};
  const auto body = [this](const char* status) {
    return fmt::format(R"({{"status":"{}","region":"{}","head":{},"view_offset":{},"disk_below_headroom":{}}})", status,
                       to_text(config.file.region), board.head.load(), board.view_offset.load(), board.disk_low.load());
  };
  HttpHandlers handlers;
  handlers.metrics = [this] {
    metrics.set_heads(Offset(board.head), Offset(board.view_offset));
    if (const auto digests = scraped_view->digests()) metrics.set_digests(*digests);
    return metrics.text();
  };
  handlers.health = [this, body]() -> HttpAnswer {
    if (board.failed || steady_ms() - board.last_loop_ms > kHangMs) return {503, body("failing")};
    return {200, body("ok")};
  };
  handlers.ready = [this, body]() -> HttpAnswer {
    if (!board.ready) return {503, body("starting")};
    if (board.head > board.view_offset + kReadyLagEvents) return {503, body("catching up")};
    return {200, body("ready")};
  };
  board.last_loop_ms = steady_ms();
  auto opened = HttpServer::open(config.file.endpoints.metrics, std::move(handlers));
  if (!opened) return failed(BrokerError::network, std::move(opened.error().detail));
  http = std::move(*opened);
  bound.metrics = http->address();
  return {};
}

}  // namespace lianxi::app
