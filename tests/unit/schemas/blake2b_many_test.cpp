#include <gtest/gtest.h>

#include <random>

#include "schemas/codec/chain.h"
#include "schemas/codec/event_codec.h"

namespace lianxi {
namespace {

std::vector<Bytes> random_bodies(std::mt19937& random, std::size_t count, std::size_t longest) {
  std::vector<Bytes> bodies(count);
  for (Bytes& body : bodies) {
    body.resize(random() % (longest + 1));
    for (std::uint8_t& byte : body) byte = static_cast<std::uint8_t>(random());
  }
  return bodies;
}

// The one by one functions are libsodium's.
TEST(Blake2bMany, GivesTheHashesOfLibsodiumForEveryLengthAndNumber) {
  std::mt19937 random(1);
  for (std::size_t count = 0; count <= 40; ++count) {
    for (const std::size_t longest : {0UL, 127UL, 128UL, 129UL, 300UL, 1'300UL}) {
      const std::vector<Bytes> bodies = random_bodies(random, count, longest);
      const std::vector<BytesView> views(bodies.begin(), bodies.end());
      std::vector<Salt> salts(count);
      for (Salt& salt : salts)
        for (std::uint8_t& byte : salt) byte = static_cast<std::uint8_t>(random());
      std::vector<BodyHash> hashes(count);
      std::vector<Hash> digests(count);
      body_hashes(views, hashes);
      body_digests(salts, views, digests);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_EQ(hashes[i], body_hash(views[i])) << count << " inputs, " << views[i].size() << " bytes";
        ASSERT_EQ(digests[i], body_digest(salts[i], views[i])) << count << " inputs, " << views[i].size() << " bytes";
      }
    }
  }
}

TEST(Blake2bMany, HashesAtEveryBlockBoundary) {
  std::vector<Bytes> bodies;
  for (std::size_t size = 0; size <= 520; ++size) bodies.emplace_back(size, static_cast<std::uint8_t>(size));
  const std::vector<BytesView> views(bodies.begin(), bodies.end());
  std::vector<BodyHash> hashes(views.size());
  body_hashes(views, hashes);
  for (std::size_t i = 0; i < views.size(); ++i) ASSERT_EQ(hashes[i], body_hash(views[i])) << i << " bytes";
}

TEST(Blake2bMany, SaltsOfABatchAreThoseOfItsOrdinals) {
  const Hash entropy{3, 1, 4};
  std::vector<Salt> salts(21);
  derive_salts(entropy, Ordinal(100), salts);
  for (std::size_t i = 0; i < salts.size(); ++i) EXPECT_EQ(salts[i], derive_salt(entropy, Ordinal(100 + i)));
}

}  // namespace
}  // namespace lianxi
