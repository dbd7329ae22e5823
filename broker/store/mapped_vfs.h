// The SQLite VFS of those who ask the view: its file stays mapped. SQLite takes the mapping away whenever another connection has
// committed, in case the file was cut short and has grown again meanwhile. Here nobody cuts the view's file short (no VACUUM, by
// hand neither while a node runs), and a shared mapping shows what is written to it; to map some hundred megabytes again at each
// commit of the view costs milliseconds of page faults. So it is mapped anew only when the file has grown by a good part.
#pragma once

#include <string>

namespace lianxi::store {

// The VFS's name for open_database; registered at the first call. Any thread.
[[nodiscard]] const std::string& mapped_vfs();

}  // namespace lianxi::store
