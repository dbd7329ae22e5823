// JSON of any size, member by member: what is read of it at once is one value. For resource_geojson.cpp alone.
#pragma once

#include <string>
#include <string_view>

#include "agents/formats/csv.h"

namespace lianxi::formats {

class JsonWindow {
 public:
  explicit JsonWindow(ReadBlock read) : read_(std::move(read)) {}

  // The next character that is no white space, without taking it; 0 at the end.
  [[nodiscard]] char peek();
  void take() { ++at_; }
  [[nodiscard]] std::size_t line() const { return line_; }
  // The text of the next value, whatever it is: borrowed until the next call of anything here. Its form is not checked. Refusals:
  // oversize above kMaxRecordBytes, malformed if the file ends in it; both with field "line N".
  [[nodiscard]] Result<std::string_view> value();

 private:
  [[nodiscard]] bool more();  // false at the end

  ReadBlock read_;
  std::string window_;
  std::size_t at_ = 0, line_ = 1, kept_ = 0;  // what lies before `kept_` may go
  bool end_ = false, begun_ = false;
};

}  // namespace lianxi::formats
