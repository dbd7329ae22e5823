"""A plain ZeroMQ SUB socket on `live`, with the key of a police agent."""
import json
import tomllib
import unittest
import urllib.request

import zmq

from support import PATIENCE, ClusterTest, cap, wait_until

REGION = "330800"


class Live(ClusterTest):
    def setUp(self):
        self.profile = tomllib.loads(self.cluster.profile(REGION, "police").read_text())
        self.context = zmq.Context()
        self.addCleanup(self.context.destroy, 0)

    def subscriber(self, *topics):
        socket = self.context.socket(zmq.SUB)
        socket.curve_serverkey = self.profile["node"]["server_key"].encode()
        socket.curve_publickey = self.profile["agent"]["public_key"].encode()
        socket.curve_secretkey = self.profile["agent"]["secret_key"].encode()
        for topic in topics:
            socket.subscribe(topic)
        socket.connect(self.profile["node"]["live"])
        self.addCleanup(socket.close, 0)
        return socket

    def publish(self, identifier, status="Actual"):
        code, out, error = self.cluster.lianxi(REGION, "emergency", "publish", "alert", self.write(f"{identifier}.xml", cap(identifier, status)))
        self.assertEqual(code, 0, out + error)

    def refusals(self, name="refus"):
        text = urllib.request.urlopen(f"http://127.0.0.1:{self.cluster.ports[REGION, 'metrics']}/metrics", timeout=PATIENCE).read().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if name in line and not line.startswith("#"))

    def test_an_allowed_topic_arrives_as_json(self):
        socket = self.subscriber("alert/3308")
        numbers = iter(range(1000))

        def heard():
            self.publish(f"LIVE-{next(numbers)}")
            return socket.poll(200)
        wait_until(heard, PATIENCE, "an alert on live")
        topic, payload = socket.recv_multipart()
        event = json.loads(payload)
        self.assertEqual(topic.decode(), "alert/330803/emergency")
        self.assertEqual(event["kind"], "alert")
        self.assertEqual(event["body"]["status"], "Actual")
        self.assertLessEqual({"offset", "region", "epoch", "lane", "audience", "seq", "time", "kind", "topic", "publisher", "body"}, set(event))

    def test_a_topic_that_the_policy_denies_is_refused_told_and_counted(self):
        before = self.refusals()
        socket = self.subscriber("mobilisation/")
        self.assertTrue(socket.poll(PATIENCE * 1000), "the refusal is told")
        topic = socket.recv_multipart()[0].decode()
        self.assertEqual(topic, f"mobilisation/!refused/{self.profile['agent']['id']}")
        wait_until(lambda: self.refusals() > before, PATIENCE, "the refusal is counted")

    def test_an_unknown_key_hears_nothing_and_is_counted(self):
        before = self.refusals()
        public, secret = zmq.curve_keypair()
        self.profile["agent"] = {"id": "330800.police.dispatch", "public_key": public.decode(), "secret_key": secret.decode()}
        socket = self.subscriber("alert/")
        wait_until(lambda: self.refusals() > before, PATIENCE, "the unknown key is counted")
        self.publish("LIVE-UNKNOWN")
        self.assertFalse(socket.poll(300))


if __name__ == "__main__":
    unittest.main()
