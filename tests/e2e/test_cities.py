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


    def links(self, region):
        return self.cluster.ask(region, "links") or []

    def in_step(self, region):
        links = self.links(region)
        return len(links) == 9 and all(link["state"] == "following" and link["lag_events"] == 0 and link["behind_ms"] == 0
                                       and link["round_trip_ms"] is not None and link["clock_ahead_ms"] is not None for link in links)

    def test_the_links_tell_who_is_in_step_and_who_is_cut_off(self):
        for region in self.REGIONS:
            wait_until(lambda: self.in_step(region), PATIENCE, f"{region} in step with its peers on every lane")
        self.publish("330800", "L-1")
        wait_until(lambda: all(self.in_step(region) for region in self.REGIONS), PATIENCE, "all in step behind an alert")
        for link in self.links("361100"):
            self.assertLessEqual(link["delivered_events"], link["received_events"] * 1.1, link)
        code, out, error = self.cluster.lianxi("361100", "operator", "links", "--lang", "en")
        self.assertEqual(code, 0, error)
        self.assertEqual(out.count("in step"), 10, out)
        self.assertIn("links: 9 of 9 linked, 9 in step", out)
        code, out, error = self.cluster.lianxi("361100", "operator", "status", "--lang", "zh")
        self.assertIn("链路:9/9 已连接,9 同步", out + error)

        self.cluster.broker("341000").kill()
        try:
            wait_until(lambda: {link["state"] == "following" for link in self.links("361100") if link["region"] == "341000"} == {False},
                       PATIENCE, "the links to the node that was killed are told as cut")
            wait_until(lambda: {link["detour"] for link in self.links("361100") if link["region"] == "341000"} <= {"330800", "350700"},
                       PATIENCE, "another city is asked")
            code, out, error = self.cluster.lianxi("361100", "operator", "links", "--lang", "en")
            self.assertEqual(code, 0, error)
            self.assertRegex(out, r"341000 +flash +(CUT|connecting)")
            self.assertRegex(out, r"comes through (330800|350700)")
            self.assertIn("links: 6 of 9 linked", out)
        finally:
            self.cluster.start_broker("341000")
            self.cluster.wait_up("341000")
        wait_until(lambda: self.in_step("361100"), PATIENCE, "in step again")


if __name__ == "__main__":
    unittest.main()
