// Names of files for SQLite's ATTACH.
#pragma once

#include <string>

namespace lianxi::store {

// A file that nobody writes any more, for a connection that may create others. `vfs` may be empty.
[[nodiscard]] std::string immutable_uri(const std::string& path, const std::string& vfs);

}  // namespace lianxi::store
