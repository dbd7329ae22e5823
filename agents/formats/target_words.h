// Which words a field of ours admits, for mappings: asked when the file is loaded and for every record.
#pragma once

#include <string>
#include <string_view>

#include "schemas/result.h"

namespace lianxi::formats {

// True for what is not bound to a vocabulary or form.
[[nodiscard]] Result<void> check_target_word(std::string_view target, const std::string& word);

}  // namespace lianxi::formats
