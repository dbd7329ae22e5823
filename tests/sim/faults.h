// Every kind of fault that a run may bring about. Each one fired is counted; over many seeds none may stay at zero.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace lianxi::sim {

enum class Fault : std::uint8_t {
  // the network
  message_lost,
  message_slow,
  reordered,
  duplicated,
  late_copy,
  connection_held_up,
  cut_one_way,
  cut_both_ways,
  island,
  socket_full,
  // processes
  process_crash,
  power_cut,
  outage,
  death_at_rest,
  death_in_turn,
  death_between_effects,
  death_in_view,
  death_coming_back,
  // disks
  write_lost,
  page_torn,
  file_returned,
  slow_disk,
  no_space,
  write_error,
  sync_error,
  headroom,
  bit_flipped,
  restored,
  restored_cut_off,
  // copies of whole disks
  rolled_back,
  cloned,
  clone_answered,
  clone_died,
  clone_stayed,
  fork_made,
  fork_ended_by_restore,
  // who belongs to the conference
  member_retired,
  member_added_again,
  member_joined_late,
  members_file_changed,
  // clocks
  clock_forward,
  clock_back,
  // rights
  rights_narrowed,
  rights_widened,
  // clients
  outbox_lost,
  outbox_restored,
  answered_repeated,
  sequence_reused,
  sequence_skipped,
  session_closed,
  // what owners let go of
  retained,
  begun_behind,
  // peers
  lie,
  // races for one supply
  promise_made,
  promise_refused,
};
inline constexpr std::size_t kFaults = static_cast<std::size_t>(Fault::promise_refused) + 1;
using FaultCounts = std::array<std::uint64_t, kFaults>;

[[nodiscard]] std::string_view to_word(Fault fault);

// What is done to the code under test so that a promise must break; one of them at a time.
enum class Mutation : std::uint8_t {
  none,
  no_fsync,
  ack_before_commit,
  no_dedup,
  no_chain_check,
  order_dependent_projection,
  local_in_shared_table,
  flash_behind_bulk,
  nothing_synced_at_open,
  early_credit,
  no_epoch_fence,
  blind_to_forks,
  no_stock_check,
  stock_forgotten_at_restart,
};
inline constexpr std::size_t kMutations = static_cast<std::size_t>(Mutation::stock_forgotten_at_restart) + 1;

[[nodiscard]] std::string_view to_word(Mutation mutation);
[[nodiscard]] std::optional<Mutation> mutation_of(std::string_view word);

}  // namespace lianxi::sim
