// Questions to the view, for the query thread: read-only connection, transactions bounded in time, never a checkpoint.
// What depends on the present (expired) is computed from `now`, outside tables and digests.
#pragma once

#include "broker/store/view.h"
#include "schemas/map_names.h"

namespace lianxi::store {

// What a retention of a feed through some ordinal would mean, as the view stands.
struct RetentionSurvey {
  Ordinal allowed;                   // as far as it may go: the rest below is of a retention through here alone; 0: nothing may
  std::vector<std::string> held_by;  // entities that still count and lie before what was asked for, the first ones
  Ordinal held_already;              // through here nothing counts now
  Sequence position;                 // the view stands here in the feed
  std::uint64_t alerts = 0, reports = 0, incidents = 0;  // that count no more; incidents: that go with their last report
  std::uint64_t to_restate = 0;
  std::vector<Event> restate;  // the first kMaxRestatements
  Hash digest{};               // of what the view keeps of the feed behind it
};

// What a question to the map depends on beside its words.
struct MapContext {
  TimeMs now = 0;
  const MapNames* names = nullptr;  // none: every word means itself
};

class ReadView {
 public:
  virtual ~ReadView() = default;
  [[nodiscard]] virtual StoreResult<Offset> offset() = 0;
  // Where it stood when the last question was answered.
  [[nodiscard]] virtual Offset seen() const = 0;
  // `admits(envelope)` says whether the asking agent may see a row; kind, entity, status, place, agency, level and audience
  // of the envelope are filled, but of a resource not the entity. The limit counts admitted rows.
  using Admits = std::function<bool(const Envelope&)>;
  // Nearest first (geodesic) if `near` is given, else by id. `within_m` is exact. not_found: the alert is not here, or not for
  // whoever asks.
  [[nodiscard]] virtual StoreResult<ResourceRows> resources(const AskResources& ask, const MapContext& context,
                                                            const Admits& admits) = 0;
  [[nodiscard]] StoreResult<ResourceRows> resources(const AskResources& ask, const Admits& admits) {
    return resources(ask, MapContext{}, admits);
  }
  [[nodiscard]] virtual StoreResult<TotalRows> totals(const AskTotals& ask, const MapContext& context, const Admits& admits) = 0;
  // Brings what is kept of the map in memory to where the view stands, so that no question waits for it. The first time it is
  // made from the tables: some seconds for a million resources.
  [[nodiscard]] virtual StoreResult<void> follow() = 0;
  // Default: state active and status Actual. Newest first.
  [[nodiscard]] virtual StoreResult<AlertRows> alerts(const AskAlerts& ask, TimeMs now, const Admits& admits) = 0;
  [[nodiscard]] virtual StoreResult<IncidentRows> incidents(const AskIncidents& ask, const Admits& admits) = 0;
  // Newest first; what depends on the present (answers unknown, promises that have lapsed) as of `now`. `members`: who is asked
  // where a request names nobody.
  [[nodiscard]] virtual StoreResult<MobilisationRows> mobilisations(const AskMobilisations& ask, TimeMs now,
                                                                    const std::vector<RegionCode>& members,
                                                                    const Admits& admits) = 0;
  [[nodiscard]] virtual StoreResult<RetentionSurvey> retention(const FeedId& feed, Ordinal through, TimeMs now) = 0;
  // Where in the journal events of this entity stand, newest first, at most `most`: every report of an incident, the alert, what
  // a resource's rows began with.
  [[nodiscard]] virtual StoreResult<std::vector<Offset>> events_of(const std::string& entity, std::size_t most) = 0;
  // Per audience: digest of row hashes with the vector of the feeds applied.
  [[nodiscard]] virtual StoreResult<std::vector<DigestRow>> digests() = 0;
};

[[nodiscard]] StoreResult<std::unique_ptr<ReadView>> open_read_view(const ViewOptions& options);

// Metres on the WGS-84 ellipsoid.
[[nodiscard]] double geodesic_m(LonLat a, LonLat b);

}  // namespace lianxi::store
