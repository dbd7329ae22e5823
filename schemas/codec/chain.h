// Stamp, chain and seal: what makes a feed a proof. All pure; formats in schemas/README.md.
#pragma once

#include <span>

#include "schemas/ids.h"

namespace lianxi {

struct Stamp {
  Sequence sequence;  // in the feed
  Ordinal ordinal;    // over all feeds of the region
  Hlc time;
  AgentId publisher;
  SessionId session;
  Sequence session_sequence;
  bool operator==(const Stamp&) const = default;
};

[[nodiscard]] Hash body_digest(const Salt& salt, BytesView body);  // H(salt, body)
// H(prev, feed, stamp, body digest)
[[nodiscard]] Hash chain_hash(const Hash& previous, const FeedId& feed, const Stamp& stamp, const Hash& body_digest);
// The salt of an event from a turn's 32 random bytes and the event's ordinal.
[[nodiscard]] Salt derive_salt(const Hash& entropy, Ordinal ordinal);
// Both for a batch, at a third of the cost: `salts[i]` of ordinal first + i; `digests[i]` of (salts[i], bodies[i]).
void derive_salts(const Hash& entropy, Ordinal first, std::span<Salt> salts);
void body_digests(std::span<const Salt> salts, std::span<const BytesView> bodies, std::span<Hash> digests);

struct Seal {
  Sequence sequence;
  Hash hash{};
  Signature signature{};
  bool operator==(const Seal&) const = default;
};
struct SealKeyPair {
  SealPublicKey public_key{};
  SealSecretKey secret_key{};
};

[[nodiscard]] Seal sign_seal(const SealSecretKey& key, const FeedId& feed, const FeedHead& head);
[[nodiscard]] bool verify_seal(const SealPublicKey& key, const FeedId& feed, const Seal& seal);
[[nodiscard]] SealKeyPair make_seal_keys();                       // from the system's random source
[[nodiscard]] SealKeyPair seal_keys_from_seed(const Hash& seed);  // deterministic
[[nodiscard]] Hash blake2b(BytesView bytes);

}  // namespace lianxi
