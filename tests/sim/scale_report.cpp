// The sizes one after the other, each in a process of its own: what it takes of memory is its own.
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "broker/core/input.h"
#include "tests/sim/scale.h"

namespace lianxi::sim {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Quantiles& q) {
  return {{"p50", q.p50}, {"p99", q.p99}, {"max", q.most}};
}

Json json_of(const ScaleResult& r) {
  return {{"members", r.members},
          {"links", r.members * (r.members - 1)},
          {"lanes_of_a_link", std::size(core::kLaneClasses)},
          {"seed", r.seed},
          {"events", r.events},
          {"ms_to_each_member", {{"flash", json_of(r.flash_to_each)}, {"others", json_of(r.other_to_each)}}},
          {"ms_to_all_members", {{"flash", json_of(r.flash_to_all)}, {"others", json_of(r.other_to_all)}}},
          {"copies_per_event_and_member", r.copies},
          {"delivered_bytes_per_event_and_member", r.payload_bytes_per_event},
          {"idle_bytes_per_link_second", r.idle_bytes_per_link_second},
          {"idle_bytes_per_member_second", r.idle_bytes_per_member_second},
          {"idle_messages_per_member_second", r.idle_messages_per_member_second},
          {"ms_from_heal_to_all_equal", r.heal_ms},
          {"events_behind_the_cut", r.behind_the_cut},
          {"memory_per_member_mb", r.memory_per_member_mb},
          {"cpu_us_per_event_and_member", r.cpu_us_per_event_and_member},
          {"idle_cpu_ms_per_member_second", r.idle_cpu_ms_per_member_second}};
}

std::string line_of(const Json& r) {
  char line[400];
  std::snprintf(
      line, sizeof line,
      "%4d members: flash to all %lld ms (p99 %lld), others %lld (%lld); %.3f copies; idle %.0f B/s a link, %.1f KB/s a "
      "member; a minute's cut mended in %.1f s; %.1f MB a member",
      r["members"].get<int>(), r["ms_to_all_members"]["flash"]["p50"].get<long long>(),
      r["ms_to_all_members"]["flash"]["p99"].get<long long>(), r["ms_to_all_members"]["others"]["p50"].get<long long>(),
      r["ms_to_all_members"]["others"]["p99"].get<long long>(), r["copies_per_event_and_member"].get<double>(),
      r["idle_bytes_per_link_second"].get<double>(), r["idle_bytes_per_member_second"].get<double>() / 1e3,
      r["ms_from_heal_to_all_equal"].get<double>() / 1e3, r["memory_per_member_mb"].get<double>());
  return line;
}

// What a child process found; nothing: it ended before its time.
Json measured_apart(const ScaleOptions& options) {
  int ends[2] = {};
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child == 0) {
    ::close(ends[0]);
    const ScaleResult result = measure_scale(options);
    const std::string text = (result.failure.empty() ? json_of(result) : Json{{"failure", result.failure}}).dump();
    const bool sent = ::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::_exit(sent ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], part, sizeof part)) > 0;) text.append(part, static_cast<std::size_t>(got));
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  const Json found = Json::parse(text, nullptr, false);
  return found.is_discarded() ? Json{{"failure", "its process ended early"}} : found;
}

}  // namespace

int run_scale(const std::vector<std::size_t>& sizes, const ScaleOptions& options, const std::string& path) {
  Json out = {{"one_way_ms", {kScaleDelayLowMs, kScaleDelayHighMs}}, {"cut_s", kScaleCutMs / 1000}, {"sizes", Json::array()}};
  for (const std::size_t members : sizes) {
    ScaleOptions of = options;
    of.members = members;
    std::printf("%4zu members: ...\r", members);
    std::fflush(stdout);
    const Json found = measured_apart(of);
    if (found.contains("failure")) {
      std::fprintf(stderr, "%zu members: %s\n", members, found["failure"].get<std::string>().c_str());
      return 1;
    }
    std::printf("%s\n", line_of(found).c_str());
    out["sizes"].push_back(found);
  }
  if (path.empty()) return 0;
  std::ofstream file(path);
  file << out.dump(1) << '\n';
  if (file.flush()) return 0;
  std::fprintf(stderr, "%s cannot be written\n", path.c_str());
  return 2;
}

}  // namespace lianxi::sim
