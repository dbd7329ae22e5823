// Many links of a feed's chain at once, when every hash is at hand and only waits to be checked: each link is then independent
// of the others. For codec/*.cpp alone.
#pragma once

#include "schemas/codec/chain.h"

namespace lianxi::codec {

struct ChainLink {  // borrowed
  const Hash* previous = nullptr;
  const Stamp* stamp = nullptr;
  const Hash* body_digest = nullptr;
};
// As chain_hash of each, at a third of the cost. As many hashes as links.
void chain_hashes(const FeedId& feed, std::span<const ChainLink> links, std::span<Hash> hashes);

}  // namespace lianxi::codec
