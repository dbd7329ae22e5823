"""Four cities in four network namespaces, 40 ms apart, two of a hundred frames lost, every line and every city cut once, while
agencies publish: nothing acknowledged is lost, nothing comes twice, and the cities agree soon after the last line heals.

    LIANXI_NET_SEED=7              the same cuts again
    LIANXI_HEAL_WITHIN=5           fail if the digests are not equal so many seconds after the heal (else: PATIENCE)
"""
import itertools
import json
import os
import random
import sys
import time
import unittest

import wide_net
from support import BIN, PATIENCE, REGIONS, Cluster, ClusterTest, Publisher, cap, wait_until

SEED = int(os.environ.get("LIANXI_NET_SEED", random.SystemRandom().randrange(1 << 32)))
WITHIN = float(os.environ.get("LIANXI_HEAL_WITHIN", PATIENCE))
DELAY, LOSS = 0.040, 0.02
PAUSE = 0.02  # between the records of an agency


class Namespaces(ClusterTest):
    REGIONS = list(REGIONS)

    @classmethod
    def make_cluster(cls):
        cls.net = cls.enterClassContext(wide_net.WideNet(cls.REGIONS, DELAY, LOSS, SEED))
        return Cluster(cls.folder, BIN, cls.REGIONS, hosts=cls.net.hosts)

    def setUp(self):
        self.chance = random.Random(SEED)
        self.alerts = []

    def alert(self, region):
        """A city's duty officer warns; the receipt is that of its own node, whatever is cut."""
        name = f"NET-{region}-{len(self.alerts)}"
        code, out, error = self.cluster.lianxi(region, "emergency", "publish", "alert", self.write(f"{name}.xml", cap(name, place=region)))
        self.assertEqual(code, 0, out + error)
        self.alerts.append(name)

    def hold(self, what, low, high):
        """What was cut stays so for a while, and a city warns meanwhile."""
        seconds = self.chance.uniform(low, high)
        begun = time.monotonic()
        self.alert(self.chance.choice(self.REGIONS))
        self.net_says(f"{what}, {seconds:.1f} s")
        self.pause_until(begun + seconds)
        self.net.heal()
        self.pause_until(time.monotonic() + self.chance.uniform(0.2, 1.5))
        for publisher in self.publishers:
            self.assertIsNone(publisher.child.poll(), "an agent ended")

    def pause_until(self, then):
        while time.monotonic() < then:
            time.sleep(0.02)

    def net_says(self, text):
        print(f"{text}; {sum(len(p.acknowledged) for p in self.publishers)} acknowledged", flush=True)

    def entities(self, region, kind):
        code, out, error = self.cluster.lianxi(region, "operator", "follow", "--kind", kind, "--from", "beginning", "--until", "now", "--json",
                                               seconds=120)
        self.assertEqual(code, 0, error)
        return [json.loads(line)["body"] for line in out.splitlines()]

    def test_whatever_is_cut_nothing_is_lost_and_all_agree_soon_after(self):
        print(f"seed {SEED}", flush=True)

        def record(region):
            return lambda name: {"LDBH": name, "BGLX": "1", "BJSJ": "20261109083105", "BJLXMC": "试", "BJNR": "x" * 200, "XZQHDM": region}
        self.publishers = [Publisher(self, region, "police", record(region), PAUSE) for region in self.REGIONS]
        for publisher in self.publishers:
            self.addCleanup(publisher.kill)
        wait_until(lambda: all(p.acknowledged for p in self.publishers), PATIENCE, "all four publish")
        for one, other in itertools.combinations(self.REGIONS, 2):
            self.net.cut(one, other)
            self.hold(f"{one} and {other} are cut", 0.5, 3)
        for one, other in self.chance.sample(list(itertools.permutations(self.REGIONS, 2)), 2):
            self.net.cut(one, other, both=False)
            self.hold(f"nothing comes from {one} to {other}", 1, 4)
        for city in self.REGIONS:
            self.net.cut_off(city)
            self.hold(f"{city} is cut off", 1, 5)
        self.net.cut_off(self.REGIONS[0])
        self.hold(f"{self.REGIONS[0]} is cut off for long", 9, 12)
        for one, other in itertools.combinations(self.REGIONS, 2):
            self.net.cut(one, other)
        self.pause_until(time.monotonic() + self.chance.uniform(1, 6))
        self.alert(self.REGIONS[-1])
        for publisher in self.publishers:
            self.assertEqual(publisher.finish(), 0)
        self.net_says("all are alone, and end")
        self.assertNotEqual(self.cluster.digests_agree(), True, "a cut that cuts nothing")
        self.net.heal()
        self.agree()
        self.check()

    def agree(self):
        healed = time.monotonic()
        seen = []

        def equal():
            seen.append(f"{time.monotonic() - healed:5.2f} s  " + "; ".join(self.standing(region) for region in self.REGIONS))
            return self.cluster.digests_agree()
        try:
            wait_until(equal, PATIENCE, "equal digests at equal vectors")
            took = time.monotonic() - healed
            self.assertLess(took, WITHIN)
        except BaseException:
            print("\n".join(seen), flush=True)
            raise
        print(f"digests are equal {took:.2f} s after the last line healed; {self.net.carried} frames carried, {self.net.lost} lost, "
              f"{self.net.dropped} cut", flush=True)

    def standing(self, region):
        """How many events of each city a node has, and which links do not follow."""
        status = self.cluster.status(region)
        if not status:
            return f"{region} says nothing"
        held = {home: sum(feed["seq"] for feed in status["feeds"] if feed["region"] == home) for home in self.REGIONS}
        away = [f"{link['region']}/{link['lanes']} {link['state']} ({link['reason']})" for link in status["links"] if link["state"] != "following"]
        return f"{region}: {' '.join(map(str, held.values()))} {', '.join(away)}"

    def check(self):
        acknowledged = []
        for publisher in self.publishers:
            self.assertEqual(publisher.refused, [])
            self.assertEqual(len(publisher.acknowledged), publisher.written)
            acknowledged += publisher.acknowledged
        for region in self.REGIONS:
            held = [body["entity"] for body in self.entities(region, "incident")]
            self.assertEqual(sorted(set(acknowledged) - set(held)), [], f"acknowledged and not at {region}")
            self.assertEqual(len(held), len(set(held)), f"an event is twice at {region}")
            self.assertEqual(len(held), len(acknowledged))
            self.assertEqual(sorted(body["identifier"] for body in self.entities(region, "alert")), sorted(self.alerts))


if __name__ == "__main__":
    if wide_net.MARK in os.environ:
        unittest.main(verbosity=2)
    elif (reason := wide_net.why_not()) is not None:
        print(f"skipped: {reason}", flush=True)
    else:
        sys.exit(wide_net.in_own_network([*sys.orig_argv[1:]]))
