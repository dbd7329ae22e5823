#include "broker/app/verify_command.h"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "broker/app/config.h"
#include "broker/store/sqlite_journal.h"

namespace lianxi::app {

namespace {

using nlohmann::json;

constexpr int kProven = 0, kFindings = 1, kUsage = 2;

bool from_hex(const std::string& text, Hash& hash) {
  if (text.size() != 2 * hash.size()) return false;
  for (std::size_t i = 0; i < hash.size(); ++i) {
    unsigned value = 0;
    for (const char c : {text[2 * i], text[2 * i + 1]}) {
      const char* digits = "0123456789abcdef";
      const char* found = std::char_traits<char>::find(digits, 16, c);
      if (found == nullptr) return false;
      value = value * 16 + static_cast<unsigned>(found - digits);
    }
    hash[i] = static_cast<std::uint8_t>(value);
  }
  return true;
}

// A feed vector as `lianxi status --json` prints it under "feeds": objects with region, epoch, lane, audience, seq, hash. The
// whole status is taken as well.
Result<FeedVector> read_vector(const std::string& file) {
  const auto wrong = [&](const std::string& what) { return refuse(RefusalCode::config, file, what); };
  std::ifstream in(file);
  if (!in) return wrong("cannot be read");
  json document = json::parse(in, nullptr, false);
  if (document.is_object() && document.contains("feeds")) document = document["feeds"];
  if (!document.is_array()) return wrong("is no feed vector; save the output of `lianxi status --json`");
  FeedVector vector;
  for (const json& row : document) {
    FeedPosition position;
    try {
      const auto region = parse_region(row.at("region").get<std::string>());
      const auto audience = Audience::parse(row.at("audience").get<std::string>());
      const std::string lane = row.at("lane").get<std::string>();
      if (!region || !audience || !from_hex(row.at("hash").get<std::string>(), position.head.hash))
        return wrong("has a feed that cannot be read: " + row.dump());
      position.feed.region = *region;
      position.feed.audience = *audience;
      position.feed.epoch = Epoch(row.at("epoch").get<std::uint32_t>());
      position.head.sequence = Sequence(row.at("seq").get<std::uint64_t>());
      bool known = false;
      for (const Lane each : {Lane::flash, Lane::normal, Lane::bulk}) {
        if (lane != to_word(each)) continue;
        position.feed.lane = each;
        known = true;
      }
      if (!known) return wrong("has an unknown lane: " + lane);
    } catch (const json::exception& error) {
      return wrong(std::string("has a feed that cannot be read: ") + error.what());
    }
    vector.push_back(std::move(position));
  }
  return vector;
}

void print_json(const store::VerifyReport& report, std::ostream& out) {
  json feeds = json::array();
  for (const FeedPosition& position : report.heads)
    feeds.push_back({{"region", to_text(position.feed.region)},
                     {"epoch", position.feed.epoch.value},
                     {"lane", std::string(to_word(position.feed.lane))},
                     {"audience", position.feed.audience.text()},
                     {"seq", position.head.sequence.value},
                     {"hash", to_hex(position.head.hash)}});
  const json document = {{"proven", report.findings.empty()},
                         {"region", to_text(report.region)},
                         {"first_file", report.first_file},
                         {"first_offset", report.first_offset.value},
                         {"files", report.files},
                         {"segments", report.segments},
                         {"events", report.events},
                         {"seals", report.seals},
                         {"findings", report.findings},
                         {"feeds", std::move(feeds)}};
  out << document.dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
}

void print_text(const store::VerifyReport& report, std::ostream& out) {
  for (const std::string& finding : report.findings) out << finding << '\n';
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
    auto vector = read_vector(options.against);
    if (!vector) {
      errors << vector.error().field << ": " << vector.error().reason << '\n';
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
