"""An operator lets old events go: what counts no more leaves every city's lists, what still counts stays, and both cities agree."""
import datetime
import json
import subprocess
import unittest

from support import BIN, PATIENCE, ClusterTest, wait_until

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


if __name__ == "__main__":
    unittest.main()
