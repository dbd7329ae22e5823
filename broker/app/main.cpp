// lianxi-broker: the node of one region.
#include <malloc.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <thread>

#include "broker/app/backup_command.h"
#include "broker/app/broker.h"
#include "broker/app/data_folder.h"
#include "broker/app/quarantine_command.h"
#include "broker/app/rebuild_view.h"
#include "broker/app/verify_command.h"
#include "broker/net/context.h"

namespace lianxi::app {
namespace {

constexpr int kDone = 0, kFailed = 1, kUsage = 2;

constexpr const char* kExamples = R"(Examples:
  lianxi-broker --config regions/330800.toml                 serve until SIGTERM; SIGHUP reads policy, members, keys again
  lianxi-broker --check-config regions/330800.toml           name every mistake with its line and mend, start nothing
  lianxi-broker --rebuild-view --config regions/330800.toml  make view.db anew from the journal (the node must be stopped)
  lianxi-broker verify /var/lib/lianxi/journal --members members.toml
                                                             prove the journal: sums, chains, seals
  lianxi-broker backup /backup/2026-11-09 --config regions/330800.toml
                                                             a proven copy of the journal; the node may run
  lianxi-broker restore /backup/2026-11-09 --config regions/330800.toml
                                                             begin anew from it, in a new epoch (the node must be stopped)
  lianxi-broker quarantine --config regions/330800.toml      the other histories of feeds that it keeps as evidence; may run
Exit status: 0 done, 1 failed while running or not proven, 2 wrong arguments or configuration.)";

struct Arguments {
  std::string config;
  std::string check;
  bool rebuild_view = false;
  bool verify_asked = false;
  VerifyOptions verify;
  bool quarantine_asked = false;
  enum class Copy : std::uint8_t { none, backup, restore } copy = Copy::none;
  BackupOptions backup;
};

// SIGTERM and SIGINT stop the broker, SIGHUP makes it read its rights again. They are blocked in every thread and read here.
class SignalThread {
 public:
  static sigset_t block() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
    return signals;
  }
  SignalThread(const sigset_t& signals, Broker& broker)
      : fd_(signalfd(-1, &signals, SFD_CLOEXEC)), broker_(broker), thread_([this] { run(); }) {}
  ~SignalThread() {
    done_.signal();
    thread_.join();
    ::close(fd_);
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  void run() {
    for (;;) {
      std::array items = {net::WaitItem{nullptr, fd_}, net::WaitItem{nullptr, done_.fd()}};
      net::wait(items, std::chrono::milliseconds(-1));
      if (items[1].ready) return;
      signalfd_siginfo info{};
      if (!items[0].ready || ::read(fd_, &info, sizeof info) != sizeof info) continue;
      info.ssi_signo == SIGHUP ? broker_.reload() : broker_.stop();
    }
  }
  int fd_;
  Broker& broker_;
  net::Wakeup done_;
  std::thread thread_;
};

int serve(BrokerConfig config) {
  const sigset_t signals = SignalThread::block();
  const Log log(config.file.log_format, config.file.log_level);
  auto broker = Broker::open(std::move(config), log);
  if (!broker) {
    log.error("cannot start", {{"reason", broker.error().detail}});
    return broker.error().code == BrokerError::config ? kUsage : kFailed;
  }
  const SignalThread watched(signals, **broker);
  const auto ended = (*broker)->run();
  if (ended) return kDone;
  log.error("ended", {{"reason", ended.error().detail}});
  return kFailed;
}

int check(const std::string& file) {
  const auto findings = check_config(file);
  for (const ConfigFinding& finding : findings) std::cout << to_text(finding) << '\n';
  if (has_errors(findings)) return kUsage;
  std::cout << file << ": fit to start\n";
  return kDone;
}

// A turn's segment, its copy in SQLite and the log's are about a megabyte each, and last for one turn: given back to the kernel
// each time, they would cost its zeroing of their pages again. glibc's own guess gives back beyond twice its largest block.
void keep_what_a_turn_needs() {
#if defined(__GLIBC__)
  constexpr int kMapFromBytes = 4 * 1024 * 1024, kGiveBackFromBytes = 8 * 1024 * 1024;
  mallopt(M_MMAP_THRESHOLD, kMapFromBytes);
  mallopt(M_TRIM_THRESHOLD, kGiveBackFromBytes);
#endif
}

int run(const Arguments& arguments) {
  if (arguments.verify_asked) return run_verify(arguments.verify, std::cout, std::cerr, ::isatty(STDERR_FILENO) == 1);
  if (!arguments.check.empty()) return check(arguments.check);
  auto read = read_config(arguments.config);
  for (const ConfigFinding& finding : read.findings) std::cerr << to_text(finding) << '\n';
  if (!read.value) return kUsage;
  if (arguments.quarantine_asked) return run_quarantine(*read.value, arguments.backup.json, std::cout, std::cerr);
  if (arguments.copy == Arguments::Copy::backup) return run_backup(*read.value, arguments.backup, std::cout, std::cerr);
  if (arguments.copy == Arguments::Copy::restore) return run_restore(*read.value, arguments.backup, std::cout, std::cerr);
  return arguments.rebuild_view ? run_rebuild_view(*read.value, std::cout, std::cerr) : serve(std::move(*read.value));
}

}  // namespace
}  // namespace lianxi::app

int main(int argc, char** argv) {
  using namespace lianxi::app;
  keep_what_a_turn_needs();
  Arguments arguments;
  CLI::App app("The node of one region: takes in, keeps, orders and passes on what the emergency agencies publish.",
               "lianxi-broker");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string(kSoftware));
  auto* config = app.add_option("--config", arguments.config, "The node's file, and serve")->type_name("FILE");
  auto* checked = app.add_option("--check-config", arguments.check, "Check a node's file and all it names")
                      ->type_name("FILE")
                      ->excludes(config);
  app.add_flag("--rebuild-view", arguments.rebuild_view, "Make the view anew from the journal, then end")->needs(config);
  auto* verify = app.add_subcommand("verify", "Prove a journal offline");
  verify->add_option("JOURNAL", arguments.verify.journal, "The journal's folder")->required();
  verify->add_option("--members", arguments.verify.members, "members.toml, whose keys are trusted")
      ->required()
      ->type_name("FILE");
  verify->add_option("--against", arguments.verify.against, "A feed vector (status --json) that the journal must hold")
      ->type_name("FILE");
  verify->add_flag("--json", arguments.verify.json, "Print one JSON object");
  const auto copying = [&](const char* name, const char* what) {
    auto* command = app.add_subcommand(name, what);
    command->add_option("FOLDER", arguments.backup.folder, "The backup's folder")->required();
    command->add_option("--config", arguments.config, "The node's file")->required()->type_name("FILE");
    command->add_flag("--json", arguments.backup.json, "Print one JSON object");
    return command;
  };
  auto* backup = copying("backup", "Copy and prove the journal of a node, which may run");
  auto* restore = copying("restore", "Make a node's journal from a backup, and begin an epoch");
  auto* quarantine = app.add_subcommand("quarantine", "List the other histories of feeds that a node keeps as evidence");
  quarantine->add_option("--config", arguments.config, "The node's file")->required()->type_name("FILE");
  quarantine->add_flag("--json", arguments.backup.json, "Print one JSON object");
  try {
    app.parse(argc, argv);
    arguments.quarantine_asked = quarantine->parsed();
    arguments.verify_asked = verify->parsed();
    arguments.backup.progress = ::isatty(STDERR_FILENO) == 1;
    if (backup->parsed()) arguments.copy = Arguments::Copy::backup;
    if (restore->parsed()) arguments.copy = Arguments::Copy::restore;
    const bool job = arguments.verify_asked || arguments.quarantine_asked || arguments.copy != Arguments::Copy::none;
    if (!job && config->count() + checked->count() == 0)
      throw CLI::RequiredError("one of --config, --check-config, verify, backup, restore, quarantine");
  } catch (const CLI::ParseError& error) {
    const int status = app.exit(error);
    return status == 0 ? kDone : kUsage;
  }
  return run(arguments);
}
