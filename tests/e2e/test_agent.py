"""lianxi-agent against a real node: three agencies' files, a crash at any moment, a node that is away."""
import contextlib
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import unittest

from support import ROOT, ClusterTest
from cluster import AGENCIES, PATIENCE, wait_until

REGION = "330800"
ADAPTER = ROOT / "agents" / "adapter"


class Agent(ClusterTest):
    def command(self, agency, *options):
        return [self.cluster.bin / "lianxi-agent", "--profile", self.cluster.profile(REGION, agency), "--mapping",
                ADAPTER / agency / "mapping.toml", "--outbox", self.cluster.agent_folder(REGION, agency) / "outbox.db", *options]

    def run_agent(self, agency, *options, lines=None):
        return subprocess.run([str(part) for part in self.command(agency, *options)], capture_output=True, text=True, timeout=PATIENCE, input=lines)

    def spool(self, agency):
        folder = self.cluster.spool(REGION, agency)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def drop(self, agency, name, text):
        """As an agency's system should: written under another name, then renamed."""
        (self.spool(agency) / f".{name}").write_text(text, encoding="utf-8")
        (self.spool(agency) / f".{name}").rename(self.spool(agency) / name)

    def reports(self, entity):
        code, out, error = self.cluster.lianxi(REGION, "operator", "follow", "--kind", "incident", "--from", "beginning", "--until", "now", "--json")
        self.assertEqual(code, 0, error)
        bodies = [json.loads(line)["body"] for line in out.splitlines()]
        return [body for body in bodies if body["entity"] == entity]

    def promised(self, agency):
        """How many events an agency's outbox has taken."""
        path = self.cluster.agent_folder(REGION, agency) / "outbox.db"
        try:
            with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as outbox:
                return outbox.execute("SELECT count(*) FROM once_key").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # not made yet

    def police_lines(self, case, count):
        report = json.loads((ADAPTER / "police" / "samples" / "110.jsonl").read_text().splitlines()[0])
        return "".join(json.dumps({**report, "LDBH": case, "JJDBH": f"{case}-{i}"}, ensure_ascii=False) + "\n" for i in range(count))

    def test_the_samples_of_three_agencies_make_one_incident(self):
        for agency in AGENCIES:
            for sample in sorted((ADAPTER / agency / "samples").iterdir()):
                shutil.copy(sample, self.spool(agency))
            done = self.run_agent(agency, "--spool", self.spool(agency), "--once", "--settle-ms", "0")
            self.assertEqual(done.returncode, 0, done.stderr)
            for sample in (ADAPTER / agency / "samples").iterdir():
                receipts = (self.spool(agency) / "done" / f"{sample.name}.receipt.jsonl").read_text().splitlines()
                self.assertTrue(all(json.loads(line)["offset"] > 0 for line in receipts) and receipts, sample)

        def incident():
            found = [i for i in self.cluster.ask(REGION, "incidents") if i["id"].endswith("QZ20201109-0001")]
            return found and len(found[0]["reports"]) == 5 and found[0]
        shown = wait_until(incident, PATIENCE, "five reports on the incident")
        self.assertEqual({report["agency"] for report in shown["reports"]}, set(AGENCIES))
        self.assertIn({"name": "出动车辆", "value": "6"}, [field for report in shown["reports"] for field in report["fields"]])

    def test_killed_again_and_again_it_doubles_and_loses_nothing(self):
        count = 2000
        self.drop("police", "kill.jsonl", self.police_lines("KILL", count))
        chance = random.Random(20201109)
        watching = [str(part) for part in self.command("police", "--spool", self.spool("police"), "--settle-ms", "0")]
        # First in the middle of storing, while the node answers nothing: so fast is no machine that it ends before.
        before = self.promised("police")
        broker = self.cluster.broker(REGION)
        broker.signal(signal.SIGSTOP)
        self.addCleanup(broker.signal, signal.SIGCONT)
        agent = subprocess.Popen(watching, stderr=subprocess.DEVNULL)
        self.addCleanup(agent.kill)
        wait_until(lambda: self.promised("police") > before, PATIENCE, "the outbox grows")
        self.assertIsNone(agent.poll())
        agent.kill()
        agent.wait()
        broker.signal(signal.SIGCONT)
        kills = 1
        while kills < 20:
            agent = subprocess.Popen([*watching, "--once"], stderr=subprocess.DEVNULL)
            try:
                agent.wait(chance.uniform(0.05, 0.6))
                break
            except subprocess.TimeoutExpired:
                agent.kill()
                agent.wait()
                kills += 1
        done = self.run_agent("police", "--spool", self.spool("police"), "--once", "--settle-ms", "0")
        self.assertEqual(done.returncode, 0, done.stderr)
        receipts = (self.spool("police") / "done" / "kill.jsonl.receipt.jsonl").read_text().splitlines()
        self.assertEqual(len({json.loads(line)["offset"] for line in receipts}), count)
        references = [report["own_reference"] for report in self.reports("330800:incident:KILL")]
        self.assertEqual((len(references), len(set(references))), (count, count))

    def test_bad_records_come_back_alone_and_a_broken_warning_as_a_whole(self):
        good = self.police_lines("PART", 2)
        self.drop("police", "part.jsonl", good + good.splitlines()[0].replace('"BJSJ": "', '"BJSJ": "x') + "\n")
        self.assertEqual(self.run_agent("police", "--spool", self.spool("police"), "--once").returncode, 1)
        reason = json.loads((self.spool("police") / "refused" / "part.jsonl.reason.json").read_text())
        self.assertEqual((reason["accepted"], reason["refused"], reason["errors"][0]["line"]), (2, 1, 3))
        self.assertEqual(reason["errors"][0]["error"]["field"], "BJSJ")
        self.assertEqual(len((self.spool("police") / "refused" / "part.jsonl").read_text().splitlines()), 1)

        shutil.copy(ROOT / "tests" / "data" / "cap" / "invalid.cap", self.spool("emergency"))
        self.assertEqual(self.run_agent("emergency", "--spool", self.spool("emergency"), "--once").returncode, 1)
        reason = json.loads((self.spool("emergency") / "refused" / "invalid.cap.reason.json").read_text())
        self.assertEqual(reason["errors"][0]["error"]["code"], "cap_rule")

    def test_what_the_node_refuses_has_its_reason_too(self):
        mapping = self.write("wrong.toml", (ADAPTER / "police" / "mapping.toml").read_text().replace('agency = "police"', 'agency = "fire"'))
        command = [str(part) for part in self.command("police", "--stdin")]
        command[command.index("--mapping") + 1] = str(mapping)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, input=self.police_lines("WRONG", 1))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "not_allowed")

    def test_a_stopped_agent_goes_on_where_it_was_when_the_node_is_back(self):
        self.cluster.broker(REGION).kill()
        self.addCleanup(lambda: self.cluster.broker(REGION).alive() or (self.cluster.start_broker(REGION), self.cluster.wait_up(REGION)))
        self.assertEqual(self.run_agent("fire", "--spool", self.spool("fire"), "--once", "--wait", "1").returncode, 3)
        sample = (ADAPTER / "fire" / "samples" / "119.csv").read_text(encoding="utf-8").replace("QZ20201109-0001", "AWAY")
        self.drop("fire", "away.csv", sample)
        agent = self.cluster.start(f"{REGION}.fire", self.command("fire", "--spool", self.spool("fire")))

        wait_until(lambda: self.promised("fire") == 2, PATIENCE, "both reports are in the outbox")
        agent.signal(signal.SIGTERM)
        self.assertEqual(agent.child.wait(PATIENCE), 0)
        self.assertTrue((self.spool("fire") / "away.csv").exists())
        self.cluster.start_broker(REGION)
        self.cluster.wait_up(REGION)
        done = self.run_agent("fire", "--spool", self.spool("fire"), "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.reports("330800:incident:AWAY")), 2)

    def test_a_mapping_with_a_mistake_is_named_and_nothing_starts(self):
        mapping = self.write("typo.toml", (ADAPTER / "police" / "mapping.toml").read_text().replace("case_reference", "case_referense"))
        command = [str(part) for part in self.command("police", "--stdin")]
        command[command.index("--mapping") + 1] = str(mapping)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, input="")
        self.assertEqual(done.returncode, 2)
        self.assertIn("typo.toml:", done.stderr)
        self.assertIn("case_referense", done.stderr)


if __name__ == "__main__":
    unittest.main()
