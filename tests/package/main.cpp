// Publishes a report, follows until it comes back, and prints the receipt and what it heard.
#include <iostream>
#include <variant>

#include "agents/sdk/client.h"
#include "agents/sdk/stop_signal.h"  // drawn in by nothing else of the package
#include "schemas/codec/json.h"

int main(int, char** argv) {
  namespace sdk = lianxi::sdk;
  const auto profile = sdk::load_profile(argv[1]);
  if (!profile) return std::cerr << profile.error().reason << "\n", 1;
  const auto client = sdk::Client::open(*profile, {.outbox = argv[2]});
  if (!client) return std::cerr << client.error().reason << "\n", 1;
  const auto event = lianxi::event_from_json(R"({"kind": "incident", "case_reference": "THIRD-1", "report_type": "first",
    "title": "第三方程序", "place": "330803", "agency": "police", "audience": "conference",
    "occurred_at": "2026-11-09T08:31:05+08:00"})");
  if (!event) return std::cerr << event.error().reason << "\n", 1;
  const auto receipt = (*client)->publish(*event).get();
  if (!receipt) return std::cerr << receipt.error().reason << "\n", 1;
  std::cout << "receipt offset=" << receipt->offset.value << " feed=" << lianxi::to_text(receipt->feed) << std::endl;
  auto seen = (*client)->events({.from = lianxi::FollowFrom::beginning});
  while (const auto heard = seen.next(std::chrono::seconds(20))) {
    if (heard->offset < receipt->offset) continue;
    const auto& report = std::get<lianxi::IncidentReport>(heard->event.body);
    std::cout << "followed offset=" << heard->offset.value << " title=" << report.title << std::endl;
    return 0;
  }
  std::cerr << "nothing came back\n";
  return 1;
}
