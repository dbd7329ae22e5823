// The map by brute force: what every question should answer, from the events alone, and with nothing of the index's ways.
#pragma once

#include <random>

#include "schemas/map_names.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {

class MapModel {
 public:
  // What the events say, in their order. Upserts, states and removals alone.
  void take(const Event& event);
  // Ids, in order.
  [[nodiscard]] std::vector<std::string> answer(const AskResources& ask, TimeMs now, const MapNames& names,
                                                const ReadView::Admits& admits) const;
  struct Row {
    Envelope envelope;
    Resource resource;
  };
  [[nodiscard]] const std::map<std::pair<std::string, std::string>, Row>& rows() const { return rows_; }

 private:
  [[nodiscard]] static bool fits(const Row& row, const AskResources& ask, TimeMs now, const MapNames& names);
  std::map<std::pair<std::string, std::string>, Row> rows_;  // by entity and audience
};

// Resources of four cities, some without a place, with areas, times, languages and rows for several audiences.
[[nodiscard]] Event random_resource(std::mt19937& random, int entities);
[[nodiscard]] AskResources random_question(std::mt19937& random);
[[nodiscard]] MapNames some_names();

}  // namespace lianxi::store::test
