// Descriptors: how many this process may have, and how many of them connections may take, so that a flood of connections leaves
// the journal its files.
#pragma once

#include <cstddef>

namespace lianxi::app {

inline constexpr std::size_t kWantedFiles = 16'384;
inline constexpr std::size_t kOwnFiles = 256;  // journal, view, sockets, threads

// Raises this process' limit as far as it may and is wanted; gives the limit as it then stands.
std::size_t raise_open_files();
// Connections that each of the five endpoints may hold by that limit. Twice as many find a descriptor for the moment until the
// surplus is cut.
[[nodiscard]] std::size_t connections_per_endpoint(std::size_t files);

}  // namespace lianxi::app
