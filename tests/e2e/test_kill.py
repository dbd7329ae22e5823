"""kill -9 of a node in the middle of publishing: nothing acknowledged is lost, nothing comes twice, links resume."""
import json
import os
import random
import subprocess
import threading
import unittest

from support import ClusterTest, wait_until

ROUNDS = int(os.environ.get("LIANXI_KILL_ROUNDS", "20"))
HOME, PEER = "330800", "341000"


class Publisher(threading.Thread):
    """Publishes one alert after the other through the command line; remembers which were acknowledged."""

    def __init__(self, test, number):
        super().__init__(daemon=True)
        self.test, self.number = test, number
        self.stop = threading.Event()
        self.acknowledged, self.unknown, self.wrong = set(), set(), []

    def run(self):
        count = 0
        while not self.stop.is_set():
            count += 1
            name = f"KILL-{self.number}-{count}"
            path = self.test.write(f"{name}.json", self.test.incident(name))
            try:
                code, out, error = self.test.cluster.lianxi(HOME, "fire", "publish", "incident", path)
            except subprocess.TimeoutExpired:
                code, out, error = 3, "", ""
            if code == 0:
                self.acknowledged.add(name)
            else:
                self.unknown.add(name)
                if code != 3:
                    self.wrong.append(f"{name}: exit status {code}: {out}{error}")


class Kill(ClusterTest):
    REGIONS = [HOME, PEER]

    @staticmethod
    def incident(name):
        return json.dumps({"kind": "incident", "case_reference": name, "report_type": "first", "place": "330803", "agency": "fire",
                           "audience": "conference", "occurred_at": "2026-11-09T08:31:05+08:00", "title": name, "text": "x" * 300})

    def events(self, region):
        code, out, error = self.cluster.lianxi(region, "operator", "follow", "--kind", "incident", "--from", "beginning", "--until", "now", "--json")
        self.assertEqual(code, 0, error)
        return [json.loads(line) for line in out.splitlines()]

    def head(self):
        status = self.cluster.status(HOME)
        return sum(feed["seq"] for feed in status["feeds"]) if status else -1

    def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(self):
        publishers = [Publisher(self, number) for number in range(3)]
        for publisher in publishers:
            publisher.start()
        chance = random.Random(7)
        for _ in range(ROUNDS):
            before = wait_until(lambda: self.head() + 1, 20, "the node answers")
            wait_until(lambda: self.head() + 1 > before + chance.randrange(8), 20, "publishing goes on")
            self.cluster.broker(HOME).kill()
            self.cluster.start_broker(HOME)
            self.cluster.wait_up(HOME)
        for publisher in publishers:
            publisher.stop.set()
        for publisher in publishers:
            publisher.join(60)
            self.assertFalse(publisher.is_alive())
            self.assertEqual(publisher.wrong, [])
        acknowledged = set().union(*(p.acknowledged for p in publishers))
        unknown = set().union(*(p.unknown for p in publishers))
        self.assertGreater(len(acknowledged), ROUNDS)

        titles = [event["body"]["title"] for event in self.events(HOME)]
        self.assertEqual(len(titles), len(set(titles)), "an event came twice")
        self.assertLessEqual(acknowledged, set(titles), "an acknowledged event is lost")
        self.assertLessEqual(set(titles), acknowledged | unknown)
        wait_until(lambda: [e["body"]["title"] for e in self.events(PEER)] == titles, 30, "the peer has the same, in order")
        wait_until(self.cluster.digests_agree, 5, "equal digests at equal vectors")


if __name__ == "__main__":
    unittest.main()
