#include "schemas/security.h"

#include <gtest/gtest.h>

namespace lianxi {
namespace {

TEST(Security, HasTwoWords) {
  EXPECT_EQ(parse_security("curve"), Security::curve);
  EXPECT_EQ(parse_security("plain"), Security::plain);
  EXPECT_EQ(parse_security("none"), std::nullopt);
  EXPECT_EQ(parse_security(""), std::nullopt);
}

TEST(Loopback, IsANumberedAddressOfThisMachineAlone) {
  for (const char* endpoint :
       {"tcp://127.0.0.1:7301", "127.0.0.1:7306", "tcp://127.255.3.4:1", "tcp://[::1]:7301", "tcp://127.0.0.1:*"})
    EXPECT_TRUE(is_loopback(endpoint)) << endpoint;
  for (const char* endpoint : {"tcp://*:7301", "tcp://0.0.0.0:7301", "tcp://10.0.0.1:7301", "tcp://localhost:7301",
                               "tcp://128.0.0.1:1", "tcp://127.0.0:1", "tcp://127.0.0.1.example.org:1", "tcp://127.0.0.256:1",
                               "tcp://127.0.0.1", "tcp://127.0.0.:1", "tcp://[::]:1", "tcp://-127.0.0.1:1", "ipc:///tmp/x", ""})
    EXPECT_FALSE(is_loopback(endpoint)) << endpoint;
}

}  // namespace
}  // namespace lianxi
