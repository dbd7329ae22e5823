#include "tests/bench/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace lianxi::bench {
namespace {

namespace fs = std::filesystem;
constexpr std::chrono::milliseconds kLook{5};
constexpr std::chrono::seconds kTermPatience{8};

// What EndOnSignal has to clear away.
std::mutex g_mutex;
std::set<pid_t> g_groups;
std::set<fs::path> g_folders;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  if (file.peek() != std::ifstream::traits_type::eof()) out << file.rdbuf();
  return out.str();
}

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// In the child, after fork.
[[noreturn]] void become(const Command& command, pid_t parent, int log) {
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  if (!command.user.empty() && ::geteuid() == 0) {
    const passwd* user = ::getpwnam(command.user.c_str());
    if (user == nullptr || ::setgid(user->pw_gid) != 0 || ::setgroups(0, nullptr) != 0 || ::setuid(user->pw_uid) != 0)
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a change of user clears it
  }
  for (const auto& [name, value] : command.env) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace

EndOnSignal::EndOnSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals] {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) return;
    const std::lock_guard lock(g_mutex);  // held to the end: nothing is started any more
    for (const pid_t group : g_groups) ::kill(-group, SIGKILL);
    std::error_code ignored;
    for (const fs::path& folder : g_folders) fs::remove_all(folder, ignored);
    ::_exit(128 + signal);
  }).detach();
}

TempFolder::TempFolder(const std::string& name) {
  const std::lock_guard lock(g_mutex);
  std::string pattern = (fs::temp_directory_path() / (name + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
  fs::permissions(path_, fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
  g_folders.insert(path_);
}
TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  const std::lock_guard lock(g_mutex);
  g_folders.erase(path_);
}

ChildProcess::ChildProcess(const Command& command) : log_(command.log) {
  const int log = ::open(log_.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666);
  if (log < 0) throw std::runtime_error(log_.string() + " cannot be written");
  const std::lock_guard lock(g_mutex);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(command, parent, log);
  ::close(log);
  if (pid_ < 0) throw std::runtime_error("fork failed");
  ::setpgid(pid_, pid_);
  group_ = pid_;
  g_groups.insert(group_);
}

ChildProcess::~ChildProcess() {
  if (alive()) {
    ::kill(pid_, SIGTERM);
    const auto until = std::chrono::steady_clock::now() + kTermPatience;
    while (alive() && std::chrono::steady_clock::now() < until) std::this_thread::sleep_for(kLook);
  }
  ::kill(-group_, SIGKILL);  // what it has left behind
  {
    const std::lock_guard lock(g_mutex);
    g_groups.erase(group_);
  }
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

bool ChildProcess::alive() const {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) != 0) pid_ = -1;
  return pid_ > 0;
}

int ChildProcess::wait() const {
  int status = -1;
  while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void ChildProcess::signal(int number) const {
  if (alive()) ::kill(pid_, number);
}

std::string ChildProcess::last_words() const {
  constexpr std::size_t kMost = 1'000;
  const std::string text = text_of(log_);
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

void ChildProcess::wait_for_port(int port, double seconds) const {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (;;) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool there = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (there) return;
    if (!alive()) throw std::runtime_error("it has ended: " + last_words());
    if (std::chrono::steady_clock::now() > until) throw std::runtime_error("it does not listen: " + last_words());
    std::this_thread::sleep_for(kLook);
  }
}

void run_command(const Command& command) {
  const ChildProcess child(command);
  if (child.wait() != 0) throw std::runtime_error(command.words[0] + " failed: " + child.last_words());
}

std::string first_line_of(const std::vector<std::string>& command) {
  const TempFolder folder("lianxi-bench");
  try {
    run_command({command, {}, {}, folder.path() / "out"});
  } catch (const std::exception&) {  // some tell it and end with a failure
  }
  const std::string text = text_of(folder.path() / "out");
  return text.substr(0, text.find('\n'));
}

std::string find_program(const std::string& name) {
  std::string path = ::getenv("PATH") == nullptr ? "" : ::getenv("PATH");
  path += ":/usr/sbin:/usr/local/sbin:/sbin";
  std::istringstream folders(path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    const fs::path program = fs::path(folder) / name;
    if (::access(program.c_str(), X_OK) == 0) return program.string();
  }
  return {};
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  const bool good = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (fd >= 0) ::close(fd);
  if (!good) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

std::vector<pid_t> process_tree(pid_t root) {
  std::vector<pid_t> tree{root};
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const fs::path tasks = "/proc/" + std::to_string(tree[i]) + "/task";
    std::error_code error;
    for (const auto& task : fs::directory_iterator(tasks, error)) {
      std::istringstream children(text_of(task.path() / "children"));
      for (pid_t child = 0; children >> child;) tree.push_back(child);
    }
  }
  return tree;
}

double cpu_seconds(pid_t root) {
  double ticks = 0;
  for (const pid_t pid : process_tree(root)) {
    const std::string stat = text_of("/proc/" + std::to_string(pid) + "/stat");
    const std::size_t name_end = stat.rfind(')');
    if (name_end == std::string::npos) continue;
    std::istringstream fields(stat.substr(name_end + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    for (int i = 0; i < 4; ++i) {  // user, system, children's user, children's system
      double value = 0;
      fields >> value;
      ticks += value;
    }
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

void write_text(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error(path.string() + " cannot be written");
}

}  // namespace lianxi::bench
