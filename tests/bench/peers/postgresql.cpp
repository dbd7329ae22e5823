// PostgreSQL: one insert and one commit for each event, in pipeline mode; a table for each publisher, so that its events are
// read in the order in which they were committed, and none is locked for another's sake. The follower polls.
#include <libpq-fe.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

namespace fs = std::filesystem;
constexpr const char* kUser = "postgres";  // if we are root, which the server refuses to be
constexpr std::chrono::milliseconds kPoll{1};

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultOf = std::unique_ptr<PGresult, Clear>;

class Connection {
 public:
  explicit Connection(int port)
      : connection_(PQconnectdb(("host=127.0.0.1 dbname=postgres user=bench port=" + std::to_string(port)).c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) fail();
  }
  ~Connection() { PQfinish(connection_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  [[nodiscard]] PGconn* get() const { return connection_; }
  [[noreturn]] void fail() const { throw std::runtime_error(std::string("postgresql: ") + PQerrorMessage(connection_)); }
  void run(const std::string& sql) const {
    const ResultOf result(PQexec(connection_, sql.c_str()));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail();
  }
  void prepare(const std::string& sql) const {
    const ResultOf result(PQprepare(connection_, "it", sql.c_str(), 1, nullptr));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail();
  }

 private:
  PGconn* connection_;
};

std::string table_of(const std::string& topic, std::size_t publisher) {
  return topic + "_" + std::to_string(publisher);
}

class PgPublisher final : public Publisher {
 public:
  PgPublisher(int port, const std::string& table, Payloads payloads) : connection_(port), payloads_(std::move(payloads)) {
    connection_.prepare("insert into " + table + "(event) values ($1::bytea)");
    if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1) connection_.fail();
  }
  void send(std::uint64_t number) override {
    const std::string_view bytes = payloads_.bytes(number);
    const char* const values[] = {bytes.data()};
    const int sizes[] = {static_cast<int>(bytes.size())};
    const int binary[] = {1};
    if (PQsendQueryPrepared(connection_.get(), "it", 1, values, sizes, binary, 0) != 1 || PQpipelineSync(connection_.get()) != 1)
      connection_.fail();
  }
  void flush() override {
    if (PQflush(connection_.get()) < 0) connection_.fail();
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) override {
    do {
      const int unsent = PQflush(connection_.get());
      if (unsent < 0) connection_.fail();
      // What the server cannot take yet is offered again soon.
      const auto wait = unsent > 0 ? std::min(until, Clock::now() + kPoll) : until;
      if (!wait_readable(PQsocket(connection_.get()), wait)) continue;
      if (PQconsumeInput(connection_.get()) != 1) connection_.fail();
      const auto now = Clock::now();
      while (out.size() < kAtOnce && PQisBusy(connection_.get()) == 0) {
        const ResultOf result(PQgetResult(connection_.get()));
        if (!result) {  // between a command and its sync, or nothing is left
          if (++gaps_ > 1) break;
          continue;
        }
        gaps_ = 0;
        const ExecStatusType status = PQresultStatus(result.get());
        if (status == PGRES_PIPELINE_SYNC)
          out.push_back({answered_++, now});
        else if (status != PGRES_COMMAND_OK)
          connection_.fail();
      }
    } while ((!some || out.empty()) && Clock::now() < until);
  }

 private:
  static constexpr std::size_t kAtOnce = 4'096;
  Connection connection_;
  Payloads payloads_;
  std::uint64_t answered_ = 0;
  int gaps_ = 0;  // results of nothing in a row
};

class PgConsumer final : public Consumer {
 public:
  PgConsumer(int port, const std::string& topic, std::size_t publishers, Checker& checker)
      : checker_(checker), last_(publishers, 0) {
    for (std::size_t i = 0; i < publishers; ++i) {
      connections_.push_back(std::make_unique<Connection>(port));
      connections_.back()->prepare("select id, event from " + table_of(topic, i) +
                                   " where id > $1::bigint order by id limit 1000");
    }
  }
  void step() override {
    bool any = false;
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      const std::string from = std::to_string(last_[i]);
      const char* const values[] = {from.c_str()};
      const ResultOf rows(PQexecPrepared(connections_[i]->get(), "it", 1, values, nullptr, nullptr, 1));
      if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK) connections_[i]->fail();
      const int count = PQntuples(rows.get());
      for (int row = 0; row < count; ++row)
        checker_.check({PQgetvalue(rows.get(), row, 1), static_cast<std::size_t>(PQgetlength(rows.get(), row, 1))});
      last_[i] += static_cast<std::uint64_t>(count);  // identities are dense: one connection inserts, none rolls back
      any = any || count > 0;
    }
    if (!any) std::this_thread::sleep_for(kPoll);
  }

 private:
  Checker& checker_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<std::uint64_t> last_;
};

std::string program(const std::string& name) {
  std::error_code error;
  for (int version = 20; version >= 13; --version) {
    const fs::path path = "/usr/lib/postgresql/" + std::to_string(version) + "/bin/" + name;
    if (fs::exists(path, error)) return path.string();
  }
  return {};
}

class Postgres final : public Peer {
 public:
  void start() override {
    folder_ = std::make_unique<TempFolder>("lianxi-bench-postgresql");
    port_ = free_port();
    // A folder that whoever the server runs as may write.
    const fs::path home = folder_->path() / "home";
    fs::create_directory(home);
    fs::permissions(home, fs::perms::all);
    const std::string user = ::geteuid() == 0 ? kUser : "";
    const std::string data = (home / "data").string();
    run_command({{program("initdb"), "-D", data, "-U", "bench", "-A", "trust", "--no-locale", "-E", "UTF8"},
                 {},
                 user,
                 home / "initdb.log"});
    process_ =
        std::make_unique<ChildProcess>(Command{{program("postgres"), "-D", data, "-p", std::to_string(port_), "-c",
                                                "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + home.string(),
                                                "-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "max_connections=200"},
                                               {},
                                               user,
                                               home / "log"});
    process_->wait_for_port(port_, 20);
    const auto until = Clock::now() + kPeerPatience;
    for (;;) {
      try {
        const Connection ready(port_);
        return;
      } catch (const std::exception&) {  // "the database system is starting up"
        if (Clock::now() > until) throw;
        std::this_thread::sleep_for(kConsumerWait);
      }
    }
  }
  void stop() override {
    if (process_) process_->signal(SIGINT);  // fast: it waits for no client
    process_.reset();
    folder_.reset();
  }
  pid_t pid() const override { return process_->pid(); }
  std::string version() const override { return first_line_of({program("postgres"), "--version"}); }
  void open_topic(const std::string& topic, std::size_t publishers) override {
    publishers_ = publishers;
    const Connection connection(port_);
    for (std::size_t i = 0; i < publishers; ++i)
      connection.run("create table " + table_of(topic, i) +
                     "(id bigint generated always as identity primary key, event bytea not null)");
  }
  std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t index, Payloads payloads,
                                            std::size_t) override {
    return std::make_unique<PgPublisher>(port_, table_of(topic, index), std::move(payloads));
  }
  std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t, Checker& checker) override {
    return std::make_unique<PgConsumer>(port_, topic, publishers_, checker);
  }

 private:
  int port_ = 0;
  std::size_t publishers_ = 0;
  std::unique_ptr<TempFolder> folder_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace

PeerSource postgresql() {
  return {{"postgresql", "PostgreSQL, an insert and a commit each", {true, true, "fsync on, synchronous_commit on"}},
          program("postgres").empty() ? "postgresql is not installed" : "",
          []() -> std::unique_ptr<Peer> { return std::make_unique<Postgres>(); }};
}

}  // namespace lianxi::bench
