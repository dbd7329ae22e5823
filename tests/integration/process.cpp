#include "tests/integration/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace lianxi::test {

bool eventually(const std::function<bool()>& done, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!done()) {
    if (std::chrono::steady_clock::now() > until) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

bool OnceASecond::is_due() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_) return false;
  next_ = now + std::chrono::seconds(1);
  return true;
}

Process::Process(const std::vector<std::string>& command, std::string output_file) : output_file_(std::move(output_file)) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int out = ::open(output_file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(out);
}

Process::~Process() {
  if (status_ || pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::kill(pid_, SIGCONT);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
  if (!status_ && pid_ > 0) ::kill(pid_, number);
}

bool Process::running() {
  if (status_) return false;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return true;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

std::optional<int> Process::wait(std::chrono::milliseconds patience) {
  eventually([this] { return !running(); }, patience);
  return status_;
}

std::string Process::output() const {
  return read_text(output_file_);
}

Ended run_program(const std::vector<std::string>& command, const std::string& output_file) {
  Process process(command, output_file);
  const auto status = process.wait();
  return {status.value_or(-1), process.output()};
}

std::string read_text(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_text(const std::string& file, const std::string& text, bool secret) {
  std::ofstream(file, std::ios::trunc) << text;
  ::chmod(file.c_str(), secret ? 0600 : 0644);
}

}  // namespace lianxi::test
