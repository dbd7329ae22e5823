// PostGIS for the map's bench: a server of its own in a folder of its own, over its unix socket, prepared statements. Distances
// are measured on the ellipsoid; candidates come by the KNN operator on points whose degrees of longitude are shortened to the
// map's middle latitude, more of them than asked for, and are put in order exactly. Text
// is found by an array of pairs of letters (GIN), as pg_trgm finds no Chinese word of two letters, and then by LIKE.
#include <libpq-fe.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/bench/child_process.h"
#include "tests/bench/map_bench.h"

namespace lianxi::bench {
namespace {

namespace fs = std::filesystem;
constexpr const char* kUser = "postgres";  // if we are root, which the server refuses to be
constexpr double kShrink = 0.8788;         // cosine of the middle latitude

const std::vector<std::string> kIndexes{
    "create index on resource using gist (flat)", "create index on resource using gist (geo)",
    "create index on resource using gist (spot)", "create index on resource using gin (capabilities)",
    "create index on resource using gin (pairs)", "create unique index on resource (id)",
    "create index on resource (place)",
};

struct Clear {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultOf = std::unique_ptr<PGresult, Clear>;

class Pg {
 public:
  explicit Pg(const fs::path& socket)
      : connection_(PQconnectdb(("host=" + socket.string() + " dbname=postgres user=bench").c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) {
      const std::string why = PQerrorMessage(connection_);
      PQfinish(connection_);
      throw std::runtime_error("postgis: " + why);
    }
  }
  ~Pg() { PQfinish(connection_); }
  Pg(const Pg&) = delete;
  Pg& operator=(const Pg&) = delete;
  [[noreturn]] void fail() const { throw std::runtime_error(std::string("postgis: ") + PQerrorMessage(connection_)); }
  void run(const std::string& sql) const {
    const ResultOf result(PQexec(connection_, sql.c_str()));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail();
  }
  void prepare(const char* name, const std::string& sql) const {
    const ResultOf result(PQprepare(connection_, name, sql.c_str(), 0, nullptr));
    if (PQresultStatus(result.get()) != PGRES_COMMAND_OK) fail();
  }
  [[nodiscard]] ResultOf ask(const char* name, const std::vector<std::string>& values) const {
    std::vector<const char*> texts;
    for (const std::string& value : values) texts.push_back(value.c_str());
    ResultOf result(PQexecPrepared(connection_, name, static_cast<int>(texts.size()), texts.data(), nullptr, nullptr, 0));
    const auto status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) fail();
    return result;
  }
  void copy(const std::string& sql, const std::function<bool(std::string&)>& next) const {
    const ResultOf started(PQexec(connection_, sql.c_str()));
    if (PQresultStatus(started.get()) != PGRES_COPY_IN) fail();
    for (std::string rows; next(rows); rows.clear())
      if (PQputCopyData(connection_, rows.data(), static_cast<int>(rows.size())) != 1) fail();
    if (PQputCopyEnd(connection_, nullptr) != 1) fail();
    const ResultOf ended(PQgetResult(connection_));
    if (PQresultStatus(ended.get()) != PGRES_COMMAND_OK) fail();
    while (ResultOf more{PQgetResult(connection_)}) continue;
  }

 private:
  PGconn* connection_;
};

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string ring_text(const std::vector<LonLat>& ring) {
  std::string text = "SRID=4326;POLYGON((";
  for (std::size_t i = 0; i < ring.size(); ++i) text += (i == 0 ? "" : ",") + number(ring[i].lon) + " " + number(ring[i].lat);
  return text + "))";
}

// Pairs of neighbouring letters of a text of Chinese words.
std::string pairs_of(const std::string& text) {
  std::vector<std::string> letters;
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    letters.push_back(text.substr(i, size));
    i += size;
  }
  std::string pairs = "{";
  for (std::size_t i = 0; i + 1 < letters.size(); ++i) pairs += (i == 0 ? "" : ",") + letters[i] + letters[i + 1];
  return pairs + "}";
}

const char* kColumns =
    "id, type, name, owner, address, place, agency, state, quantity, unit, lon, lat, capabilities, free, attributes, updated_at";

class PgConnection final : public MapSide::Connection {
 public:
  explicit PgConnection(const fs::path& socket) : pg_(socket) {
    const std::string columns = kColumns;
    const std::string here = "ST_SetSRID(ST_MakePoint($1::float8, $2::float8), 4326)::geography";
    const std::string flat = "ST_MakePoint($1::float8 * " + number(kShrink) + ", $2::float8)";
    pg_.prepare("nearest",
                "with near as materialized (select * from resource where capabilities @> array[$3::text] and state = 0"
                " order by flat <-> " +
                    flat + " limit 24) select " + columns + ", ST_Distance(geo, " + here +
                    ") as d from near order by d, id limit $4::int");
    pg_.prepare("radius", "select " + columns + ", ST_Distance(geo, " + here + ") as d from resource where ST_DWithin(geo, " +
                              here + ", $3::float8) order by d, id limit $4::int");
    pg_.prepare("polygon",
                "select " + columns + " from resource where ST_Intersects(spot, $1::geometry) order by id limit $2::int");
    pg_.prepare("text",
                "select " + columns + " from resource where pairs @> $1::text[] and words like $2 order by id limit $3::int");
  }
  std::vector<std::string> ask(const MapAsk& ask) override {
    const std::string limit = std::to_string(ask.limit);
    ResultOf rows;
    switch (ask.kind) {
      case MapKind::nearest:
        rows = pg_.ask("nearest", {number(ask.at.lon), number(ask.at.lat), ask.capability, limit});
        break;
      case MapKind::radius:
        rows = pg_.ask("radius", {number(ask.at.lon), number(ask.at.lat), number(ask.within_m), limit});
        break;
      case MapKind::polygon:
        rows = pg_.ask("polygon", {ring_text(ask.ring), limit});
        break;
      case MapKind::text:
        rows = pg_.ask("text", {pairs_of(ask.text), "%" + ask.text + "%", limit});
        break;
    }
    std::vector<std::string> ids;
    for (int i = 0; i < PQntuples(rows.get()); ++i) ids.emplace_back(PQgetvalue(rows.get(), i, 0));
    return ids;
  }

 private:
  Pg pg_;
};

std::string program(const std::string& name) {
  std::error_code error;
  for (int version = 20; version >= 13; --version) {
    const fs::path path = "/usr/lib/postgresql/" + std::to_string(version) + "/bin/" + name;
    if (fs::exists(path, error)) return path.string();
  }
  return {};
}

class PostgisMap final : public MapSide {
 public:
  PostgisMap() : folder_("lianxi-bench-postgis") {
    home_ = folder_.path() / "home";
    fs::create_directory(home_);
    fs::permissions(home_, fs::perms::all);
    const std::string user = ::geteuid() == 0 ? kUser : "";
    data_ = home_ / "data";
    run_command({{program("initdb"), "-D", data_.string(), "-U", "bench", "-A", "trust", "--no-locale", "-E", "UTF8"},
                 {},
                 user,
                 home_ / "initdb.log"});
    process_ = std::make_unique<ChildProcess>(Command{{program("postgres"),
                                                       "-D",
                                                       data_.string(),
                                                       "-c",
                                                       "listen_addresses=",
                                                       "-c",
                                                       "unix_socket_directories=" + home_.string(),
                                                       "-c",
                                                       "shared_buffers=1GB",
                                                       "-c",
                                                       "maintenance_work_mem=256MB",
                                                       "-c",
                                                       "work_mem=32MB",
                                                       "-c",
                                                       "jit=off",
                                                       "-c",
                                                       "max_wal_size=4GB",
                                                       "-c",
                                                       "max_parallel_workers_per_gather=0",
                                                       "-c",
                                                       "random_page_cost=1.1"},
                                                      {},
                                                      user,
                                                      home_ / "log"});
    const auto until = Clock::now() + std::chrono::seconds(30);
    for (;;) {
      try {
        const Pg ready(home_);
        ready.run("create extension postgis");
        return;
      } catch (const std::exception&) {  // "the database system is starting up"
        if (Clock::now() > until || !process_->alive()) throw;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    }
  }
  ~PostgisMap() override {
    changer_.reset();
    if (process_) process_->signal(SIGINT);  // fast: it waits for no client
  }

  double load(std::uint64_t resources) override {
    const auto begin = Clock::now();
    const Pg pg(home_);
    pg.run(
        "create table resource (id text, type smallint, name text, owner text, address text, place text, agency text,"
        " state smallint, quantity bigint, unit text, lon float8, lat float8, capabilities text[], free bigint, attributes text,"
        " updated_at bigint, words text, pairs text[], geo geography(point), spot geometry(point, 4326), flat geometry(point))"
        " with (fillfactor = 90)");
    std::uint64_t at = 0;
    pg.copy("copy resource from stdin", [&](std::string& rows) {
      constexpr std::uint64_t kAtOnce = 1'000;
      for (const std::uint64_t end = std::min(resources, at + kAtOnce); at < end; ++at) rows += row_of(map_resource(at));
      return !rows.empty();
    });
    for (const std::string& index : kIndexes) pg.run(index);
    pg.run("vacuum analyze resource");
    const auto connection = connect();
    (void)connection->ask(map_ask(MapKind::nearest, 0));
    return std::chrono::duration<double>(Clock::now() - begin).count();
  }
  std::unique_ptr<Connection> connect() override { return std::make_unique<PgConnection>(home_); }
  void change(std::uint64_t first, std::uint64_t count, std::uint64_t resources) override {
    if (!changer_) {
      changer_ = std::make_unique<Pg>(home_);
      changer_->prepare("change",
                        "update resource set state = u.state, updated_at = updated_at + 1 from"
                        " unnest($1::text[], $2::smallint[]) as u(id, state) where resource.id = u.id");
    }
    // Of several changes of one resource the last counts.
    std::map<std::string, int> last;
    for (std::uint64_t i = first; i < first + count; ++i) {
      const MapChange change = map_change(i, resources);
      last[map_resource(change.resource).id] = static_cast<int>(change.state);
    }
    std::string ids, states;
    for (const auto& [id, state] : last) {
      ids += (ids.empty() ? "{" : ",") + id;
      states += (states.empty() ? "{" : ",") + std::to_string(state);
    }
    (void)changer_->ask("change", {ids + "}", states + "}"});
  }
  void settle() override {}
  Memory memory() override {
    Memory memory;
    for (const pid_t pid : process_tree(process_->pid())) {
      std::ifstream in("/proc/" + std::to_string(pid) + "/smaps_rollup");
      for (std::string line; std::getline(in, line);) {
        if (line.starts_with("Pss_Anon:") || line.starts_with("Pss_Shmem:"))
          memory.anonymous_mb += std::stod(line.substr(10)) / 1024;
        if (line.starts_with("Pss_File:")) memory.mapped_mb += std::stod(line.substr(10)) / 1024;
      }
    }
    const Pg pg(home_);
    pg.prepare("size", "select pg_total_relation_size('resource')");
    memory.disk_mb = std::stod(PQgetvalue(pg.ask("size", {}).get(), 0, 0)) / 1024 / 1024;
    return memory;
  }

 private:
  static std::string row_of(const MapResource& r) {
    std::string capabilities = "{";
    for (const std::string& word : r.capabilities) capabilities += (capabilities.size() == 1 ? "" : ",") + word;
    std::string pairs = pairs_of(r.name);
    const std::string more = pairs_of(r.address), owner = pairs_of(r.owner);
    const auto join = [](std::string& to, const std::string& list) {
      if (list.size() <= 2) return;
      to.pop_back();
      to += "," + list.substr(1);
    };
    join(pairs, owner);
    join(pairs, more);
    const std::string point = number(r.location.lon) + " " + number(r.location.lat);
    const std::string quantity = std::to_string(r.quantity_milli);
    return r.id + "\t" + std::to_string(static_cast<int>(r.type)) + "\t" + r.name + "\t" + r.owner + "\t" + r.address + "\t" +
           r.place + "\t" + r.agency + "\t" + std::to_string(static_cast<int>(r.state)) + "\t" + quantity + "\t件\t" +
           number(r.location.lon) + "\t" + number(r.location.lat) + "\t" + capabilities + "}\t" + quantity + "\t\t0\t" + r.name +
           " " + r.owner + " " + r.address + "\t" + pairs + "\tSRID=4326;POINT(" + point + ")\tSRID=4326;POINT(" + point +
           ")\tPOINT(" + number(r.location.lon * kShrink) + " " + number(r.location.lat) + ")\n";
  }

  TempFolder folder_;
  fs::path home_, data_;
  std::unique_ptr<ChildProcess> process_;
  std::unique_ptr<Pg> changer_;
};

}  // namespace

std::unique_ptr<MapSide> postgis_map() {
  std::error_code error;
  const fs::path server = program("postgres");
  if (server.empty()) return nullptr;
  const std::string version = server.parent_path().parent_path().filename().string();
  if (!fs::exists("/usr/share/postgresql/" + version + "/extension/postgis.control", error)) return nullptr;
  return std::make_unique<PostgisMap>();
}

std::vector<std::string> postgis_indexes() {
  return kIndexes;
}

}  // namespace lianxi::bench
