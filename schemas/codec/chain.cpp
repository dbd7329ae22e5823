#include "schemas/codec/chain.h"
#include "schemas/codec/chain_run.h"

#include <cstdlib>

#include "schemas/codec/blake2b_many.h"
#include "schemas/codec/little_endian.h"
#include "schemas/codec/sodium.h"
#include "schemas/limits.h"

namespace lianxi {
namespace {

// BLAKE2b's personalisation keeps the purposes apart: a hash made for one can never stand in for another.
using Purpose = std::array<std::uint8_t, crypto_generichash_blake2b_PERSONALBYTES>;
consteval Purpose purpose(std::string_view text) {
  Purpose result{};
  for (std::size_t i = 0; i < text.size(); ++i) result.at(i) = static_cast<std::uint8_t>(text[i]);
  return result;
}
constexpr Purpose kBodyPurpose = purpose("lianxi.body.1");
constexpr Purpose kChainPurpose = purpose("lianxi.chain.1");
constexpr Purpose kSaltPurpose = purpose("lianxi.salt.1");
constexpr std::string_view kSealDomain{"lianxi.seal.1\0\0\0", 16};

template <std::size_t N>
std::array<std::uint8_t, N> hash_for(const Purpose& purpose, BytesView bytes, const Salt& salt = {}) {
  codec::start_sodium();
  std::array<std::uint8_t, N> out{};
  const int failed = crypto_generichash_blake2b_salt_personal(out.data(), N, bytes.data(), bytes.size(), nullptr, 0, salt.data(),
                                                              purpose.data());
  if (failed != 0) std::abort();
  return out;
}

// A message of bounded size on the stack.
class FixedWriter {
 public:
  template <class T>
  void number(T value) {
    codec::store(room(sizeof(T)), value);
  }
  void run(BytesView bytes) { std::copy(bytes.begin(), bytes.end(), room(bytes.size())); }
  [[nodiscard]] BytesView written() const { return BytesView(bytes_).first(size_); }

 private:
  std::uint8_t* room(std::size_t size) {
    if (size > bytes_.size() - size_) std::abort();
    std::uint8_t* at = bytes_.data() + size_;
    size_ += size;
    return at;
  }
  std::array<std::uint8_t, 256> bytes_;
  std::size_t size_ = 0;
};
static_assert(32 + 12 + kMaxAudienceBytes + 40 + kMaxAgentIdBytes + 32 <= 256);

void write_feed(FixedWriter& out, const FeedId& feed) {
  out.number(feed.region.value);
  out.number(feed.epoch.value);
  out.number(static_cast<std::uint8_t>(feed.lane));
  out.number(static_cast<std::uint8_t>(feed.audience.text().size()));
  out.run(codec::view_of(feed.audience.text()));
}

FixedWriter seal_message(const FeedId& feed, Sequence sequence, const Hash& hash) {
  FixedWriter out;
  out.run(codec::view_of(kSealDomain));
  write_feed(out, feed);
  out.number(sequence.value);
  out.run(hash);
  return out;
}

}  // namespace

Hash body_digest(const Salt& salt, BytesView body) {
  return hash_for<32>(kBodyPurpose, body, salt);
}

namespace {

FixedWriter chain_message(const Hash& previous, const FeedId& feed, const Stamp& stamp, const Hash& digest) {
  FixedWriter out;
  out.run(previous);
  write_feed(out, feed);
  out.number(stamp.sequence.value);
  out.number(stamp.ordinal.value);
  out.number(stamp.time.value);
  out.number(stamp.session.value);
  out.number(stamp.session_sequence.value);
  out.number(static_cast<std::uint16_t>(stamp.publisher.text().size()));
  out.run(codec::view_of(stamp.publisher.text()));
  out.run(digest);
  return out;
}

}  // namespace

Hash chain_hash(const Hash& previous, const FeedId& feed, const Stamp& stamp, const Hash& body_digest) {
  return hash_for<32>(kChainPurpose, chain_message(previous, feed, stamp, body_digest).written());
}

void codec::chain_hashes(const FeedId& feed, std::span<const ChainLink> links, std::span<Hash> hashes) {
  if (hashes.size() != links.size()) std::abort();
  std::vector<FixedWriter> messages;
  std::vector<BytesView> views;
  messages.reserve(links.size());  // views point into it
  views.reserve(links.size());
  for (const ChainLink& link : links) {
    views.push_back(messages.emplace_back(chain_message(*link.previous, feed, *link.stamp, *link.body_digest)).written());
  }
  blake2b_many({sizeof(Hash), kChainPurpose}, {}, views, reinterpret_cast<std::uint8_t*>(hashes.data()));
}

Salt derive_salt(const Hash& entropy, Ordinal ordinal) {
  FixedWriter out;
  out.run(entropy);
  out.number(ordinal.value);
  return hash_for<16>(kSaltPurpose, out.written());
}

void derive_salts(const Hash& entropy, Ordinal first, std::span<Salt> salts) {
  std::vector<FixedWriter> messages(salts.size());
  std::vector<BytesView> views;
  views.reserve(salts.size());
  for (std::size_t i = 0; i < salts.size(); ++i) {
    messages[i].run(entropy);
    messages[i].number(first.value + i);
    views.push_back(messages[i].written());
  }
  static_assert(sizeof(Salt) == 16);
  codec::blake2b_many({sizeof(Salt), kSaltPurpose}, {}, views, reinterpret_cast<std::uint8_t*>(salts.data()));
}

void body_digests(std::span<const Salt> salts, std::span<const BytesView> bodies, std::span<Hash> digests) {
  static_assert(sizeof(Hash) == 32);
  if (digests.size() != bodies.size()) std::abort();
  codec::blake2b_many({sizeof(Hash), kBodyPurpose}, salts, bodies, reinterpret_cast<std::uint8_t*>(digests.data()));
}

Seal sign_seal(const SealSecretKey& key, const FeedId& feed, const FeedHead& head) {
  codec::start_sodium();
  Seal seal{head.sequence, head.hash, {}};
  const FixedWriter message = seal_message(feed, seal.sequence, seal.hash);
  const BytesView bytes = message.written();
  if (crypto_sign_detached(seal.signature.data(), nullptr, bytes.data(), bytes.size(), key.data()) != 0) std::abort();
  return seal;
}

bool verify_seal(const SealPublicKey& key, const FeedId& feed, const Seal& seal) {
  codec::start_sodium();
  const FixedWriter message = seal_message(feed, seal.sequence, seal.hash);
  const BytesView bytes = message.written();
  return crypto_sign_verify_detached(seal.signature.data(), bytes.data(), bytes.size(), key.data()) == 0;
}

SealKeyPair make_seal_keys() {
  codec::start_sodium();
  SealKeyPair pair;
  crypto_sign_keypair(pair.public_key.data(), pair.secret_key.data());
  return pair;
}

SealKeyPair seal_keys_from_seed(const Hash& seed) {
  codec::start_sodium();
  SealKeyPair pair;
  crypto_sign_seed_keypair(pair.public_key.data(), pair.secret_key.data(), seed.data());
  return pair;
}

Hash blake2b(BytesView bytes) {
  codec::start_sodium();
  Hash out{};
  crypto_generichash(out.data(), out.size(), bytes.data(), bytes.size(), nullptr, 0);
  return out;
}

}  // namespace lianxi
