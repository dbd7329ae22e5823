// A folder with the config of one good node, which a test then spoils.
#pragma once

#include <string>

#include "broker/app/config.h"

namespace lianxi::app {

class ConfigFolder {
 public:
  ConfigFolder();
  ~ConfigFolder();
  ConfigFolder(const ConfigFolder&) = delete;
  ConfigFolder& operator=(const ConfigFolder&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return folder_ + "/" + name; }
  [[nodiscard]] std::string node() const { return path("regions/330800.toml"); }
  void write(const std::string& name, const std::string& content) const;
  [[nodiscard]] std::string read(const std::string& name) const;
  // Aborts the test if `from` is not in the file, so that a test cannot pass for want of its mistake.
  void replace(const std::string& name, const std::string& from, const std::string& to) const;

 private:
  std::string folder_;
};

struct CurveKeys {
  std::string public_key, secret_key;
};
[[nodiscard]] CurveKeys make_curve_keys();

}  // namespace lianxi::app
