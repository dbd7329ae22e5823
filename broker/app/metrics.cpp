#include "broker/app/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <sstream>

#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::app {

namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;

const Histogram::BucketBoundaries kTurnSeconds = {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};

const Histogram::BucketBoundaries kOvertakenBatches = {0, 1, 2, 4, 8};
const Histogram::BucketBoundaries kOvertakenBytes = {0, 4096, 16384, 65536, 262144, 1048576};

std::string outcome_word(DeliveryOutcome outcome) {
  switch (outcome) {
    case DeliveryOutcome::sent:
      return "sent";
    case DeliveryOutcome::full:
      return "full";
    case DeliveryOutcome::gone:
      break;
  }
  return "gone";
}

std::string cut_word(CutReason why) {
  switch (why) {
    case CutReason::shape:
      return "shape";
    case CutReason::endless:
      return "endless";
    case CutReason::waiting:
      return "waiting";
    case CutReason::crowded:
      return "crowded";
    case CutReason::stuck:
      break;
  }
  return "stuck";
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;

  Family<Counter>& counters(const std::string& name, const std::string& help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  Family<Gauge>& gauges(const std::string& name, const std::string& help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }

  Family<Counter>& refusals = counters("lianxi_refusals_total", "Refusals told to agents and peers, by code");
  Family<Counter>& accepted = counters("lianxi_events_accepted_total", "Events of this region on disk, by lane and kind");
  Family<Counter>& received = counters("lianxi_events_received_total", "Events of peers on disk, by region, lane and kind");
  Family<Counter>& deliveries = counters("lianxi_deliveries_total", "Deliveries to followers, by outcome");
  std::array<Counter*, 3> deliveries_by_outcome = {&deliveries.Add({{"outcome", outcome_word(DeliveryOutcome::sent)}}),
                                                   &deliveries.Add({{"outcome", outcome_word(DeliveryOutcome::full)}}),
                                                   &deliveries.Add({{"outcome", outcome_word(DeliveryOutcome::gone)}})};
  Counter& delivered_bytes = counters("lianxi_delivered_bytes_total", "Bytes of segments sent to followers").Add({});
  Counter& delivered_wire_bytes =
      counters("lianxi_delivered_wire_bytes_total", "The same as they left, compressed for links where it pays").Add({});
  Counter& answers_unsent =
      counters("lianxi_answers_unsent_total", "Answers whose client did not read; its connection was cut").Add({});
  Counter& throttled =
      counters("lianxi_events_throttled_total", "Events told to come back, for their agent or its share was used up").Add({});
  Counter& zap_rejections = counters("lianxi_zap_rejections_total", "Connections turned away for their key").Add({});
  Counter& handshakes =
      counters("lianxi_handshakes_failed_total", "Connections that ended without a word: most proved no key that this node knows")
          .Add({});
  Counter& cuts = counters("lianxi_connections_cut_total", "Connections cut for what their peer did or did not do").Add({});
  Family<Counter>& cuts_by_reason =
      counters("lianxi_connections_cut_by_reason_total",
               "The same by reason: a wrong shape, a message without end, too much waiting, too many connections, stuck");
  Counter& accepts_failed =
      counters("lianxi_accepts_failed_total", "Connections that found no descriptor: raise the limit of open files").Add({});
  Counter& live_events = counters("lianxi_live_events_total", "Events published on live").Add({});
  Counter& live_refusals = counters("lianxi_live_refusals_total", "Live subscriptions refused").Add({});
  Family<Counter>& alarms = counters("lianxi_alarms_total", "What a person should look at: forks, broken feeds, clocks");
  Counter& archived_files = counters("lianxi_journal_files_archived_total", "Journal files packed since start").Add({});
  Counter& archived_bytes =
      counters("lianxi_journal_archive_saved_bytes_total", "Bytes of disk that packing journal files gave back").Add({});
  Counter& repaired_segments =
      counters("lianxi_journal_repaired_segments_total", "Damaged stretches of the journal replaced by what other nodes hold")
          .Add({});
  Histogram& turns = prometheus::BuildHistogram()
                         .Name("lianxi_turn_seconds")
                         .Help("Turns that wrote: rules, seal, commit with its fsync, answers and deliveries")
                         .Register(registry)
                         .Add({}, kTurnSeconds);
  Histogram& overtaken_batches = prometheus::BuildHistogram()
                                     .Name("lianxi_flash_overtaken_batches")
                                     .Help("Batches of others committed between a flash event's arrival and its sending, at most")
                                     .Register(registry)
                                     .Add({}, kOvertakenBatches);
  Histogram& overtaken_bytes = prometheus::BuildHistogram()
                                   .Name("lianxi_flash_overtaken_bytes")
                                   .Help("Bytes of other lanes sent between a flash event's arrival and its sending, at most")
                                   .Register(registry)
                                   .Add({}, kOvertakenBytes);
  Gauge& most_overtaken_batches =
      gauges("lianxi_flash_overtaken_batches_max", "The most batches that passed any flash event since start").Add({});
  Gauge& most_overtaken_bytes =
      gauges("lianxi_flash_overtaken_bytes_max", "The most bytes of other lanes that passed any flash event since start").Add({});
  Counter& idle_turns = counters("lianxi_turns_idle_total", "Turns that had nothing to write").Add({});
  Gauge& journal_head = gauges("lianxi_journal_next_offset", "Offset of the next event").Add({});
  Gauge& view_head = gauges("lianxi_view_offset", "The view has applied all below").Add({});
  Gauge& view_lag = gauges("lianxi_view_lag_events", "Events on disk that the view has not applied").Add({});
  Family<Gauge>& view_vector =
      gauges("lianxi_view_vector", "A number of the feed vector that the audience's view stands at (48 bits of its hash)");
  Family<Gauge>& view_state = gauges(
      "lianxi_view_state", "A number of that vector and the digest of the rows; nodes of equal vectors must have equal states");
  Family<Gauge>& link_up = gauges("lianxi_link_following", "1 while the link to the peer follows");
  Family<Gauge>& members = gauges("lianxi_members_info", "1 with the version of the members.toml that this node runs");
  Gauge* members_now = nullptr;
  std::atomic<std::uint64_t> members_version = 0;
  Family<Gauge>& members_differ = gauges("lianxi_members_differ", "1 while the peer runs another members.toml than this node");
  Family<Gauge>& link_events = gauges("lianxi_link_received_events", "Events taken over the link since start");
  Family<Gauge>& link_came = gauges("lianxi_link_delivered_events", "Events that came over the link, also those held already");
  Family<Gauge>& link_lag = gauges("lianxi_link_lag_events", "Events of the peer's own that this node is known not to hold");
  Family<Gauge>& link_behind =
      gauges("lianxi_link_behind_seconds", "Since this node held all that the peer had; 0 while it is in step");
  Family<Gauge>& link_round_trip = gauges("lianxi_link_round_trip_seconds", "From a heartbeat to its echo");
  Family<Gauge>& link_clock = gauges("lianxi_link_clock_ahead_seconds", "The peer's clock before this node's");
  Family<Gauge>& link_contact = gauges("lianxi_link_last_contact_seconds", "When the peer was heard last, since 1970 UTC");
  Family<Gauge>& link_plain = gauges("lianxi_link_plain_bytes", "Bytes of deliveries over the link, as they are read");
  Family<Gauge>& link_wire = gauges("lianxi_link_wire_bytes", "The same as they came, compressed");
  Family<Gauge>& link_detour = gauges("lianxi_link_detour", "1 while the peer's feeds are asked of another member");
  Gauge& connections = gauges("lianxi_connections", "Open connections of agents and nodes").Add({});
  Gauge& followers = gauges("lianxi_followers", "Followers served").Add({});
  Family<Gauge>& queued = gauges("lianxi_queued_bytes", "Bytes in the sockets that peers have not taken yet, by what they are");
  Gauge& acks_waiting =
      gauges("lianxi_peer_acks_waiting", "Ranges of events whose publishers wait for other nodes to hold them").Add({});
  Family<Counter>& peer_acks =
      counters("lianxi_peer_acks_total", "Outcomes of ack level peers: as many nodes as asked hold it, or not by the deadline");
  Counter& acks_reached = peer_acks.Add({{"outcome", "reached"}});
  Counter& acks_late = peer_acks.Add({{"outcome", "late"}});
  Gauge& standing = gauges("lianxi_alarms_standing", "Alarms that stand now, as lianxi status names them").Add({});
  Gauge& fenced = gauges("lianxi_fenced", "1 while commitments are refused: since a restore not every member was seen").Add({});
  Gauge& quarantined =
      gauges("lianxi_quarantined_segments", "Segments of other histories of feeds that are kept as evidence").Add({});
  Gauge& disk_free = gauges("lianxi_disk_free_bytes", "Bytes free where the journal lives").Add({});
  Gauge& disk_low = gauges("lianxi_disk_below_headroom", "1 while publishes wait for disk space").Add({});
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

void Metrics::refused(RefusalCode code) {
  state_->refusals.Add({{"code", std::string(to_word(code))}}).Increment();
}
void Metrics::accepted(Lane lane, Kind kind, std::uint64_t events) {
  state_->accepted.Add({{"lane", std::string(to_word(lane))}, {"kind", std::string(to_word(kind))}})
      .Increment(static_cast<double>(events));
}
void Metrics::received(RegionCode region, Lane lane, Kind kind, std::uint64_t events) {
  state_->received.Add({{"region", to_text(region)}, {"lane", std::string(to_word(lane))}, {"kind", std::string(to_word(kind))}})
      .Increment(static_cast<double>(events));
}
void Metrics::delivered(DeliveryOutcome outcome, std::size_t bytes, std::size_t wire_bytes) {
  state_->deliveries_by_outcome[static_cast<std::size_t>(outcome)]->Increment();
  if (outcome != DeliveryOutcome::sent) return;
  state_->delivered_bytes.Increment(static_cast<double>(bytes));
  state_->delivered_wire_bytes.Increment(static_cast<double>(wire_bytes));
}
void Metrics::flash_overtaken(const Overtaken& what, std::size_t events) {
  const auto batches = static_cast<double>(what.batches);
  const auto bytes = static_cast<double>(what.bytes);
  for (std::size_t i = 0; i < events; ++i) {
    state_->overtaken_batches.Observe(batches);
    state_->overtaken_bytes.Observe(bytes);
  }
  if (events == 0) return;
  state_->most_overtaken_batches.Set(std::max(batches, state_->most_overtaken_batches.Value()));
  state_->most_overtaken_bytes.Set(std::max(bytes, state_->most_overtaken_bytes.Value()));
}
void Metrics::throttled(std::size_t events) {
  if (events > 0) state_->throttled.Increment(static_cast<double>(events));
}
void Metrics::answer_unsent() {
  state_->answers_unsent.Increment();
}
void Metrics::zap_rejected() {
  state_->zap_rejections.Increment();
  refused(RefusalCode::unknown_key);
}
void Metrics::handshakes_failed(std::size_t count) {
  state_->handshakes.Increment(static_cast<double>(count));
}
void Metrics::connections_cut(CutReason why, std::size_t count) {
  if (count == 0) return;
  state_->cuts.Increment(static_cast<double>(count));
  state_->cuts_by_reason.Add({{"reason", cut_word(why)}}).Increment(static_cast<double>(count));
}
void Metrics::accepts_failed(std::size_t count) {
  state_->accepts_failed.Increment(static_cast<double>(count));
}
void Metrics::live_published() {
  state_->live_events.Increment();
}
void Metrics::live_refused() {
  state_->live_refusals.Increment();
}
void Metrics::alarm(const std::string& what) {
  state_->alarms.Add({{"what", what}}).Increment();
}
void Metrics::archived(std::uint64_t plain_bytes, std::uint64_t packed_bytes) {
  state_->archived_files.Increment();
  if (plain_bytes > packed_bytes) state_->archived_bytes.Increment(static_cast<double>(plain_bytes - packed_bytes));
}
void Metrics::repaired(std::size_t segments) {
  state_->repaired_segments.Increment(static_cast<double>(segments));
}
void Metrics::turn(double seconds, bool committed) {
  if (committed)
    state_->turns.Observe(seconds);
  else
    state_->idle_turns.Increment();
}
void Metrics::set_heads(Offset journal, Offset view) {
  state_->journal_head.Set(static_cast<double>(journal.value));
  state_->view_head.Set(static_cast<double>(view.value));
  state_->view_lag.Set(journal > view ? static_cast<double>(journal.value - view.value) : 0.0);
}
void Metrics::set_digests(const std::vector<DigestRow>& rows) {
  const auto number_of = [](const std::string& text) {
    const BodyHash hash = body_hash(BytesView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < 6; ++i) number = number << 8U | hash[i];  // a double holds 53 bits exactly
    return static_cast<double>(number);
  };
  for (const DigestRow& row : rows) {
    if (row.audience.is_local()) continue;
    std::string text;
    for (const FeedPosition& at : row.vector)
      text += to_text(at.feed) + " " + std::to_string(at.head.sequence.value) + " " + to_hex(at.head.hash) + "\n";
    const prometheus::Labels labels = {{"audience", row.audience.text()}};
    state_->view_vector.Add(labels).Set(number_of(text));
    state_->view_state.Add(labels).Set(number_of(text + to_hex(row.digest)));
  }
}
void Metrics::set_link(const LinkRow& link) {
  const prometheus::Labels labels = {{"region", to_text(link.region)}, {"lanes", link.lanes}};
  state_->link_up.Add(labels).Set(link.state == "following" ? 1 : 0);
  state_->link_events.Add(labels).Set(static_cast<double>(link.received_events));
  state_->link_came.Add(labels).Set(static_cast<double>(link.delivered_events));
  state_->link_plain.Add(labels).Set(static_cast<double>(link.plain_bytes));
  state_->link_wire.Add(labels).Set(static_cast<double>(link.wire_bytes));
  state_->link_detour.Add(labels).Set(link.detour.value == 0 ? 0 : 1);
  // What is not known has no value yet.
  if (link.lag_events) state_->link_lag.Add(labels).Set(static_cast<double>(*link.lag_events));
  const auto seconds = [&](Family<Gauge>& of, const std::optional<TimeMs>& ms) {
    if (ms) of.Add(labels).Set(static_cast<double>(*ms) / 1000);
  };
  seconds(state_->link_behind, link.behind_ms);
  seconds(state_->link_round_trip, link.round_trip_ms);
  seconds(state_->link_clock, link.clock_ahead_ms);
  seconds(state_->link_contact, link.last_contact);
  if (link.members.value == 0) return;
  const bool differs = link.members.value != state_->members_version;
  state_->members_differ.Add({{"region", to_text(link.region)}}).Set(differs ? 1 : 0);
}
// The broker's thread.
void Metrics::set_members(MembersVersion version) {
  if (state_->members_version.exchange(version.value) == version.value) return;
  if (state_->members_now != nullptr) state_->members.Remove(state_->members_now);
  state_->members_now = &state_->members.Add({{"version", to_text(version)}});
  state_->members_now->Set(1);
}
void Metrics::set_connections(std::size_t count) {
  state_->connections.Set(static_cast<double>(count));
}
void Metrics::set_followers(std::size_t count) {
  state_->followers.Set(static_cast<double>(count));
}
void Metrics::set_queued(const std::string& what, std::int64_t bytes) {
  state_->queued.Add({{"what", what}}).Set(static_cast<double>(bytes));
}
void Metrics::set_peer_acks(std::size_t waiting, std::uint64_t reached, std::uint64_t late) {
  state_->acks_waiting.Set(static_cast<double>(waiting));
  state_->acks_reached.Increment(static_cast<double>(reached) - state_->acks_reached.Value());
  state_->acks_late.Increment(static_cast<double>(late) - state_->acks_late.Value());
}
void Metrics::set_standing(std::size_t alarms, bool fenced, std::size_t quarantined) {
  state_->standing.Set(static_cast<double>(alarms));
  state_->fenced.Set(fenced ? 1 : 0);
  state_->quarantined.Set(static_cast<double>(quarantined));
}
void Metrics::set_disk(std::uint64_t free_bytes, bool below_headroom) {
  state_->disk_free.Set(static_cast<double>(free_bytes));
  state_->disk_low.Set(below_headroom ? 1 : 0);
}

std::string Metrics::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, state_->registry.Collect());
  return out.str();
}

std::vector<CounterRow> Metrics::rows() const {
  std::vector<CounterRow> rows;
  for (const prometheus::MetricFamily& family : state_->registry.Collect()) {
    if (family.type != prometheus::MetricType::Counter) continue;
    for (const prometheus::ClientMetric& metric : family.metric) {
      if (metric.counter.value <= 0) continue;
      std::string name = family.name;
      for (std::size_t i = 0; i < metric.label.size(); ++i)
        name += (i == 0 ? '{' : ',') + metric.label[i].name + "=\"" + metric.label[i].value + '"';
      if (!metric.label.empty()) name += '}';
      rows.push_back({std::move(name), static_cast<std::uint64_t>(metric.counter.value)});
    }
  }
  return rows;
}

}  // namespace lianxi::app
