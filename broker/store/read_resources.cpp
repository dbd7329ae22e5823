// Resources: nearest first by a search in growing boxes, or by id.
#include <algorithm>

#include "broker/store/projections/resource.h"
#include "broker/store/read_tables.h"
#include "broker/store/spot_boxes.h"

namespace lianxi::store {

namespace {

constexpr double kFirstRadius_m = 2'000;
constexpr double kGrowth = 3;
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
        " r.status = 0 AND r.record_version > r.removed_version AND (? >> r.type) & 1 AND r.state <= ?"
        " AND r.place >= ? AND r.place < ?";
    if (!ask_.capability.empty()) {
      sql += " AND EXISTS (SELECT 1 FROM resource_capability c WHERE c.capability = ? AND c.resource = r.id)";
    }
    return sql;
  }
  void bind(Run& run) const {
    const ResourceState worst = ask_.available ? ResourceState::available : ResourceState::unavailable;
    run.put(types_).put(static_cast<int>(worst)).put(places_.low).put(places_.high);
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

  // Up to one more than the limit.
  std::vector<Candidate> nearest() {
    const double farthest = std::min(ask_.within_m.value_or(kFarthest_m), kFarthest_m);
    if (few_have_capability()) {
      std::vector<Candidate> all;
      Run run(tables_.statement("SELECT " + kColumns +
                                " FROM resource_capability w CROSS JOIN resource r ON r.id = w.resource"
                                " WHERE w.capability = ? AND" +
                                conditions()));
      run.put(ask_.capability);
      bind(run);
      gather(run, farthest, all);
      return sorted(std::move(all));
    }
    for (double radius = kFirstRadius_m;; radius = radius > kLastStep_m ? kFarthest_m : radius * kGrowth) {
      const double reach = std::min(radius, farthest);
      std::vector<Candidate> within;
      for (const Box& box : boxes_around(*ask_.near, reach)) {
        Run run(tables_.statement("SELECT " + kColumns +
                                  " FROM resource_spot p CROSS JOIN resource r ON r.id = p.id"
                                  " WHERE p.east >= ? AND p.west <= ? AND p.north >= ? AND p.south <= ? AND" +
                                  conditions()));
        run.put(box.west).put(box.east).put(box.south).put(box.north);
        bind(run);
        gather(run, reach, within);
      }
      if (reach >= farthest) return sorted(std::move(within));
      if (within.size() <= limit_) continue;
      within = sorted(std::move(within));
      if (within.size() > limit_) return within;
    }
  }

  bool few_have_capability() {
    if (ask_.capability.empty()) return false;
    Run run(tables_.statement("SELECT count(*) FROM (SELECT 1 FROM resource_capability WHERE capability = ? LIMIT ?)"));
    return run.put(ask_.capability).put(kFewEnough + 1).next() && run.number(0) <= kFewEnough;
  }

  void gather(Run& run, double reach, std::vector<Candidate>& into) const {
    while (run.next()) {
      Candidate candidate = read(run);
      if (!candidate.location) continue;
      candidate.distance_m = geodesic_m(*ask_.near, *candidate.location);
      if (candidate.distance_m <= reach) into.push_back(std::move(candidate));
    }
  }

  // Nearest first; those not admitted are left out, until one more than the limit is found.
  std::vector<Candidate> sorted(std::vector<Candidate> all) {
    std::sort(all.begin(), all.end(), [](const Candidate& a, const Candidate& b) {
      return std::tie(a.distance_m, a.envelope.entity, a.audience) < std::tie(b.distance_m, b.envelope.entity, b.audience);
    });
    std::vector<Candidate> admitted_ones;
    for (Candidate& candidate : all) {
      if (admitted_ones.size() > limit_) break;
      if (admitted(candidate)) admitted_ones.push_back(std::move(candidate));
    }
    return admitted_ones;
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
