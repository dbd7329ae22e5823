// What the node counts, for Prometheus and for `lianxi status`.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/app/flash_watch.h"
#include "schemas/protocol.h"

namespace lianxi::app {

enum class DeliveryOutcome : std::uint8_t { sent, full, gone };

enum class CutReason : std::uint8_t { shape, endless, waiting, crowded, stuck };

// Any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void refused(RefusalCode code);
  void accepted(Lane lane, Kind kind, std::uint64_t events = 1);                     // of this region
  void received(RegionCode region, Lane lane, Kind kind, std::uint64_t events = 1);  // of a peer
  void delivered(DeliveryOutcome outcome, std::size_t bytes, std::size_t wire_bytes);
  void flash_overtaken(const Overtaken& what, std::size_t events);  // `events` flash events were said
  void answer_unsent();
  void throttled(std::size_t events);
  void zap_rejected();
  void handshakes_failed(std::size_t count);
  void connections_cut(CutReason why, std::size_t count = 1);
  void accepts_failed(std::size_t count);
  void live_published();
  void live_refused();
  void alarm(const std::string& what);
  void archived(std::uint64_t plain_bytes, std::uint64_t packed_bytes);  // one journal file
  void repaired(std::size_t segments);                                   // of the journal
  void turn(double seconds, bool committed);

  void set_heads(Offset journal, Offset view);
  void set_link(const LinkRow& link);
  // What the view adds up to, as numbers that nodes can be compared by; of audiences that others hold, too.
  void set_digests(const std::vector<DigestRow>& rows);
  void set_members(MembersVersion version);  // that this node runs; peers' are compared with it
  void set_connections(std::size_t count);
  void set_followers(std::size_t count);
  void set_queued(const std::string& what, std::int64_t bytes);                        // in the sockets, for peers to read
  void set_peer_acks(std::size_t waiting, std::uint64_t reached, std::uint64_t late);  // totals since the start
  // Alarms that stand, whether commitments are refused, segments of other histories that are kept.
  void set_standing(std::size_t alarms, bool fenced, std::size_t quarantined);
  void set_disk(std::uint64_t free_bytes, bool below_headroom);

  [[nodiscard]] std::string text() const;              // Prometheus exposition format
  [[nodiscard]] std::vector<CounterRow> rows() const;  // counters that are not zero

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::app
