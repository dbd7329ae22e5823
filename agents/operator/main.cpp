// lianxi: the operator's commands. Exit status: 0 done, 1 refused, 2 usage, 3 node unreachable.
#include <unistd.h>

#include <iostream>

#include "agents/operator/command_line.h"
#include "agents/operator/commands.h"

namespace {

using namespace lianxi;
using namespace lianxi::cli;

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

Exit run(const Settings& settings, const Console& console, sdk::StopSignal* stop) {
  const Common& common = settings.common;
  return std::visit(
      Overloaded{[&](const StatusCommand&) { return run_status(common, console); },
                 [&](const LinksCommand&) { return run_links(common, console); },
                 [&](const PublishCommand& command) { return run_publish(common, command, console); },
                 [&](const FollowCommand& command) { return run_follow(common, command, console, *stop); },
                 [&](const ResourcesCommand& command) { return run_resources(common, command, console); },
                 [&](const AlertsCommand& command) { return run_alerts(common, command, console); },
                 [&](const IncidentsCommand& command) { return run_incidents(common, command, console); },
                 [&](const ImportCommand& command) { return run_import(common, command, console); },
                 [&](const ExportCommand& command) { return run_export(common, command, console); },
                 [&](const ImportMobilisationCommand& command) { return run_import_mobilisation(common, command, console); },
                 [&](const ExportMobilisationCommand& command) { return run_export_mobilisation(common, command, console); },
                 [&](const OverrideCommand& command) { return run_override(common, command, console); },
                 [&](const KeysCommand& command) { return run_keys(common, command, console); },
                 [&](const RetainCommand& command) { return run_retain(common, command, console); },
                 [&](const MemberAddCommand& command) { return run_member_add(common, command, console); },
                 [&](const MemberRetireCommand& command) { return run_member_retire(common, command, console); },
                 [&](const MemberListCommand& command) { return run_member_list(common, command, console); },
                 [&](const ExplainCommand& command) { return run_explain(common, command, console); },
                 [&](const MobiliseCommand& command) { return run_mobilise(common, command, console); },
                 [&](const MobilisationsCommand& command) { return run_mobilisations(common, command, console); },
                 [&](const MobilisationCommand& command) { return run_mobilisation(common, command, console); },
                 [&](const SuggestCommand& command) { return run_suggest(common, command, console); },
                 [&](const SitesCommand& command) { return run_sites(common, command, console); },
                 [&](const RosterCommand& command) { return run_roster(common, command, console); },
                 [&](const TotalsCommand& command) { return run_totals(common, command, console); }},
      settings.command);
}

Exit say_usage(const Usage& usage) {
  if (usage.exit == Exit::done) {
    std::cout << usage.text;
    return Exit::done;
  }
  Common common;
  common.json = usage.json;
  common.say = usage.say;
  const Console console(common, std::cout, std::cerr, false, false);
  const Exit exit = console.failed("usage", usage.text, Exit::usage);
  if (!usage.json) std::cerr << usage.say("see lianxi --help", "用法见 lianxi --help") << '\n';
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::ios::sync_with_stdio(false);
    const auto parsed = parse_command_line(argc, argv, language_of_environment());
    if (const auto* usage = std::get_if<Usage>(&parsed)) return static_cast<int>(say_usage(*usage));
    const auto& settings = std::get<Settings>(parsed);
    // Only a follow has an end to tidy up; everything else dies of Ctrl-C as usual.
    std::optional<sdk::StopSignal> stop;
    if (std::holds_alternative<FollowCommand>(settings.command)) stop.emplace();
    const Console console(settings.common, std::cout, std::cerr, ::isatty(STDOUT_FILENO) == 1, ::isatty(STDERR_FILENO) == 1);
    return static_cast<int>(run(settings, console, stop ? &*stop : nullptr));
  } catch (const std::exception& error) {
    std::cerr << "lianxi: " << error.what() << '\n';
    return static_cast<int>(Exit::refused);
  }
}
