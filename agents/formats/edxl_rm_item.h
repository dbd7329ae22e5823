// One ResourceInformation of an EDXL-RM document. For edxl_rm*.cpp alone.
#pragma once

#include "agents/formats/edxl_rm_scope.h"
#include "schemas/event.h"

namespace lianxi::formats {

[[nodiscard]] MobilisationItem read_item(const EdxlScope& scope, ResourceMessage message);

}  // namespace lianxi::formats
