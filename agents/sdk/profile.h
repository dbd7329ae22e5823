// Where a node is and who the caller is: the profile file of an agent.
//
//   [node]  region = "330800", flash/data/follow/query/live = "tcp://…", server_key = "<Z85>"
//           security = "plain" for a node of plain sockets, which all must be loopback; else left out
//   [agent] id = "330800.police.dispatch", public_key, secret_key = "<Z85>"
#pragma once

#include "schemas/ids.h"
#include "schemas/security.h"

namespace lianxi::sdk {

struct Profile {
  RegionCode region = {};
  std::string flash = {}, data = {}, follow = {}, query = {}, live = {};
  std::string server_key = {};
  AgentId agent = {};
  std::string public_key = {}, secret_key = {};
  Security security = Security::curve;
};

// Refusals are RefusalCode::config; the reason names file, line, field and mend.
[[nodiscard]] Result<Profile> load_profile(const std::string& path);
// Refused: a plain profile that would speak to another machine. For profiles made by hand; Client::open asks too.
[[nodiscard]] Result<void> check_security(const Profile& profile);

struct CurveKeys {
  std::string public_key, secret_key;  // Z85
};
[[nodiscard]] CurveKeys make_curve_keys();

}  // namespace lianxi::sdk
