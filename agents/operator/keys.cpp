#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ostream>

#include "agents/operator/commands.h"
#include "schemas/codec/chain.h"

namespace lianxi::cli {
namespace {

// Creates the file or says why not; never overwrites.
Result<void> write_new(const std::string& path, const std::string& text, unsigned mode) {
  const int fd = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, mode);
  if (fd < 0) {
    return errno == EEXIST ? refuse(RefusalCode::conflict, "name", path + " exists already; keys are never overwritten")
                           : refuse(RefusalCode::config, "out", path + ": " + std::strerror(errno));
  }
  const ssize_t written = ::write(fd, text.data(), text.size());
  const bool good = written == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (good) return {};
  ::unlink(path.c_str());
  return refuse(RefusalCode::config, "out", path + ": " + std::strerror(error));
}

}  // namespace

Exit run_keys(const Common&, const KeysCommand& command, const Console& console) {
  const sdk::CurveKeys curve = sdk::make_curve_keys();
  const std::string& name = command.name.text();
  const std::string base = command.folder + "/" + name;
  std::string secret = "# Secret keys of " + name + ". Who has this file is " + name + ".\n[curve]\npublic_key = \"" +
                       curve.public_key + "\"\nsecret_key = \"" + curve.secret_key + "\"\n";
  std::string open = "# Public keys of " + name + ", for the key folder of its node.\nid = \"" + name + "\"\nagency = \"" +
                     std::string(command.name.agency()) + "\"\nrole = \"" + command.role + "\"\npublic_key = \"" +
                     curve.public_key + "\"\n";
  if (command.seal) {
    const SealKeyPair seal = make_seal_keys();
    secret += "\n[seal]\npublic_key = \"" + to_hex(seal.public_key) + "\"\nsecret_key = \"" + to_hex(seal.secret_key) + "\"\n";
    open += "seal_key = \"" + to_hex(seal.public_key) + "\"\n";
  }
  const std::string secret_path = base + ".secret.toml";
  const std::string public_path = base + ".toml";
  if (::access(public_path.c_str(), F_OK) == 0) {
    return console.refused({RefusalCode::conflict, "name", public_path + " exists already; keys are never overwritten", 0});
  }
  if (auto made = write_new(secret_path, secret, 0600); !made) return console.refused(made.error());
  if (auto made = write_new(public_path, open, 0644); !made) {
    ::unlink(secret_path.c_str());
    return console.refused(made.error());
  }
  if (console.json()) {
    console.out() << "{\"id\":\"" << name << "\",\"public_key\":\"" << curve.public_key << "\"}\n";
  } else {
    console.out() << console.say()("secret ", "私钥 ") << secret_path << '\n'
                  << console.say()("public ", "公钥 ") << public_path << '\n';
  }
  return Exit::done;
}

}  // namespace lianxi::cli
