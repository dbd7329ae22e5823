// The text of edxl_rm_*.xsd, put into the program when it is built.
#pragma once

#include <string_view>

namespace lianxi::formats {

extern const std::string_view kEdxlRmMessagesXsd;
extern const std::string_view kEdxlRmCommonXsd;

}  // namespace lianxi::formats
