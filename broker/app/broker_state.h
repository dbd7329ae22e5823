// The parts of a broker, in the order in which they are made and, reversed, taken down. For broker*.cpp only.
#pragma once

#include <optional>

#include "broker/app/audit_thread.h"
#include "broker/app/broker.h"
#include "broker/app/data_folder.h"
#include "broker/app/directory.h"
#include "broker/app/group_book.h"
#include "broker/app/http_server.h"
#include "broker/app/intake.h"
#include "broker/app/live_feed.h"
#include "broker/app/members_watch.h"
#include "broker/app/node.h"
#include "broker/app/query_service.h"
#include "broker/app/socket_outlet.h"
#include "broker/app/view_thread.h"
#include "broker/net/zap.h"

namespace lianxi::app {

struct Broker::State {
  State(BrokerConfig read, const Log& log_to)
      : config(std::move(read)),
        log(log_to),
        directory(config),
        members_watch(config.file.members),
        links(context, {config.file.region, config.file.endpoints.security, curve_keys()}, log),
        intake(endpoints, links, metrics, log),
        outlet(endpoints, links, metrics) {}

  [[nodiscard]] net::CurveKeys curve_keys() const { return {config.keys.curve_public, config.keys.curve_secret}; }

  // broker.cpp: made in this order by open().
  [[nodiscard]] Result<void, BrokerFailure> open_stores();
  [[nodiscard]] Result<void, BrokerFailure> open_sockets();
  [[nodiscard]] Result<void, BrokerFailure> start_threads();
  [[nodiscard]] Result<void, BrokerFailure> open_http();
  [[nodiscard]] AuditThread::Reports audit_reports();
  void fail(BrokerFailure failure);  // any thread: ends run()

  // broker_loop.cpp
  [[nodiscard]] Result<void, BrokerFailure> loop();
  [[nodiscard]] Result<void, BrokerFailure> turn();
  void wait_for_work(bool more);
  void keep_house();
  void sweep(std::int64_t now);
  void watch_disk();
  void perform(TurnOutput output);
  void publish_status();
  void reload();  // SIGHUP
  void watch_members();
  // What members.toml or the policy say now: for every thread, and for the rules with their next turn.
  void hand_out_rights();
  // The core has seen members come or go.
  void follow_members();
  void tell_members();
  void refuse_reload(const std::string& what, const std::string& mend);
  // Why another members file cannot be taken in; `asked`: a person asked for it. Groups that are new in it are kept then.
  [[nodiscard]] std::string take_in(const core::Members& next, bool asked);
  void drain();

  BrokerConfig config;
  const Log& log;
  Metrics metrics;
  StatusBoard board;
  PlanBook plans;
  Directory directory;
  MembersWatch members_watch;
  std::string members_refused;  // what was found when it was last refused: told once
  DataFolder data_folder;
  GroupBook groups;
  std::shared_ptr<store::MapFeed> map_feed = std::make_shared<store::MapFeed>();
  net::Wakeup wakeup;  // the node's own thread signals it to the end
  std::unique_ptr<Node> node;

  std::atomic<bool> stop_requested{false};
  std::atomic<bool> reload_requested{false};
  std::mutex failure_mutex;
  std::optional<BrokerFailure> failure;
  std::mutex damage_mutex;
  std::vector<DamagedRange> damage;  // under it: found, and not told to the rules yet

  net::Context context;
  std::shared_ptr<net::SendLedger> ledger = std::make_shared<net::SendLedger>();
  std::unique_ptr<net::ZapHandler> zap;
  std::atomic<std::int64_t> zap_logged_ms{0};
  EndpointSet endpoints;
  LinkTable links;
  Intake intake;
  SocketOutlet outlet;
  BoundEndpoints bound;

  // Of the loop: all in steady milliseconds.
  std::vector<core::Input> inputs;  // of the next turn
  std::int64_t tick_at = 0;
  std::int64_t sweep_at = 0;
  std::int64_t disk_at = 0;
  std::int64_t status_at = 0;
  std::int64_t members_at = 0;

  // Threads last: they go first.
  std::unique_ptr<net::RouterEndpoint> query_socket;  // until its service takes it
  std::unique_ptr<net::LiveSocket> live_socket;       // likewise
  std::unique_ptr<MaintenanceThread> maintenance;
  std::unique_ptr<AuditThread> audit;
  std::unique_ptr<QueryService> query;
  std::unique_ptr<LiveFeed> live;
  std::unique_ptr<ViewThread> view;
  std::unique_ptr<store::ReadView> scraped_view;  // of the HTTP thread
  std::unique_ptr<HttpServer> http;
};

}  // namespace lianxi::app
