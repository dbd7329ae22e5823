#include "schemas/codec/status_io.h"

namespace lianxi::codec {
namespace {

template <class T>
using Written = flatbuffers::Offset<T>;

}  // namespace

flatbuffers::Offset<void> write_status(Builder& out, const StatusReport& status) {
  const auto software = write_text(out, status.software);
  const auto feeds = write_vector(out, status.feeds);
  const auto digests = write_list<Written<wire::DigestRow>>(out, status.digests, [&](const DigestRow& row) {
    const auto audience = write_required(out, row.audience.text());
    const auto digest = write_bytes(out, row.digest);
    const auto vector = write_vector(out, row.vector);
    return wire::CreateDigestRow(out, audience, digest, vector);
  });
  const auto links = write_list<Written<wire::LinkRow>>(out, status.links, [&](const LinkRow& row) {
    const auto lanes = write_text(out, row.lanes);
    const auto state = write_text(out, row.state);
    const auto reason = write_text(out, row.reason);
    return wire::CreateLinkRow(out, row.region.value, lanes, state, row.last_contact, reason, row.received_events,
                               row.members.value, row.delivered_events, row.lag_events, row.behind_ms, row.round_trip_ms,
                               row.clock_ahead_ms, row.detour.value, row.plain_bytes, row.wire_bytes, row.bytes_per_second);
  });
  const auto counters = write_list<Written<wire::CounterRow>>(out, status.counters, [&](const CounterRow& row) {
    return wire::CreateCounterRow(out, write_required(out, row.name), row.value);
  });
  const auto alarms = write_list<Written<wire::AlarmRow>>(out, status.alarms, [&](const AlarmRow& row) {
    const auto what = write_required(out, row.what);
    const auto about = write_text(out, row.about);
    return wire::CreateAlarmRow(out, what, about, write_text(out, row.reason), row.since);
  });
  Written<wire::FenceRow> fence;
  if (status.fence) {
    std::vector<std::uint32_t> missing;
    for (const RegionCode region : status.fence->missing) missing.push_back(region.value);
    fence = wire::CreateFenceRow(out, status.fence->epoch.value, status.fence->since, out.CreateVector(missing));
  }
  return wire::CreateStatusReport(out, status.region.value, status.epoch.value, status.incarnation.value, software,
                                  status.head.value, status.view_offset.value, status.view_version, feeds, digests, links,
                                  counters, status.time, status.members.value, alarms, fence)
      .Union();
}

StatusReport read_status(MessageReader& in, const wire::StatusReport* from) {
  StatusReport status;
  status.region = RegionCode(from->region());
  status.epoch = Epoch(from->epoch());
  status.incarnation = Incarnation(from->incarnation());
  status.software = in.text(from->software());
  status.head = Offset(from->head());
  status.view_offset = Offset(from->view_offset());
  status.view_version = from->view_version();
  status.feeds = in.feed_vector("feeds", from->feeds());
  status.digests = in.list<DigestRow>(from->digests(), [&](const wire::DigestRow* item) {
    return DigestRow{in.audience("digests", item->audience()), in.array<32>("digests", item->digest()),
                     in.feed_vector("digests", item->vector())};
  });
  status.links = in.list<LinkRow>(from->links(), [&](const wire::LinkRow* item) {
    LinkRow row{RegionCode(item->region()), in.text(item->lanes()), in.text(item->state()), item->last_contact()};
    row.reason = in.text(item->reason());
    row.received_events = item->received_events();
    row.members = MembersVersion(item->members());
    row.delivered_events = item->delivered_events();
    row.lag_events = item->lag_events();
    row.behind_ms = item->behind_ms();
    row.round_trip_ms = item->round_trip_ms();
    row.clock_ahead_ms = item->clock_ahead_ms();
    row.detour = RegionCode(item->detour());
    row.plain_bytes = item->plain_bytes();
    row.wire_bytes = item->wire_bytes();
    row.bytes_per_second = item->bytes_per_second();
    return row;
  });
  status.counters = in.list<CounterRow>(from->counters(), [&](const wire::CounterRow* item) {
    return CounterRow{in.text(item->name()), item->value()};
  });
  status.time = from->time();
  status.members = MembersVersion(from->members());
  status.alarms = in.list<AlarmRow>(from->alarms(), [&](const wire::AlarmRow* item) {
    return AlarmRow{in.text(item->what()), in.text(item->about()), in.text(item->reason()), item->since()};
  });
  if (const wire::FenceRow* fence = from->fence()) {
    status.fence = FenceRow{Epoch(fence->epoch()), fence->since(),
                            in.list<RegionCode>(fence->missing(), [](std::uint32_t region) { return RegionCode(region); })};
  }
  return status;
}

}  // namespace lianxi::codec
