// Every bound has its name here, and the bounds are related below. Units stand in the names.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lianxi {

// Frames and messages.
inline constexpr std::size_t kHeaderBytes = 32;
inline constexpr std::size_t kMaxBodyBytes = 256 * 1024;           // one event's bytes
inline constexpr std::size_t kMaxPublishEvents = 1024;             // events in one publish
inline constexpr std::size_t kMaxPublishBytes = 1024 * 1024;       // second frame of a publish
inline constexpr std::size_t kMaxControlBytes = 64 * 1024;         // second frame of anything else a client sends
inline constexpr std::size_t kMaxVectorBytes = 512 * 1024;         // second frame of a message that carries a feed vector
inline constexpr std::size_t kMaxAnswerBytes = 8 * 1024 * 1024;    // second frame of the answers to publishes and queries
inline constexpr std::size_t kMaxSegmentBytes = 1280 * 1024;       // one segment
inline constexpr std::size_t kMaxDeliverBytes = 4 * 1024 * 1024;   // second frame of a delivery
inline constexpr std::int64_t kMaxMessageBytes = 9 * 1024 * 1024;  // ZMQ_MAXMSGSIZE of every socket

// FlatBuffers verifier.
inline constexpr std::uint32_t kMaxTableDepth = 24;
inline constexpr std::uint32_t kMaxTables = 16 * 1024;
inline constexpr std::uint32_t kMaxAnswerTables = 512 * 1024;  // what a node says: answers to publishes and queries

// Text.
inline constexpr std::size_t kMaxAgentIdBytes = 64;
inline constexpr std::size_t kMaxAudienceBytes = 32;
inline constexpr std::size_t kMaxEntityBytes = 512;
inline constexpr std::size_t kMaxAgencyBytes = 32;
inline constexpr std::size_t kMaxRefusalBytes = 1024;  // field and reason together

// Batches.
inline constexpr std::size_t kMaxBatchBytes = 1024 * 1024;  // event bytes that one turn takes in, past the first message
inline constexpr std::size_t kMaxBatchMessages = 4096;
inline constexpr std::size_t kMaxTurnBytes = 16 * 1024 * 1024;  // beyond it core answers `busy`, whatever the ring hands in

// Sessions, answers and followers.
inline constexpr std::size_t kMaxSessionsPerAgent = 16;
inline constexpr std::size_t kMaxAnswersHeld = 64 * 1024;  // per session and lane, not yet named as held by the client
inline constexpr std::size_t kMaxFollowersPerAgent = 64;
inline constexpr std::size_t kMaxFollowers = 4096;
inline constexpr std::size_t kMaxFilterItems = 256;
inline constexpr std::size_t kMaxAreaPoints = 1024;
inline constexpr double kMaxAreaRadiusM = 1'000'000;
inline constexpr std::size_t kMaxCursorNameBytes = 64;
inline constexpr std::size_t kMaxCursorsPerAgent = 16;
inline constexpr std::size_t kMaxVectorFeeds = 4096;
inline constexpr std::uint64_t kMaxCreditBytes = 64 * 1024 * 1024;
inline constexpr std::size_t kDeliverTargetBytes = 256 * 1024;  // one delivery, past its first event
inline constexpr std::size_t kRefusalWeight = 16;               // a held refusal counts as so many held answers
inline constexpr std::size_t kMaxAnswersBytes = 40 * 1024;      // one Answers message; more answers go in more messages

// Links.
inline constexpr std::uint64_t kLinkCreditBytes = 8 * 1024 * 1024;
inline constexpr std::uint32_t kLinkCreditMessages = 256;
inline constexpr std::uint64_t kLinkMessageBytes = 48 * 1024;  // of a delivery over a link, about
inline constexpr std::uint32_t kThinLinkMessages = 2;          // asked at once of a link with a bound, at least
inline constexpr std::size_t kMaxHeldFeeds = 4096;             // whose forks are remembered, over all regions
inline constexpr std::size_t kMaxLinkVectorFeeds = 400;        // positions in one Follow or Heartbeat of a link

// Time.
inline constexpr std::int64_t kMinTimeMs = -62'135'596'800'000;                     // year 1
inline constexpr std::int64_t kMaxTimeMs = 253'402'300'799'000 - 14LL * 3'600'000;  // year 9999 in every zone
inline constexpr std::uint32_t kHeartbeatMs = 2'000;
inline constexpr std::uint32_t kPeerSilenceMs = 8'000;  // no word from the other side: reset
inline constexpr std::uint32_t kRetryAfterMs = 1'000;
inline constexpr std::int64_t kMaxClockSkewMs = 60'000;  // remote time further ahead is not merged
inline constexpr std::int64_t kMinReconnectMs = 250;
inline constexpr std::int64_t kMaxReconnectMs = 5'000;
inline constexpr std::int64_t kRefusedLinkRetryMs = 30'000;  // a peer that refuses us, or whose feed is broken
inline constexpr std::int64_t kAlarmRepeatMs = 60'000;       // an alarm that still holds is told again

// Mobilisation.
inline constexpr std::size_t kMaxMobilisationItems = 256;
inline constexpr std::size_t kMaxSchedules = 32;       // of an item
inline constexpr std::size_t kMaxThreadItems = 1'024;  // messages and their items of one region in one thread; more move nothing
inline constexpr std::size_t kMaxHeardItems = 16 * 1'024;  // likewise of one peer, that a node's rules remember; the oldest go
inline constexpr std::size_t kMaxOwnItems = 64 * 1'024;    // of the own region; more are refused until some threads are over
inline constexpr std::size_t kMaxFinishedThreads = 64 * 1'024;  // whose names are remembered

// Retention.
inline constexpr std::size_t kMaxRetentionHolders = 20;  // named in one answer
inline constexpr std::size_t kMaxRestatements = 512;     // in one answer; what is left is asked for again
inline constexpr std::size_t kMaxRestatementBytes = 4 * 1024 * 1024;

// Queries.
inline constexpr std::uint32_t kDefaultQueryLimit = 1'000;
inline constexpr std::uint32_t kMaxQueryLimit = 10'000;
inline constexpr std::uint32_t kMaxQueryWaitMs = 10'000;
inline constexpr std::uint32_t kMaxReadTransactionMs = 2'000;
inline constexpr std::size_t kMaxQueryTextBytes = 256;
inline constexpr std::size_t kMaxQueryItems = 32;  // of a list in a question
inline constexpr std::size_t kMaxCursorBytes = kMaxEntityBytes + 32;

// Files that agencies hand in.
inline constexpr std::size_t kMaxCapBytes = 1024 * 1024;        // one CAP document
inline constexpr std::size_t kMaxRecordBytes = 256 * 1024;      // one record of a line or CSV source
inline constexpr std::size_t kMaxFileBytes = 64 * 1024 * 1024;  // one file of records
inline constexpr std::size_t kMaxMappingBytes = 1024 * 1024;    // one mapping file

// Disk.
inline constexpr std::uint64_t kMinDiskHeadroomBytes = 256ULL * 1024 * 1024;  // default of `disk_headroom`
inline constexpr std::uint64_t kJournalFileBytes = 64ULL * 1024 * 1024;       // the writer moves on to a fresh file
inline constexpr std::size_t kMaxOpenJournalFiles = 64;

static_assert(kMaxBodyBytes < kMaxPublishBytes);
static_assert(kMaxPublishBytes <= kMaxBatchBytes, "one publish must fit into a batch");
static_assert(kMaxBatchBytes + kMaxBatchBytes / 4 <= kMaxSegmentBytes,
              "a batch of one feed must fit into a segment with its stamps");
static_assert(kMaxSegmentBytes < kMaxDeliverBytes, "a segment must fit into a delivery");
static_assert(kMaxDeliverBytes < kMaxMessageBytes && kMaxAnswerBytes < kMaxMessageBytes);
static_assert(kMaxDeliverBytes <= kLinkCreditBytes && kLinkCreditBytes <= kMaxCreditBytes);
static_assert(kMaxBatchBytes + kMaxDeliverBytes <= kMaxTurnBytes);
static_assert(kMaxAnswersBytes < kMaxControlBytes);
static_assert(kMaxRestatementBytes + kMaxControlBytes < kMaxAnswerBytes);
static_assert(kMaxLinkVectorFeeds * 128 < kMaxControlBytes && kMaxLinkVectorFeeds <= kMaxVectorFeeds);
static_assert(kHeartbeatMs * 3 < kPeerSilenceMs);
static_assert(kMaxRecordBytes <= kMaxFileBytes && kMaxCapBytes <= kMaxFileBytes);
static_assert(kDefaultQueryLimit <= kMaxQueryLimit);

}  // namespace lianxi
