// What can go wrong between this process and its sockets. Bad input of a peer is a Refusal, never one of these.
#pragma once

#include <cstdint>

#include "schemas/result.h"

namespace lianxi::net {

enum class NetError : std::uint8_t { address_in_use, bad_endpoint, bad_key, out_of_sockets, system };
using NetFailure = Failure<NetError>;
template <class T>
using NetResult = Result<T, NetFailure>;

}  // namespace lianxi::net
