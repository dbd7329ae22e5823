#include "agents/adapter/line_source.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <nlohmann/json.hpp>

#include "schemas/limits.h"
#include "tests/unit/adapter/fake_client.h"
#include "tests/unit/adapter/folder.h"

namespace lianxi::adapter {
namespace {

// Standard input of a test: what is written can be read until it is closed.
class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_.data()), 0); }
  ~Pipe() {
    close();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void write(const std::string& text) const {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t wrote = ::write(ends_[1], text.data() + at, text.size() - at);
      ASSERT_GT(wrote, 0);
      at += static_cast<std::size_t>(wrote);
    }
  }
  void close() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  [[nodiscard]] int input() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{-1, -1};
};

struct Printed {
  std::mutex mutex;
  std::vector<nlohmann::json> lines;
  void operator()(const std::string& line) {
    const std::scoped_lock lock(mutex);
    lines.push_back(nlohmann::json::parse(line));
  }
  std::size_t size() {
    const std::scoped_lock lock(mutex);
    return lines.size();
  }
};

TEST(LineSource, EveryLineGetsItsResultInOrder) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  Pipe pipe;
  pipe.write(police_line("1") + "\n" + police_line("2", "gestern") + "nonsense\n" + police_line("3"));
  pipe.close();
  Printed printed;
  const Tally tally =
      publish_lines(client, mapping.sources[0], pipe.input(), [&](const std::string& line) { printed(line); }, {});
  EXPECT_EQ(tally.accepted, 2U);
  EXPECT_EQ(tally.refused, 2U);
  ASSERT_EQ(printed.lines.size(), 4U);
  EXPECT_EQ(printed.lines[0]["line"], 1);
  EXPECT_EQ(printed.lines[0]["entity"], "330800:incident:QZ-1");
  EXPECT_EQ(printed.lines[1]["line"], 3);
  EXPECT_EQ(printed.lines[1]["error"]["field"], "BJSJ");
  EXPECT_EQ(printed.lines[2]["error"]["code"], "malformed");
  EXPECT_EQ(printed.lines[3]["seq"], 2);
}

TEST(LineSource, AResultIsPrintedWhileTheInputStaysOpen) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  Pipe pipe;
  Printed printed;
  std::jthread runner([&](const std::stop_token& stop) {
    (void)publish_lines(
        client, mapping.sources[0], pipe.input(), [&](const std::string& line) { printed(line); }, stop);
  });
  pipe.write(police_line("1"));
  EXPECT_TRUE(eventually([&] { return printed.size() == 1; }));
}

TEST(LineSource, StoppedWhileTheNodeIsSilentItEnds) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  client.holds = [](const Event&) { return true; };
  const auto mapping = mapping_of("police");
  Pipe pipe;
  pipe.write(police_line("1"));
  std::stop_source stop;
  std::jthread stopper([&] {
    EXPECT_TRUE(eventually([&] { return client.pending() == 1; }));
    stop.request_stop();
  });
  const Tally tally = publish_lines(
      client, mapping.sources[0], pipe.input(), [](const std::string&) {}, stop.get_token());
  EXPECT_EQ(tally.failures, 1U) << "one line without an answer, kept by the outbox";
}

TEST(LineSource, AnEndlessLineIsRefusedNotKept) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  Pipe pipe;
  std::jthread writer([&] {
    pipe.write(std::string(kMaxRecordBytes + 100'000, 'x'));
    pipe.close();
  });
  Printed printed;
  (void)publish_lines(client, mapping.sources[0], pipe.input(), [&](const std::string& line) { printed(line); }, {});
  ASSERT_FALSE(printed.lines.empty());
  EXPECT_EQ(printed.lines[0]["error"]["code"], "oversize");
}

}  // namespace
}  // namespace lianxi::adapter
