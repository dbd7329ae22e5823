// Our own broker as the bench sees it: a real process and the real client.
#pragma once

#include "schemas/security.h"
#include "tests/bench/bench_node.h"
#include "tests/bench/peers/peer.h"

namespace lianxi::bench {

class LianxiPeer final : public Peer {
 public:
  LianxiPeer(std::filesystem::path broker, Security security) : broker_(std::move(broker)), security_(security) {}
  [[nodiscard]] static PeerInfo info(Security security);

  void start() override;
  void stop() override;
  [[nodiscard]] pid_t pid() const override;
  [[nodiscard]] std::string version() const override;
  void open_topic(const std::string& topic, std::size_t publishers) override;
  std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t index, Payloads payloads,
                                            std::size_t window) override;
  std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t index, Checker& checker) override;

  [[nodiscard]] BenchNode& node() { return *node_; }
  // Until the view's offset is the journal's.
  void wait_for_view();
  // A counter or gauge of /metrics; nothing if it is not there.
  [[nodiscard]] std::optional<double> metric(const std::string& name) const;

 private:
  std::filesystem::path broker_;
  Security security_;
  std::unique_ptr<BenchNode> node_;
};

// Through the real client, to whatever node the profile names.
[[nodiscard]] std::unique_ptr<Publisher> make_publisher(const sdk::Profile& profile, Payloads payloads, std::size_t window);

}  // namespace lianxi::bench
