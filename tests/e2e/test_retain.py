"""An operator lets old events go: what counts no more leaves every city's lists, what still counts stays, and both cities agree."""
import datetime
import json
import subprocess
import unittest

from support import BIN, PATIENCE, Cluster, ClusterTest, wait_until

TOMORROW = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2)).strftime("%Y-%m-%d")
HERE, THERE = "330800", "341000"


def report(case, state, text="x", region=HERE):
    return json.dumps({"kind": "incident", "entity": f"{region}:incident:{case}", "status": "Actual", "place": "330803", "agency": "police",
                       "level": "orange", "audience": "conference", "occurred_at": "2020-11-09T08:31:05+08:00", "case_reference": case,
                       "report_type": "first", "class": "accident", "state": state, "title": case, "text": text})


class Retain(ClusterTest):
    REGIONS = [HERE, THERE]

    def publish(self, text, agent="police"):
        return self.cluster.ask(HERE, "publish", "incident", self.write("report.json", text), agent=agent)

    def retain(self, *arguments, agent="operator"):
        command = [BIN / "lianxi", "--profile", self.cluster.profile(HERE, agent), "retain", "--before", TOMORROW, *arguments, "--json"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, json.loads(done.stdout)

    def agree(self):
        wait_until(lambda: self.cluster.views_stand() and self.cluster.digests_agree(), PATIENCE, "both cities have equal views")

    def incidents(self, region):
        return sorted(row["id"].split(":")[2] for row in self.cluster.ask(region, "incidents"))

    def alarms(self):
        return [line for log in (self.folder / "logs").glob("*.log") for line in log.read_text(errors="replace").splitlines()
                if "retention_digest" in line]

    def test_1_closed_incidents_go_and_open_ones_stay(self):
        self.publish(report("old", "reported"))
        self.publish(report("old", "closed"))
        first_open = self.publish(report("open", "responding"))
        self.publish(report("late", "closed"))
        self.agree()
        code, plan = self.retain("--dry-run")
        self.assertEqual(code, 0, plan)
        self.assertEqual((plan["through"], plan["asked_through"]), (first_open["seq"] - 1, first_open["seq"] + 1))
        self.assertEqual((plan["events"], plan["reports"], plan["incidents"]), (2, 2, 1))
        self.assertEqual(plan["held_by"], [f"{HERE}:incident:open"])
        self.assertEqual(self.incidents(HERE), ["late", "old", "open"], "nothing was published")
        code, done = self.retain()
        self.assertEqual(code, 0, done)
        self.assertEqual(done["receipt"]["seq"], first_open["seq"] + 2)
        self.agree()
        for region in self.REGIONS:
            self.assertEqual(self.incidents(region), ["late", "open"])
        code, again = self.retain("--dry-run")
        self.assertEqual((code, again["through"]), (0, 0), "what is left is held")
        self.assertEqual(self.alarms(), [])

    def test_2_resources_are_stated_again_and_stay_as_they_are(self):
        table = "id,type,name,quantity,unit\n" + "".join(f"r-{i},supply,物资{i},{i}.5,箱\n" for i in range(1, 8))
        self.cluster.ask(HERE, "import", "resources", self.write("r.csv", table))
        self.agree()
        before = [{**row, "updated_at": 0} for row in self.cluster.ask(THERE, "resources")]
        self.assertEqual(len(before), 7)
        code, done = self.retain("--lane", "bulk")
        self.assertEqual(code, 0, done)
        self.assertEqual((done["restated"], done["events"], done["to_restate"]), (7, 7, 0))
        self.agree()
        self.assertEqual([{**row, "updated_at": 0} for row in self.cluster.ask(THERE, "resources")], before)
        self.assertEqual(self.alarms(), [])

    def test_3_only_an_operator_may(self):
        for agent in ("police", "emergency"):
            code, out = self.retain("--dry-run", agent=agent)
            self.assertEqual((code, out["error"]["code"]), (1, "not_allowed"))

    def test_4_a_view_made_anew_is_the_same(self):
        self.agree()
        before = self.cluster.status(HERE)["digests"]
        broker = self.cluster.broker(HERE)
        broker.kill()
        done = subprocess.run([str(BIN / "lianxi-broker"), "--config", str(self.cluster.config_file(HERE)), "--rebuild-view"],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.cluster.start_broker(HERE)
        self.cluster.wait_up(HERE)
        self.assertEqual({name: row["digest"] for name, row in self.cluster.status(HERE)["digests"].items()},
                         {name: row["digest"] for name, row in before.items()})
        self.assertEqual(self.incidents(HERE), ["late", "open"])


class JoinsLater(ClusterTest):
    """Three cities, of which one lets go of old reports; the fourth begins with an empty disk and is sent what is behind."""
    REGIONS = [HERE, THERE, "350700", "361100"]
    LATE, OLD, NEW = "361100", 20, 3

    @classmethod
    def make_cluster(cls):
        cluster = Cluster(cls.folder, BIN, cls.REGIONS)
        cluster.wait_linked = lambda: None  # one of them is not there yet
        return cluster

    @classmethod
    def start_brokers(cls):
        cls.everybody, cls.REGIONS = cls.REGIONS, cls.REGIONS[:-1]
        super().start_brokers()

    def publish(self, name, state):
        code, out, error = self.cluster.lianxi(HERE, "police", "publish", "incident", self.write("report.json", report(name, state)), "--json")
        self.assertEqual(code, 0, out + error)
        return json.loads(out)

    def feed(self, region):
        status = self.cluster.status(region) or {"feeds": []}
        rows = [row for row in status["feeds"] if (row["region"], row["lane"], row["audience"]) == (HERE, "normal", "conference")]
        return rows[0] if rows else {"seq": 0}

    def link(self, region):
        links = self.cluster.ask(region, "links") or []
        return next((row for row in links if (row["region"], row["lanes"]) == (HERE, "normal")), {"received_events": 0})

    def digests(self):
        rows = [(self.cluster.status(region) or {"digests": {}})["digests"].get("conference") for region in self.everybody]
        return rows if all(rows) else []

    def verify(self, region):
        command = [BIN / "lianxi-broker", "verify", self.cluster.node_folder(region) / "journal", "--members", self.cluster.members_file(region), "--json"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, json.loads(done.stdout)

    def explained(self, sequence):
        answer = self.cluster.ask(HERE, "explain", f"{HERE}/1/normal/conference/{sequence}")
        return {row["region"]: row["holding"] for row in answer["receivers"]}

    def test_it_is_sent_what_still_counts_and_ends_with_the_same_view(self):
        for number in range(self.OLD):
            self.publish(f"old-{number}", "closed")
        def retained():  # busy while the view is behind the journal
            code, out, error = self.cluster.lianxi(HERE, "operator", "retain", "--before", TOMORROW, "--json")
            busy = code == 1 and json.loads(out)["error"]["code"] == "busy"
            self.assertTrue(code == 0 or busy, out + error)
            return None if busy else json.loads(out)
        self.assertEqual(wait_until(retained, PATIENCE, "the view has what is to go")["events"], self.OLD)
        for number in range(self.NEW):
            last = self.publish(f"new-{number}", "responding")
        for region in self.REGIONS:
            wait_until(lambda: self.feed(region)["seq"] == last["seq"], PATIENCE, f"{region} holds all")
        self.cluster.start_broker(self.LATE)
        self.cluster.wait_up(self.LATE)
        wait_until(lambda: self.feed(self.LATE)["seq"] == last["seq"], PATIENCE, "the joiner holds what still counts")
        wait_until(lambda: len({json.dumps(row, sort_keys=True) for row in self.digests()}) == 1, PATIENCE, "all four have equal views")

        self.assertEqual(self.feed(self.LATE)["begins"], self.OLD + 1)
        self.assertNotIn("begins", self.feed(THERE))
        self.assertEqual(self.link(self.LATE)["received_events"], self.NEW + 1, "the retention, and what is behind")
        self.assertEqual(self.link(THERE)["received_events"], self.OLD + self.NEW + 1)
        names = sorted(row["id"] for row in self.cluster.ask(self.LATE, "incidents"))
        self.assertEqual(names, sorted(row["id"] for row in self.cluster.ask(THERE, "incidents")))
        self.assertEqual(len(names), self.NEW)

        # What it knows it keeps over a restart, and goes on from there.
        self.cluster.broker(self.LATE).kill()
        self.cluster.start_broker(self.LATE)
        self.cluster.wait_up(self.LATE)
        last = self.publish("after", "responding")
        wait_until(lambda: self.feed(self.LATE)["seq"] == last["seq"], PATIENCE, "the joiner goes on")
        self.assertEqual(self.feed(self.LATE)["begins"], self.OLD + 1)
        wait_until(lambda: self.explained(last["seq"])[self.LATE] == "holds", PATIENCE, "its home knows it")
        self.assertEqual(self.explained(3)[self.LATE], "outside", "of what is before, too")
        self.assertEqual(self.explained(3)[THERE], "holds")

        code, proof = self.verify(self.LATE)
        self.assertEqual((code, proof["findings"]), (0, []))
        self.assertEqual([line.split(": ", 1)[1] for line in proof["beginnings"]],
                         [f"{HERE}/1/normal/conference begins at sequence {self.OLD + 1} by the retention at sequence {self.OLD + 1}"])
        logs = "".join(path.read_text(errors="replace") for path in (self.folder / "logs").glob("*.log"))
        for alarm in ("retention_digest", "feed_broken", "feed_forked"):
            self.assertNotIn(alarm, logs)


if __name__ == "__main__":
    unittest.main()
