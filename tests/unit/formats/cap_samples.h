// CAP documents for tests: the files of tests/data/cap, and a small one that is right, to break in one place.
#pragma once

#include <fstream>
#include <sstream>
#include <string>

#include "agents/formats/cap.h"
#include "tests/support/source_tree.h"

namespace lianxi::formats {

inline std::string sample(const std::string& name) {
  std::ifstream file(test::source_tree("tests/data/cap/") + name, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline Result<CapDocument> read(const std::string& xml) {
  return read_cap(BytesView(reinterpret_cast<const std::uint8_t*>(xml.data()), xml.size()));
}

inline const std::string kRight = R"(<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>33080341600000_20201109083105</identifier><sender>quzhou@12379.cn</sender>
<sent>2020-11-09T08:31:05+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
<info><language>zh-CN</language><category>Fire</category><event>有机氟硅厂火灾</event><urgency>Immediate</urgency>
<severity>Severe</severity><certainty>Observed</certainty><headline>衢江区化工火灾橙色预警</headline>
<area><areaDesc>衢江区</areaDesc><polygon>28.9,118.9 29.0,118.9 29.0,119.0 28.9,118.9</polygon><circle>28.973,118.958 2.5</circle>
<geocode><valueName>GB/T 2260</valueName><value>330803</value></geocode></area></info></alert>)";

// kRight with `part` changed to `other`.
inline std::string with(const std::string& part, const std::string& other) {
  std::string xml = kRight;
  const std::size_t at = xml.find(part);
  return at == std::string::npos ? "the part is not there" : xml.replace(at, part.size(), other);
}

}  // namespace lianxi::formats
