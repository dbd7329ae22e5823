#include "broker/app/verify_command.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "broker/app/config.h"
#include "broker/store/sqlite_journal.h"
#include "schemas/codec/json.h"

namespace lianxi::app {

namespace {

using nlohmann::json;

constexpr int kProven = 0, kFindings = 1, kUsage = 2;

void print_json(const store::VerifyReport& report, std::ostream& out) {
  const json document = {{"proven", report.findings.empty()},
                         {"region", to_text(report.region)},
                         {"first_file", report.first_file},
                         {"first_offset", report.first_offset.value},
                         {"files", report.files},
                         {"segments", report.segments},
                         {"events", report.events},
                         {"seals", report.seals},
                         {"findings", report.findings},
                         {"evidence", report.evidence},
                         {"beginnings", report.beginnings},
                         {"feeds", json::parse(to_json(report.heads))}};
  out << document.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

void print_text(const store::VerifyReport& report, std::ostream& out) {
  for (const std::string& finding : report.findings) out << finding << '\n';
  for (const std::string& fork : report.evidence) out << fork << '\n';
  for (const std::string& beginning : report.beginnings) out << beginning << '\n';
  out << (report.findings.empty() ? "proven: " : "not proven: ") << report.files << " files, " << report.segments << " segments, "
      << report.events << " events, " << report.seals << " seals, " << report.findings.size() << " findings; journal of "
      << to_text(report.region) << " from file " << report.first_file << ", offset " << report.first_offset.value << '\n';
}

}  // namespace

int run_verify(const VerifyOptions& options, std::ostream& out, std::ostream& errors, bool progress) {
  const auto members = read_members(options.members);
  for (const ConfigFinding& finding : members.findings) errors << to_text(finding) << '\n';
  if (!members.value) return kUsage;
  FeedVector against;
  if (!options.against.empty()) {
    std::ifstream file(options.against);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    auto vector = file ? feed_vector_from_json(text.str()) : refuse(RefusalCode::config, options.against, "cannot be read");
    if (!vector) {
      errors << options.against << ": " << vector.error().reason << '\n';
      return kUsage;
    }
    against = std::move(*vector);
  }
  std::error_code error;
  if (!std::filesystem::is_directory(options.journal, error)) {
    errors << options.journal << ": is no folder; name the journal's own, <data_dir>/journal\n";
    return kUsage;
  }
  const auto key_of = [&](RegionCode region) -> const SealPublicKey* {
    const core::Member* member = members.value->find(region);
    return member == nullptr ? nullptr : &member->seal_key;
  };
  const auto report = store::verify_journal(options.journal, key_of, against, [&](std::uint64_t files, std::uint64_t of) {
    if (progress) errors << "\rfile " << files << " of " << of << (files == of ? "\n" : "") << std::flush;
  });
  if (!report) {
    errors << options.journal << ": " << report.error().detail << '\n';
    return report.error().code == store::StoreError::not_found ? kUsage : kFindings;
  }
  options.json ? print_json(*report, out) : print_text(*report, out);
  return report->findings.empty() ? kProven : kFindings;
}

}  // namespace lianxi::app
