#include "agents/operator/hints.h"

#include <array>
#include <string_view>

namespace lianxi::cli {
namespace {

struct Withdrawn {
  std::string_view code, successors;
};
// GB/T 2260 codes of the member cities that are no longer given out; config/places.toml has the same under [aliases].
constexpr std::array kWithdrawn{Withdrawn{"361121", "361104"}, Withdrawn{"361122", "361103"}, Withdrawn{"350784", "350703"},
                                Withdrawn{"330821", "330802/330803"}, Withdrawn{"330823", "330881"}};

}  // namespace

std::string hints_for(const AskResources& ask, const Say& say) {
  std::string text;
  if (!ask.capability.empty()) {
    text += say("capability words are those of config/capabilities.toml, e.g. hazmat, flood, forest-fire\n",
                "能力词见 config/capabilities.toml,如 hazmat、flood、forest-fire\n");
  }
  const std::string place = ask.place ? ask.place->text().substr(0, 6) : std::string();
  for (const Withdrawn& old : kWithdrawn) {
    if (place != old.code) continue;
    text += place + say(" is no longer given out, use ", " 已停用,请改用 ") + std::string(old.successors) + "\n";
  }
  return text;
}

}  // namespace lianxi::cli
