// The commands, one function each. They return the program's exit status and throw nothing.
#pragma once

#include "agents/operator/console.h"
#include "agents/sdk/stop_signal.h"

namespace lianxi::cli {

[[nodiscard]] Exit run_retain(const Common& common, const RetainCommand& command, const Console& console);
[[nodiscard]] Exit run_status(const Common& common, const Console& console);
[[nodiscard]] Exit run_links(const Common& common, const Console& console);
[[nodiscard]] Exit run_resources(const Common& common, const ResourcesCommand& command, const Console& console);
[[nodiscard]] Exit run_alerts(const Common& common, const AlertsCommand& command, const Console& console);
[[nodiscard]] Exit run_incidents(const Common& common, const IncidentsCommand& command, const Console& console);
[[nodiscard]] Exit run_publish(const Common& common, const PublishCommand& command, const Console& console);
[[nodiscard]] Exit run_import(const Common& common, const ImportCommand& command, const Console& console);
[[nodiscard]] Exit run_export(const Common& common, const ExportCommand& command, const Console& console);
[[nodiscard]] Exit run_import_mobilisation(const Common& common, const ImportMobilisationCommand& command,
                                           const Console& console);
[[nodiscard]] Exit run_export_mobilisation(const Common& common, const ExportMobilisationCommand& command,
                                           const Console& console);
[[nodiscard]] Exit run_override(const Common& common, const OverrideCommand& command, const Console& console);
[[nodiscard]] Exit run_keys(const Common& common, const KeysCommand& command, const Console& console);
[[nodiscard]] Exit run_member_add(const Common& common, const MemberAddCommand& command, const Console& console);
[[nodiscard]] Exit run_member_retire(const Common& common, const MemberRetireCommand& command, const Console& console);
[[nodiscard]] Exit run_member_list(const Common& common, const MemberListCommand& command, const Console& console);
[[nodiscard]] Exit run_explain(const Common& common, const ExplainCommand& command, const Console& console);
[[nodiscard]] Exit run_mobilise(const Common& common, const MobiliseCommand& command, const Console& console);
[[nodiscard]] Exit run_mobilisations(const Common& common, const MobilisationsCommand& command, const Console& console);
[[nodiscard]] Exit run_mobilisation(const Common& common, const MobilisationCommand& command, const Console& console);
[[nodiscard]] Exit run_suggest(const Common& common, const SuggestCommand& command, const Console& console);
[[nodiscard]] Exit run_sites(const Common& common, const SitesCommand& command, const Console& console);
[[nodiscard]] Exit run_roster(const Common& common, const RosterCommand& command, const Console& console);
[[nodiscard]] Exit run_totals(const Common& common, const TotalsCommand& command, const Console& console);
// `stop` was made before any thread.
[[nodiscard]] Exit run_follow(const Common& common, const FollowCommand& command, const Console& console, sdk::StopSignal& stop);

}  // namespace lianxi::cli
