#include "broker/app/backup_command.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "broker/app/broker.h"
#include "broker/app/clock.h"
#include "broker/app/data_folder.h"
#include "broker/app/random.h"
#include "broker/store/backup.h"
#include "schemas/codec/json.h"

namespace lianxi::app {

namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kDone = 0, kFailed = 1, kUsage = 2;
constexpr TimeMs kEpochsBegin = 1'767'225'600'000;  // 2026-01-01T00:00:00Z
constexpr TimeMs kHourMs = 3'600'000;
constexpr std::uint32_t kMaxClockEpoch = 200'000;  // hours; leaves room for those that follow
constexpr const char* kPartial = ".partial";

// What a person is told, and the exit status with it.
struct Stopped {
  int status;
  std::string why;
};

void check(const std::error_code& error, const std::string& what) {
  if (error) throw Stopped{kFailed, what + ": " + error.message()};
}

void sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  if (descriptor >= 0) ::close(descriptor);
  if (!synced) throw Stopped{kFailed, path + ": cannot be written to disk"};
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  check(error, path + ": cannot be made");
}

// What an earlier run was broken off at is ours to remove; nobody reads it.
std::string fresh_partial(const std::string& path) {
  std::error_code error;
  fs::remove_all(path + kPartial, error);
  check(error, path + kPartial + ": cannot be removed");
  return path + kPartial;
}

void put_in_place(const std::string& partial, const std::string& path) {
  std::error_code error;
  fs::rename(partial, path, error);
  check(error, path + ": cannot be put in place");
  const std::string parent = fs::path(path).parent_path().string();
  sync_path(parent.empty() ? "." : parent);
}

// Without a trailing slash, which would make it its own parent.
std::string plain(const std::string& path) {
  const fs::path absolute = fs::absolute(path).lexically_normal();
  return (absolute.has_filename() ? absolute : absolute.parent_path()).string();
}

store::VerifyReport prove(const BrokerConfig& config, const std::string& journal, std::ostream& errors, bool progress) {
  const auto key_of = [&](RegionCode region) -> const SealPublicKey* {
    const core::Member* member = config.members->find(region);
    return member == nullptr ? nullptr : &member->seal_key;
  };
  auto report = store::verify_journal(journal, key_of, {}, [&](std::uint64_t files, std::uint64_t of) {
    if (progress) errors << "\rproving file " << files << " of " << of << (files == of ? "\n" : "") << std::flush;
  });
  if (!report) throw Stopped{kFailed, journal + ": " + report.error().detail};
  for (const std::string& finding : report->findings) errors << finding << '\n';
  if (!report->findings.empty()) throw Stopped{kFailed, journal + ": is not proven, see the findings above"};
  return std::move(*report);
}

json summary(const store::VerifyReport& report, const store::JournalIdentity& identity) {
  return {{"region", to_text(identity.region)},
          {"epoch", identity.epoch.value},
          {"incarnation", fmt::format("{:016x}", identity.incarnation.value)},
          {"files", report.files},
          {"segments", report.segments},
          {"events", report.events},
          {"feeds", json::parse(to_json(report.heads))}};
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  if (!(out << text << '\n') || !out.flush()) throw Stopped{kFailed, path + ": cannot be written"};
  out.close();
  sync_path(path);
}

template <class F>
int guarded(std::ostream& errors, F&& run) {
  try {
    run();
    return kDone;
  } catch (const Stopped& stopped) {
    errors << stopped.why << '\n';
    return stopped.status;
  } catch (const std::exception& error) {
    errors << error.what() << '\n';
    return kFailed;
  }
}

// Numbers of epochs come from the clock, so that two restores of one backup do not begin the same one; in hours, since a
// version has 18 bits for them. A wrong clock costs nothing: the number is at least the next one, and two of a kind, as of two
// restores within an hour, are a fork: the peers report it, and it is stopped.
Epoch epoch_of_now() {
  const TimeMs hours = (wall_ms() - kEpochsBegin) / kHourMs;
  return Epoch(hours > 0 && hours < kMaxClockEpoch ? static_cast<std::uint32_t>(hours) : 1);
}

void copy_files(const std::string& from, const std::string& to) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(from, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".db") && !name.ends_with(".db-wal") && !name.ends_with(".db.zst")) continue;
    fs::copy_file(entry.path(), to + "/" + name, error);
    check(error, entry.path().string() + ": cannot be copied");
    sync_path(to + "/" + name);
  }
  check(error, from + ": cannot be listed");
  sync_path(to);
}

// The sets of members that groups have had (groups.toml); from before there were any, none. What is there is newer.
void copy_groups(const std::string& from, const std::string& to) {
  std::error_code error;
  const std::string source = from + "/groups.toml", target = to + "/groups.toml";
  if (!fs::exists(source, error) || fs::exists(target, error)) return;
  fs::copy_file(source, target, error);
  check(error, source + ": cannot be copied");
  sync_path(target);
  sync_path(to);
}

void require_fresh(const NodeFile& file) {
  std::error_code error;
  if (fs::exists(file.journal_folder(), error))
    throw Stopped{kUsage, fmt::format("{0}: there is a journal already; move it away first and keep it, it may hold what the "
                                      "backup lacks: mv {0} {0}.before",
                                      file.journal_folder())};
}

}  // namespace

int run_backup(const BrokerConfig& config, const BackupOptions& options, std::ostream& out, std::ostream& errors) {
  return guarded(errors, [&] {
    const std::string to = plain(options.folder);
    std::error_code error;
    if (fs::exists(to, error)) throw Stopped{kUsage, to + ": is there already; name a new folder for each backup"};
    const std::string partial = fresh_partial(to);
    make_folder(partial + "/journal");
    const auto copied =
        store::copy_journal(config.file.journal_folder(), partial + "/journal", [&](std::uint64_t files, std::uint64_t of) {
          if (options.progress) errors << "\rcopying file " << files << " of " << of << (files == of ? "\n" : "") << std::flush;
        });
    if (!copied) throw Stopped{kFailed, copied.error().detail};
    const store::VerifyReport report = prove(config, partial + "/journal", errors, options.progress);
    json about = summary(report, copied->identity);
    about["made_at"] = to_iso8601(wall_ms());
    about["software"] = std::string(kSoftware);
    write_text(partial + "/backup.json", about.dump(2));
    copy_groups(config.file.data_dir, partial);
    sync_path(partial);
    put_in_place(partial, to);
    if (options.json) {
      out << about.dump() << '\n';
    } else {
      out << fmt::format("{}: proven, {} events of {} in epoch {}, {} files, {:.1f} MB\n", to, report.events,
                         to_text(copied->identity.region), copied->identity.epoch.value, copied->files,
                         static_cast<double>(copied->bytes) / 1e6);
    }
  });
}

int run_restore(const BrokerConfig& config, const BackupOptions& options, std::ostream& out, std::ostream& errors) {
  return guarded(errors, [&] {
    const NodeFile& file = config.file;
    const std::string from = plain(options.folder) + "/journal";
    std::error_code error;
    if (!fs::is_directory(from, error)) throw Stopped{kUsage, from + ": is no folder; name the folder that `backup` made"};
    require_fresh(file);
    const auto folder = DataFolder::open(file.data_dir);
    if (!folder) throw Stopped{kFailed, folder.error().detail};
    const store::VerifyReport report = prove(config, from, errors, options.progress);
    if (report.region != file.region)
      throw Stopped{kUsage,
                    fmt::format("{}: is the journal of {}, this node is {}", from, to_text(report.region), to_text(file.region))};
    const std::string partial = fresh_partial(file.journal_folder());
    make_folder(partial);
    copy_files(from, partial);
    const auto begun = store::begin_epoch({.folder = partial}, epoch_of_now(), random_incarnation());
    if (!begun) throw Stopped{kFailed, begun.error().detail};
    for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(file.view_path() + suffix, error);
    copy_groups(plain(options.folder), file.data_dir);
    put_in_place(partial, file.journal_folder());
    if (options.json) {
      out << summary(report, *begun).dump() << '\n';
    } else {
      out << fmt::format(
          "{}: restored with {} events; epoch {} begins. Start the node: what its peers hold beyond the backup comes back from "
          "them. Whatever else still runs from the former journal must stay off.\n",
          file.journal_folder(), report.events, begun->epoch.value);
    }
  });
}

}  // namespace lianxi::app
