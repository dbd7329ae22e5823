// Which makes there are. A make whose library was not there when this was built is named all the same.
#include "tests/bench/peers/peer.h"

namespace lianxi::bench {
namespace {

[[maybe_unused]] PeerSource without(const char* name, const char* title, Worth worth, const char* package) {
  return {{name, title, std::move(worth)}, std::string("built without ") + package, nullptr};
}

}  // namespace

#ifndef LIANXI_BENCH_REDIS
PeerSource redis_always() {
  return without("redis_always", "Redis Streams, appendfsync always", {true, true, ""}, "libhiredis-dev");
}
PeerSource redis_none() {
  return without("redis_none", "Redis Streams, appendfsync no", {true, false, ""}, "libhiredis-dev");
}
#endif
#ifndef LIANXI_BENCH_NATS
PeerSource nats_jetstream() {
  return without("nats_jetstream", "NATS JetStream, file store", {true, false, ""}, "libnats-dev");
}
#endif
#ifndef LIANXI_BENCH_RABBITMQ
PeerSource rabbitmq_quorum() {
  return without("rabbitmq_quorum", "RabbitMQ, quorum queue, confirms", {true, true, ""}, "librabbitmq-dev");
}
#endif
#ifndef LIANXI_BENCH_MOSQUITTO
PeerSource mosquitto_qos1() {
  return without("mosquitto_qos1", "Mosquitto, QoS 1, persistence", {true, false, ""}, "libmosquitto-dev");
}
#endif
#ifndef LIANXI_BENCH_POSTGRESQL
PeerSource postgresql() {
  return without("postgresql", "PostgreSQL, an insert and a commit each", {true, true, ""}, "libpq-dev");
}
#endif

std::vector<PeerSource> peer_sources() {
  return {redis_always(), rabbitmq_quorum(), postgresql(), nats_jetstream(), redis_none(), mosquitto_qos1(), zmq_proxy_peer()};
}

}  // namespace lianxi::bench
