// What the command line asks for, as plain values; read in command_line.cpp.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agents/formats/resource_csv.h"
#include "agents/operator/members_file.h"
#include "agents/operator/mobilise_message.h"
#include "agents/operator/say.h"
#include "agents/sdk/client.h"

namespace lianxi::cli {

// The contract of the program's exit status.
enum class Exit : int { done = 0, refused = 1, usage = 2, unreachable = 3 };

struct Common {
  std::string profile;
  bool json = false;
  Say say;
  std::chrono::milliseconds timeout{5'000};
};

struct StatusCommand {};
struct LinksCommand {};
struct PublishCommand {
  Kind kind = Kind::alert;
  std::string file;
  Audience audience = Audience::conference();
  std::string agency;  // empty: the agent's own
  std::optional<PlaceCode> place;
  sdk::PublishOptions options;
};
struct FollowCommand {
  FollowFrom from = FollowFrom::now;
  RegionCode node;
  Incarnation incarnation;
  Offset offset;
  bool until_now = false;
  std::optional<std::uint64_t> count;
  Filter filter;
  std::string cursor_name;  // kept by the node
};
struct ResourcesCommand {
  AskResources ask;
};
struct AlertsCommand {
  AskAlerts ask;
};
struct IncidentsCommand {
  AskIncidents ask;
};
// Of a file of resources; given by its name if nobody says it.
enum class FileFormat : std::uint8_t { csv, geojson };

struct ImportCommand {
  std::string file;
  Audience audience = Audience::conference();
  std::optional<formats::Datum> datum;
  Status status = Status::Actual;
  std::string agency;
  FileFormat format = FileFormat::csv;
  std::string capabilities;                  // the file of their names; may be empty
  std::optional<Audience> contact_audience;  // contact and phone are events of their own, for it
  bool dry_run = false;
};
struct ExportCommand {
  AskResources ask;
  FileFormat format = FileFormat::csv;
  std::string out = "-";
  bool own = false;  // what the profile's region is home of
};
struct ImportMobilisationCommand {
  std::string file;
  Audience audience = Audience::conference();
  std::optional<Status> status;
  std::string agency;
  std::optional<PlaceCode> place;
  bool dry_run = false;
};
struct ExportMobilisationCommand {
  std::string thread;   // its entity, or its id as far as no other ends so
  std::string message;  // its id; empty: all of the thread, into the folder `out`
  std::string out;
};
struct OverrideCommand {
  std::string reason;
};
struct KeysCommand {
  AgentId name;
  std::string role = "agent";
  std::string folder = ".";
  bool seal = false;
};
struct RetainCommand {
  AskRetention ask;
  bool dry_run = false;
};
struct MemberAddCommand {
  std::string file;
  MemberEntry entry;
  std::string keys;  // the public key file; empty: the entry has the keys
};
struct MemberRetireCommand {
  std::string file;
  RegionCode region;
  std::string until;
};
struct MemberListCommand {
  std::string file;
  bool node = false;  // ask the profile's node too
};
struct ExplainCommand {
  AskExplain ask;
};
struct MobilisationsCommand {
  AskMobilisations ask;
};
struct MobilisationCommand {
  std::string thread;
  Status status = Status::Actual;
};
struct SuggestCommand {
  std::string thread, incident;
  std::vector<Need> needs;
  std::optional<LonLat> location;
};
struct SitesCommand {
  AskResources ask;
};
struct RosterCommand {
  AskResources ask;
};
struct TotalsCommand {
  AskTotals ask;
};
using Command =
    std::variant<StatusCommand, PublishCommand, FollowCommand, ResourcesCommand, AlertsCommand, IncidentsCommand, ImportCommand,
                 OverrideCommand, KeysCommand, RetainCommand, MemberAddCommand, MemberRetireCommand, MemberListCommand,
                 ExplainCommand, LinksCommand, MobiliseCommand, MobilisationsCommand, MobilisationCommand, SuggestCommand,
                 SitesCommand, RosterCommand, TotalsCommand, ExportCommand, ImportMobilisationCommand, ExportMobilisationCommand>;

struct Settings {
  Common common;
  Command command;
};

}  // namespace lianxi::cli
