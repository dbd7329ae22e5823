#include "schemas/codec/chain.h"
#include "schemas/codec/chain_run.h"

#include <cstdlib>

#include "schemas/codec/blake2b_many.h"
#include "schemas/codec/little_endian.h"
#include "schemas/codec/segment_layout.h"
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

codec::FeedPrefix::FeedPrefix(const FeedId& feed) {
  FixedWriter out;
  write_feed(out, feed);
  size_ = out.written().size();
  std::ranges::copy(out.written(), bytes_.begin());
}

namespace {

namespace record = codec::layout;
static_assert(record::kOrdinalAt == record::kSequenceAt + 8 && record::kTimeAt == record::kOrdinalAt + 8 &&
                  record::kSessionAt == record::kTimeAt + 8 && record::kSessionSequenceAt == record::kSessionAt + 8,
              "a record holds the numbers of its stamp as the chain takes them");
constexpr std::size_t kStampNumbersBytes = record::kSessionSequenceAt + 8 - record::kSequenceAt;

// As chain_message of what the record holds.
void write_link(FixedWriter& out, const codec::StoredLink& link) {
  const auto publisher_bytes = codec::load<std::uint16_t>(link.record + record::kPublisherLengthAt);
  out.run({link.previous, sizeof(Hash)});
  out.run(link.feed->view());
  out.run({link.record + record::kSequenceAt, kStampNumbersBytes});
  out.number(publisher_bytes);
  out.run({link.record + record::kPublisherAt, publisher_bytes});
  out.run({link.record + record::kBodyDigestAt, sizeof(Hash)});
}

BytesView body_of(const std::uint8_t* at) {
  const auto publisher_bytes = codec::load<std::uint16_t>(at + record::kPublisherLengthAt);
  return {at + record::kPublisherAt + codec::padded_to_8(publisher_bytes),
          codec::load<std::uint32_t>(at + record::kBodyLengthAt)};
}

constexpr std::size_t kCheckedAtOnce = 64;  // what it takes stays near the processor

// At most kCheckedAtOnce of them.
std::optional<codec::ChainFault> fault_in_few(std::span<const codec::StoredLink> links) {
  std::array<FixedWriter, kCheckedAtOnce> messages;
  std::array<BytesView, kCheckedAtOnce> views, bodies;
  std::array<Salt, kCheckedAtOnce> salts;
  std::array<Hash, kCheckedAtOnce> hashes, digests;
  std::array<bool, kCheckedAtOnce> redacted;
  std::size_t whole = 0;
  for (std::size_t i = 0; i < links.size(); ++i) {
    write_link(messages[i], links[i]);
    views[i] = messages[i].written();
    const std::uint8_t* at = links[i].record;
    redacted[i] = (codec::load<std::uint16_t>(at + record::kRecordFlagsAt) & record::kFlagRedacted) != 0;
    if (redacted[i]) continue;
    std::copy_n(at + record::kSaltAt, sizeof(Salt), salts[whole].begin());
    bodies[whole++] = body_of(at);
  }
  body_digests(std::span(salts).first(whole), std::span(bodies).first(whole), std::span(digests).first(whole));
  codec::blake2b_many({sizeof(Hash), kChainPurpose}, {}, std::span(views).first(links.size()),
                      reinterpret_cast<std::uint8_t*>(hashes.data()));
  for (std::size_t i = 0, hashed = 0; i < links.size(); ++i) {
    const std::uint8_t* at = links[i].record;
    if (!redacted[i] && !std::ranges::equal(digests[hashed++], BytesView(at + record::kBodyDigestAt, sizeof(Hash)))) {
      return codec::ChainFault{i, "the event's bytes are not those that were hashed"};
    }
    if (!std::ranges::equal(hashes[i], BytesView(at + record::kHashAt, sizeof(Hash)))) {
      return codec::ChainFault{i, "the chain hash is wrong"};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<codec::ChainFault> codec::fault_in(std::span<const StoredLink> links) {
  for (std::size_t begin = 0; begin < links.size(); begin += kCheckedAtOnce) {
    if (auto fault = fault_in_few(links.subspan(begin, std::min(kCheckedAtOnce, links.size() - begin)))) {
      fault->index += begin;
      return fault;
    }
  }
  return std::nullopt;
}

Salt derive_salt(const Hash& entropy, Ordinal ordinal) {
  FixedWriter out;
  out.run(entropy);
  out.number(ordinal.value);
  return hash_for<16>(kSaltPurpose, out.written());
}

void derive_salts(const Hash& entropy, Ordinal first, std::span<Salt> salts) {
  static_assert(sizeof(Salt) == 16);
  constexpr std::size_t kAtOnce = 64;
  std::array<std::array<std::uint8_t, sizeof(Hash) + 8>, kAtOnce> messages;
  std::array<BytesView, kAtOnce> views;
  for (std::size_t i = 0; i < kAtOnce; ++i) {
    std::copy(entropy.begin(), entropy.end(), messages[i].begin());
    views[i] = messages[i];
  }
  for (std::size_t at = 0; at < salts.size(); at += kAtOnce) {
    const std::size_t count = std::min(kAtOnce, salts.size() - at);
    for (std::size_t i = 0; i < count; ++i) codec::store(messages[i].data() + sizeof(Hash), first.value + at + i);
    codec::blake2b_many({sizeof(Salt), kSaltPurpose}, {}, std::span(views).first(count),
                        reinterpret_cast<std::uint8_t*>(salts.data() + at));
  }
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
