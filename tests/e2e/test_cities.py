"""Four cities: every node ends up with the same alerts and the same view."""
import json
import unittest

from support import PATIENCE, REGIONS, ClusterTest, cap, wait_until


class Cities(ClusterTest):
    REGIONS = list(REGIONS)

    def publish(self, region, identifier, **more):
        path = self.write(f"{identifier}.xml", cap(identifier, place=region, **more))
        code, out, error = self.cluster.lianxi(region, "emergency", "publish", "alert", path)
        self.assertEqual(code, 0, out + error)

    def keys(self, region):
        return {(e["region"], e["epoch"], e["lane"], e["audience"], e["seq"]) for e in self.cluster.alerts_until_now(region)}

    def same_alerts(self, count):
        sets = [self.keys(region) for region in self.REGIONS]
        return all(keys == sets[0] for keys in sets) and len(sets[0]) == count

    def test_four_cities_agree_also_after_one_was_away(self):
        for region in self.REGIONS:
            for number in range(3):
                self.publish(region, f"A-{region}-{number}", status="Exercise" if number == 2 else "Actual")
        wait_until(lambda: self.same_alerts(12), PATIENCE, "the same twelve alerts on four nodes")
        wait_until(self.cluster.digests_agree, PATIENCE, "equal digests at equal vectors")

        self.cluster.broker("341000").kill()
        for region in ("330800", "350700", "361100"):
            self.publish(region, f"B-{region}")
        self.cluster.start_broker("341000")
        self.cluster.wait_up("341000")
        wait_until(lambda: self.same_alerts(15), PATIENCE, "the same fifteen alerts on four nodes")
        wait_until(self.cluster.digests_agree, PATIENCE, "equal digests at equal vectors")

        # Drills are held by all and shown by none.
        for region in self.REGIONS:
            shown = self.cluster.ask(region, "alerts")
            self.assertEqual(len(shown), 11)
            self.assertEqual({row["status"] for row in shown}, {"Actual"})
            self.assertEqual(len({json.dumps(row["id"]) for row in shown}), 11)


if __name__ == "__main__":
    unittest.main()
