// A server on loopback for as long as the object lives: its process group, its folder, its ports. Nothing that the bench did
// not start is ever touched.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace lianxi::bench {

// A folder of its own, gone with the object. Others may pass through it, as servers that do not run as root must.
class TempFolder {
 public:
  explicit TempFolder(const std::string& name);
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// From now on SIGINT, SIGTERM and SIGHUP end the bench with all that it has started, folders included. Once, in main, before
// any thread. (The kernel's own way of telling a child that its parent died is lost on those that change their user.)
class EndOnSignal {
 public:
  EndOnSignal();
};

struct Command {
  std::vector<std::string> words;          // the program first
  std::map<std::string, std::string> env;  // besides our own environment
  std::string user;                        // run as this user if we are root; empty: as we are
  std::filesystem::path log;               // of both outputs
};

class ChildProcess {
 public:
  // Throws std::runtime_error if it cannot be started.
  explicit ChildProcess(const Command& command);
  ~ChildProcess();  // SIGTERM, and SIGKILL to its group if that does not do within seconds
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool alive() const;
  // Until it accepts connections on this port of loopback. Throws with its last words if it ends or does not in time.
  void wait_for_port(int port, double seconds) const;
  [[nodiscard]] std::string last_words() const;
  void signal(int number) const;   // to it alone
  [[nodiscard]] int wait() const;  // for its end; its exit status, or -1

 private:
  std::filesystem::path log_;
  mutable pid_t pid_ = -1;
  pid_t group_ = -1;
};

// Runs to its end; throws std::runtime_error with its last words if that is not 0.
void run_command(const Command& command);
[[nodiscard]] std::string first_line_of(const std::vector<std::string>& command);  // of its output; empty if it fails

// The path of a program, looked for in PATH and /usr/sbin; empty: it is not installed.
[[nodiscard]] std::string find_program(const std::string& name);
[[nodiscard]] int free_port();
// A process and all below it.
[[nodiscard]] std::vector<pid_t> process_tree(pid_t root);
// CPU seconds of a process and all below it, ended children included.
[[nodiscard]] double cpu_seconds(pid_t root);
void write_text(const std::filesystem::path& path, const std::string& text);

}  // namespace lianxi::bench
