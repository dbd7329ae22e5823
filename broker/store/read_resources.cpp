// Resources: nearest first by a search in growing boxes, or by id.
#include <algorithm>
#include <cmath>

#include "broker/store/projections/resource.h"
#include "broker/store/read_tables.h"
#include "broker/store/spot_boxes.h"

namespace lianxi::store {

namespace {

constexpr double kFirstRadius_m = 2'000;
constexpr double kLeastGrowth = 1.5;
constexpr double kMostGrowth = 4;
constexpr double kLastStep_m = 500'000;     // beyond it the search takes the whole earth at once
constexpr std::int64_t kFewEnough = 2'000;  // so many with the asked capability are all measured, without boxes

struct Candidate {
  std::int64_t id = 0;
  std::int64_t audience = 0;
  Envelope envelope;
  std::optional<LonLat> location;
  double distance_m = 0;
};

const std::string kColumns = "r.id, r.entity, r.audience, r.place, r.agency, r.level, r.lon, r.lat";

class Search {
 public:
  Search(ReadTables& tables, const AskResources& ask, const ReadView::Admits& admits)
      : tables_(tables), ask_(ask), admits_(admits), places_(range_of(ask.place)), limit_(limit_of(ask.limit)) {
    for (const ResourceType type : ask.types) types_ |= std::int64_t{1} << static_cast<unsigned>(type);
    if (ask.types.empty()) types_ = ~std::int64_t{0};
  }

  ResourceRows rows() {
    ResourceRows rows;
    std::vector<Candidate> found = ask_.near ? nearest() : by_id();
    rows.truncated = found.size() > limit_;
    if (rows.truncated) found.resize(limit_);
    for (const Candidate& candidate : found) rows.rows.push_back(load(candidate));
    return rows;
  }

 private:
  // Conditions on a row, in the order in which `bind` gives their values. Drills are kept out here.
  [[nodiscard]] std::string conditions() const {
    std::string sql =
        " r.status = 0 AND r.record_version > r.removed_version AND (? >> r.type) & 1 AND (? >> r.state) & 1"
        " AND r.place >= ? AND r.place < ?";
    if (!ask_.capability.empty()) {
      sql += " AND EXISTS (SELECT 1 FROM resource_capability c WHERE c.capability = ? AND c.resource = r.id)";
    }
    return sql;
  }
  void bind(Run& run) const {
    constexpr int kAvailable = 1 << static_cast<int>(ResourceState::available);
    run.put(types_).put(ask_.available ? kAvailable : ~0).put(places_.low).put(places_.high);
    if (!ask_.capability.empty()) run.put(ask_.capability);
  }

  static Candidate read(const Run& run) {
    Candidate candidate;
    candidate.id = run.number(0);
    candidate.audience = run.number(2);
    candidate.envelope = envelope_of(run, 1);
    if (!run.is_null(6) && !run.is_null(7)) candidate.location = LonLat{run.real(6), run.real(7)};
    return candidate;
  }
  // entity, audience, place, agency, level
  static Envelope envelope_of(const Run& run, int column) {
    Envelope envelope;
    envelope.kind = Kind::resource;
    envelope.entity = run.text(column);
    envelope.place = place_of(run.text(column + 2));
    envelope.agency = run.text(column + 3);
    envelope.level = static_cast<Level>(run.number(column + 4));
    return envelope;
  }

  // May be seen, and no narrower row of the same resource that may be seen stands before it.
  bool admitted(Candidate& candidate) {
    candidate.envelope.audience = tables_.audience(candidate.audience);
    if (!admits_(candidate.envelope)) return false;
    if (tables_.audiences().size() == 1 || candidate.envelope.audience.is_local()) return true;
    Run run(
        tables_.statement("SELECT entity, audience, place, agency, level FROM resource"
                          " WHERE entity = ? AND status = 0 AND audience <> ? AND record_version > removed_version"));
    run.put(candidate.envelope.entity).put(candidate.audience);
    while (run.next()) {
      Envelope other = envelope_of(run, 0);
      other.audience = tables_.audience(run.number(1));
      if (is_narrower(other.audience, candidate.envelope.audience) && admits_(other)) return false;
    }
    return true;
  }

  std::vector<Candidate> by_id() {
    std::vector<Candidate> found;
    Run run(tables_.statement("SELECT " + kColumns + " FROM resource r WHERE" + conditions() + " ORDER BY r.entity, r.audience"));
    bind(run);
    while (found.size() <= limit_ && run.next()) {
      Candidate candidate = read(run);
      if (admitted(candidate)) found.push_back(std::move(candidate));
    }
    return found;
  }

  struct Spot {
    std::int64_t id = 0;
    LonLat location;
    double distance_m = 0;
  };

  // Up to one more than the limit.
  std::vector<Candidate> nearest() {
    const double farthest = std::min(ask_.within_m.value_or(kFarthest_m), kFarthest_m);
    if (few_have_capability()) {
      std::vector<Spot> all;
      Run run(
          tables_.statement("SELECT r.id, r.lon, r.lat FROM resource_capability w CROSS JOIN resource r ON r.id = w.resource"
                            " WHERE w.capability = ? AND r.lon IS NOT NULL AND r.lat IS NOT NULL AND" +
                            conditions()));
      run.put(ask_.capability);
      bind(run);
      gather(run, farthest, all);
      return in_order(std::move(all));
    }
    for (double radius = kFirstRadius_m;;) {
      const double reach = std::min(radius, farthest);
      std::vector<Spot> within;
      for (const Box& box : boxes_around(*ask_.near, reach)) {
        Run run(
            tables_.statement("SELECT r.id, r.lon, r.lat FROM resource_spot p CROSS JOIN resource r ON r.id = p.id"
                              " WHERE p.east >= ? AND p.west <= ? AND p.north >= ? AND p.south <= ? AND" +
                              conditions()));
        run.put(box.west).put(box.east).put(box.south).put(box.north);
        bind(run);
        gather(run, reach, within);
      }
      const std::size_t found = within.size();
      if (found > limit_ || reach >= farthest) {
        std::vector<Candidate> rows = in_order(std::move(within));
        if (rows.size() > limit_ || reach >= farthest) return rows;
      }
      radius = next_radius(radius, found);
    }
  }

  // As far as the density so far promises enough, and some more; soon the whole earth.
  [[nodiscard]] double next_radius(double radius, std::size_t found) const {
    if (radius > kLastStep_m) return kFarthest_m;
    const double lacking = 1.5 * static_cast<double>(limit_ + 1) / static_cast<double>(found + 1);
    return radius * std::clamp(std::sqrt(lacking), kLeastGrowth, kMostGrowth);
  }

  bool few_have_capability() {
    if (ask_.capability.empty()) return false;
    Run run(tables_.statement("SELECT count(*) FROM (SELECT 1 FROM resource_capability WHERE capability = ? LIMIT ?)"));
    return run.put(ask_.capability).put(kFewEnough + 1).next() && run.number(0) <= kFewEnough;
  }

  void gather(Run& run, double reach, std::vector<Spot>& into) const {
    while (run.next()) {
      Spot spot{run.number(0), {run.real(1), run.real(2)}, 0};
      spot.distance_m = geodesic_m(*ask_.near, spot.location);
      if (spot.distance_m <= reach) into.push_back(spot);
    }
  }

  // Nearest first, of equal ones by id, without those that are not admitted; until one more than the limit is found.
  std::vector<Candidate> in_order(std::vector<Spot> spots) {
    std::sort(spots.begin(), spots.end(), [](const Spot& a, const Spot& b) { return a.distance_m < b.distance_m; });
    std::vector<Candidate> found;
    for (std::size_t i = 0; i < spots.size() && found.size() <= limit_;) {
      std::vector<Candidate> equal;
      for (const double distance_m = spots[i].distance_m; i < spots.size() && spots[i].distance_m == distance_m; ++i) {
        Run run(tables_.statement("SELECT " + kColumns + " FROM resource r WHERE r.id = ?"));
        if (!run.put(spots[i].id).next()) continue;
        equal.push_back(read(run));
        equal.back().distance_m = distance_m;
      }
      std::sort(equal.begin(), equal.end(), [](const Candidate& a, const Candidate& b) {
        return std::tie(a.envelope.entity, a.audience) < std::tie(b.envelope.entity, b.audience);
      });
      for (Candidate& candidate : equal) {
        if (found.size() <= limit_ && admitted(candidate)) found.push_back(std::move(candidate));
      }
    }
    return found;
  }

  ResourceRow load(const Candidate& candidate) {
    Run run(
        tables_.statement("SELECT type, name, region, capabilities, state, quantity_milli, unit, capacity, occupancy, owner,"
                          " address, contact, phone, updated_at FROM resource WHERE id = ?"));
    ResourceRow row;
    row.id = candidate.envelope.entity;
    row.audience = candidate.envelope.audience;
    row.place = candidate.envelope.place;
    row.location = candidate.location;
    if (ask_.near) row.distance_m = candidate.distance_m;
    if (!run.put(candidate.id).next()) fail(StoreError::corrupt, "a resource went away while it was read");
    row.type = static_cast<ResourceType>(run.number(0));
    row.name = run.text(1);
    row.region = RegionCode(static_cast<std::uint32_t>(run.number(2)));
    row.capabilities = split_lines(run.text(3));
    row.state = static_cast<ResourceState>(run.number(4));
    row.quantity_milli = run.number(5);
    row.unit = run.text(6);
    row.capacity = run.optional_number<std::int32_t>(7);
    row.occupancy = run.optional_number<std::int32_t>(8);
    row.owner = run.text(9);
    row.address = run.text(10);
    row.contact = run.text(11);
    row.phone = run.text(12);
    row.updated_at = run.number(13);
    return row;
  }

  ReadTables& tables_;
  const AskResources& ask_;
  const ReadView::Admits& admits_;
  PlaceRange places_;
  std::size_t limit_;
  std::int64_t types_ = 0;
};

}  // namespace

ResourceRows read_resources(ReadTables& tables, const AskResources& ask, const ReadView::Admits& admits) {
  return Search(tables, ask, admits).rows();
}

}  // namespace lianxi::store
