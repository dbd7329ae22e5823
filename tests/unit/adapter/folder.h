// A spool folder of its own for a test, the mappings of the agencies, and waiting for a condition.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <thread>

#include "agents/formats/mapping.h"
#include "tests/support/source_tree.h"

namespace lianxi::adapter {

inline std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "lianxi-spool-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::filesystem::path path(const std::string& name = "") const { return path_ / name; }
  void put(const std::string& name, const std::string& text) const { std::ofstream(path_ / name, std::ios::binary) << text; }
  [[nodiscard]] std::string get(const std::string& name) const { return text_of(path_ / name); }
  [[nodiscard]] bool has(const std::string& name) const { return std::filesystem::exists(path_ / name); }

 private:
  std::filesystem::path path_;
};

inline const std::string kAgencies = test::source_tree("agents/adapter/");

inline formats::Mapping mapping_of(const std::string& agency) {
  const auto mapping = formats::load_mapping(kAgencies + agency + "/mapping.toml", {RegionCode(330800), agency});
  EXPECT_TRUE(mapping);
  return mapping.value_or(formats::Mapping{});
}

// True as soon as `holds` does; false after ten seconds.
inline bool eventually(const std::function<bool()>& holds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (std::chrono::steady_clock::now() < end) {
    if (holds()) return true;
    std::this_thread::yield();
  }
  return holds();
}

// A police report by its case and number, with an optional fault.
inline std::string police_line(const std::string& reference, const std::string& time = "20201109083105") {
  return R"({"LDBH":"QZ-1","JJDBH":")" + reference + R"(","BJSJ":")" + time + R"(","BJNR":"火情","BJLB":"03"})" + "\n";
}

}  // namespace lianxi::adapter
