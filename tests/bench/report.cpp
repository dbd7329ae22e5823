#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/bench/publish_bench.h"

namespace lianxi::bench {
namespace {

struct Spread {
  double median = 0, least = 0, most = 0;
};

Spread spread_of(const std::vector<Sample>& samples, double Sample::*field) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*field);
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
  return {median, values.front(), values.back()};
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : value < 1'000 ? "%.1f" : "%.0f", value);
  return text;
}
std::string ms(double us) {
  return number(us / 1'000);
}
std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}

nlohmann::json json_spread(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

}  // namespace

std::string table_of(const std::vector<Row>& rows) {
  std::string text = "row                           acknowledged/s [min-max]            p50 ms    p90 ms    p99 ms    max ms\n";
  for (const Row& row : rows) {
    std::string name = row.name;
    name.resize(28, ' ');
    const Spread rate = spread_of(row.samples, &Sample::events_per_second);
    text += name + padded(number(rate.median) + " [" + number(rate.least) + "-" + number(rate.most) + "]", 28);
    for (double Sample::*field : {&Sample::p50_us, &Sample::p90_us, &Sample::p99_us, &Sample::max_us}) {
      text += padded(ms(spread_of(row.samples, field).median), field == &Sample::p50_us ? 16 : 10);
    }
    text += "\n";
  }
  for (const Row& row : rows) text += "  " + row.name + ": " + row.what + "\n";
  return text;
}

std::string json_of(const std::vector<Row>& rows, const PublishOptions& options) {
  nlohmann::ordered_json json = {{"benchmark", "publish"},
                                 {"rounds", options.rounds},
                                 {"seconds", options.seconds},
                                 {"body_bytes", options.body_bytes},
                                 {"paced_per_second", options.paced_per_second}};
  for (const Row& row : rows) {
    nlohmann::ordered_json one = {{"name", row.name}, {"what", row.what}};
    one["events_per_second"] = json_spread(spread_of(row.samples, &Sample::events_per_second));
    one["p50_us"] = json_spread(spread_of(row.samples, &Sample::p50_us));
    one["p90_us"] = json_spread(spread_of(row.samples, &Sample::p90_us));
    one["p99_us"] = json_spread(spread_of(row.samples, &Sample::p99_us));
    one["max_us"] = json_spread(spread_of(row.samples, &Sample::max_us));
    json["rows"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace lianxi::bench
