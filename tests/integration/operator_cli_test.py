"""Every command of `lianxi`, and `lianxi-node`, against a running node."""
import json
import pathlib
import signal
import sqlite3
import stat
import subprocess
import unittest

from operator_kit import OperatorTest
from support import BIN, PATIENCE, cap

REPORT = {"kind": "incident", "entity": "330800:incident:2020-1109-01", "status": "Actual", "place": "330803", "agency": "police",
          "level": "orange", "audience": "conference", "occurred_at": "2020-11-09T08:31:05+08:00", "case_reference": "2020-1109-01",
          "report_type": "first", "class": "accident", "state": "reported", "title": "氟硅厂火灾", "text": "多人报警", "trapped": 3}
CAP = pathlib.Path(__file__).resolve().parent.parent / "data" / "cap"


class Operator(OperatorTest):
    def publish_report(self, text):
        return self.ask("publish", "incident", self.write("report.json", json.dumps({**REPORT, "text": text})), agent="police")

    def test_status_names_the_cursor_that_follow_takes(self):
        text = self.good("status")
        cursor = next(line.split()[1] for line in text.splitlines() if line.startswith("cursor"))
        self.publish_report("由游标可见")
        seen = self.lines("--from", cursor, "--until", "now")
        self.assertGreaterEqual(len(seen), 1)
        self.assertIn("节点 330800", self.good("status", "--lang", "zh"))

    def test_an_incident_has_each_agencys_words(self):
        receipt = self.publish_report("浓烟")
        self.assertEqual((receipt["lane"], receipt["audience"]), ("normal", "conference"))
        self.offset_in_view(receipt)
        incident = next(i for i in self.ask("incidents") if i["id"] == REPORT["entity"])
        self.assertIn("浓烟", [report["text"] for report in incident["reports"]])
        self.assertIn("氟硅厂火灾", self.good("incidents", "--lang", "zh"))

    def test_a_drill_is_loud_and_never_in_the_default_list(self):
        drill = self.write("drill.cap", cap("drill-1", "Exercise"))
        self.assertIn("EXERCISE", self.good("publish", "alert", drill))
        real = self.ask("publish", "alert", self.write("real.cap", cap("real-1")))
        self.offset_in_view(real)
        listed = [alert["id"] for alert in self.ask("alerts")]
        self.assertTrue(any("real-1" in name for name in listed))
        self.assertFalse(any("drill-1" in name for name in listed))
        self.assertNotIn("演练", self.good("alerts", "--lang", "zh"))
        self.assertIn("【演练】", self.good("alerts", "--all", "--lang", "zh"))

    def test_a_drill_is_never_a_resource_or_an_incident_of_the_lists(self):
        head = "id,type,name\n"
        drill = self.ask("import", "resources", self.write("drill.csv", head + "drill-team,team,演练队\n"), "--status", "Exercise")
        self.offset_in_view(drill)
        self.assertNotIn("演练队", [row["name"] for row in self.ask("resources")])
        report = {**REPORT, "entity": "330800:incident:drill-7", "case_reference": "drill-7", "status": "Exercise"}
        drill = self.ask("publish", "incident", self.write("drill.json", json.dumps(report)), agent="police")
        self.offset_in_view(drill)
        self.assertNotIn(report["entity"], [row["id"] for row in self.ask("incidents")])

    def test_a_cut_list_says_so_and_its_json_stays_an_array(self):
        self.ask("import", "resources", self.write("cut.csv", "id,type,name\ncut-1,site,甲\ncut-2,site,乙\n"))
        for number in ("1", "2"):
            self.ask("publish", "alert", self.write("cut.cap", cap(f"cut-{number}")))
            report = {**REPORT, "entity": f"330800:incident:cut-{number}", "case_reference": f"cut-{number}"}
            last = self.ask("publish", "incident", self.write("cut.json", json.dumps(report)), agent="police")
        self.offset_in_view(last)
        for command in ("resources", "alerts", "incidents"):
            for json_too in ([], ["--json"]):
                code, out, err = self.lianxi(command, "--limit", "1", *json_too)
                self.assertEqual(code, 0, err)
                self.assertIn("there are more than these 1", err)
                self.assertIn("10000", err)
            self.assertEqual(len(json.loads(out)), 1)
            self.assertIn("还有更多", self.lianxi(command, "--limit", "1", "--json", "--lang", "zh")[2])
            self.assertEqual(self.lianxi(command, "--json")[2], "")

    def test_follow_ends_where_it_is_told(self):
        self.publish_report("a")
        self.publish_report("b")
        everything = self.lines("--from", "beginning", "--until", "now")
        self.assertEqual([e["offset"] for e in everything], sorted(e["offset"] for e in everything))
        self.assertEqual(len(self.lines("--from", "beginning", "--count", "1")), 1)
        self.assertTrue(all(e["kind"] == "incident" for e in self.lines("--from", "beginning", "--until", "now", "--kind", "incident")))
        self.assertEqual(self.lines("--from", "beginning", "--until", "now", "--place", "35"), [])
        self.assertEqual(self.lines("--until", "now"), [])
        code, _, err = self.lianxi("follow", "--from", "beginning", "--until", "now", "--json")
        self.assertEqual(code, 0)
        self.assertRegex(err, r"330800:\d+:\d+")

    def test_a_named_cursor_goes_on_where_the_last_follow_ended(self):
        for text in ("甲", "乙", "丙"):
            self.publish_report(text)
        everything = [e["offset"] for e in self.lines("--from", "beginning", "--until", "now")]
        named = ("--cursor", "desk", "--until", "now")
        first = [e["offset"] for e in self.lines("--cursor", "desk", "--count", "1")]
        rest = [e["offset"] for e in self.lines(*named)]
        self.assertEqual(first + rest, everything)
        self.assertEqual(self.lines(*named), [])
        self.publish_report("丁")
        self.assertEqual([e["body"]["text"] for e in self.lines(*named)], ["丁"])
        self.assertEqual([e["offset"] for e in self.lines(*named, "--from", "beginning")][:3], everything[:3])
        self.assertEqual(self.lines("--cursor", "wall", "--until", "now", "--count", "1")[0]["offset"], everything[0])

    def test_a_follow_may_be_of_an_area(self):
        here = {**REPORT, "text": "在园区", "lon": 118.958, "lat": 28.973}
        self.ask("publish", "incident", self.write("here.json", json.dumps(here)), agent="police")
        def texts(*area):
            return [e["body"]["text"] for e in self.lines("--from", "beginning", "--until", "now", "--kind", "incident", *area)]
        self.assertEqual(texts("--area", "118.95,28.97,2"), ["在园区"])
        self.assertEqual(texts("--area", "118.95,28.97,0.5"), [])
        self.assertEqual(texts("--polygon", "118.9,28.9 119.0,28.9 119.0,29.0 118.9,29.0"), ["在园区"])
        self.assertEqual(texts("--polygon", self.write("ring.txt", "118.9,28.9\n119.0,28.9\n118.9,28.96\n")), [])

    def test_follow_stays_live_and_ends_on_a_signal_with_its_cursor(self):
        command = [str(BIN / "lianxi"), "--profile", str(self.cluster.profile("330800", "operator")), "follow", "--from", "beginning", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
            self.publish_report("live")
            while json.loads(child.stdout.readline())["body"].get("text") != "live":
                pass
            child.send_signal(signal.SIGINT)
            self.assertRegex(child.stderr.read(), r"330800:\d+:\d+")
            self.assertEqual(child.wait(PATIENCE), 0)

    def test_an_import_is_whole_or_nothing(self):
        head = "id,type,name,owner,place,lon,lat,datum,capabilities,state,quantity,unit\n"
        row = "t{0},team,危化队{0},应急局,330803,118.95{0},28.97,CGCS2000,hazmat;foam,available,24,人\n"
        bad = self.write("bad.csv", head + row.format(1) + "t2,tank,x,,330803,,,,,,,\n")
        self.assertIn("row", self.refused("csv_row", "import", "resources", bad)["field"])
        self.assertFalse(any(e["body"]["entity"].endswith(":t1") for e in self.lines("--from", "beginning", "--until", "now", "--kind", "resource")))
        self.assertIn("no rows", self.refused("csv_row", "import", "resources", self.write("empty.csv", head))["reason"])
        self.assertIn("没有数据行", self.lianxi("import", "resources", self.write("empty.csv", head), "--lang", "zh")[2])
        done = self.ask("import", "resources", self.write("good.csv", head + row.format(1) + row.format(2)))
        self.assertEqual(done["imported"], 2)
        self.offset_in_view(done)
        found = self.ask("resources", "--near", "118.958,28.973", "--within", "50km", "--kind", "team", "--capability", "hazmat", "--available")
        self.assertEqual([r["name"] for r in found], ["危化队2", "危化队1"])
        self.assertLess(found[0]["distance_m"], 1_000)
        self.assertIn("危化队1", self.good("resources", "--place", "330803"))
        self.assertEqual(self.ask("resources", "--near", "118.958,28.973", "--within", "1m"), [])
        self.assertIn("no longer given out, use 330881", self.lianxi("resources", "--place", "330823", "--json")[2])
        self.assertIn("hazmat", self.lianxi("resources", "--capability", "chemical")[2])
        self.assertEqual(self.lianxi("resources", "--capability", "hazmat")[2], "")

    def test_refusals_say_why_and_exit_with_1(self):
        self.refused("not_allowed", "publish", "alert", self.write("police.cap", cap("police-1")), agent="police")
        self.refused("cap_rule", "publish", "alert", CAP / "invalid.cap")
        self.refused("invalid_field", "publish", "incident", self.write("typo.json", json.dumps({**REPORT, "titel": "x"})), agent="police")
        self.refused("cursor_unknown", "follow", "--from", "330800:1:1")
        self.refused("not_found", "publish", "alert", "/nonexistent.cap")
        self.refused("config", "status", profile=self.write("bad.toml", "[node]\n"))
        code, out, err = self.lianxi("publish", "alert", CAP / "invalid.cap", "--lang", "zh")
        self.assertEqual((code, out), (1, ""))
        self.assertIn("被拒绝:不符合 CAP 规范 cap_rule", err)

    def test_a_strangers_key_is_refused(self):
        keys = self.folder / "stranger"
        keys.mkdir()
        self.good("keys", "new", "330800.police.stranger", "--out", keys, profile=None)
        profile = self.cluster.profile("330800", "police").read_text()
        curve = (keys / "330800.police.stranger.secret.toml").read_text().split("[curve]")[1]
        stranger = self.write("stranger.toml", profile.split("[agent]")[0] + '[agent]\nid = "330800.police.stranger"\n' + curve)
        self.refused("unknown_key", "status", profile=stranger)
        self.refused("unknown_key", "follow", profile=stranger)
        self.refused("unknown_key", "publish", "incident", self.write("stranger.json", json.dumps(REPORT)), profile=stranger)

    def test_usage_exits_with_2_and_an_absent_node_with_3(self):
        self.assertEqual(self.lianxi("resources", "--near", "28.973,118.958")[0], 2)
        self.assertEqual(self.lianxi("nonsense")[0], 2)
        self.assertIn("用法错误: 没有命令", self.lianxi("nonsense", "--lang", "zh")[2])
        self.assertEqual(self.lianxi("status", profile=None)[0], 2)
        self.assertEqual(self.lianxi("status", profile=None, env={"LIANXI_PROFILE": str(self.cluster.profile("330800", "operator"))})[0], 0)
        profile = self.cluster.profile("330800", "operator").read_text().replace("tcp://127.0.0.1:", "tcp://127.0.0.2:")
        nowhere = self.write("nowhere.toml", profile)
        for command in (["status"], ["follow"], ["publish", "incident", self.write("nowhere.json", json.dumps({**REPORT, "agency": "emergency"}))]):
            self.refused("unreachable", *command, "--timeout", "300ms", status=3, profile=nowhere)

    def test_keys_are_private_and_never_overwritten(self):
        folder = self.folder / "keys"
        folder.mkdir()
        self.good("keys", "new", "330800.fire.x", "--out", folder, profile=None)
        secret = folder / "330800.fire.x.secret.toml"
        self.assertEqual(stat.S_IMODE(secret.stat().st_mode), 0o600)
        before = secret.read_bytes()
        self.assertEqual(self.lianxi("keys", "new", "330800.fire.x", "--out", folder, profile=None)[0], 1)
        self.assertEqual(secret.read_bytes(), before)

    def test_many_short_publishers_of_one_agent_do_not_use_up_its_sessions(self):
        for i in range(20):
            self.publish_report(f"第 {i} 次")

    def test_a_conference_node_keeps_one_receipt_of_each_alert(self):
        data = self.folder / "receipts"
        command = [str(BIN / "lianxi-node"), "--profile", str(self.cluster.profile("330800", "node")), "--data", str(data), "--json"]
        for number in (1, 2):
            self.good("publish", "alert", self.write("node.cap", cap(f"node-{number}")))
            alerts = {e["body"]["entity"] for e in self.lines("--from", "beginning", "--until", "now", "--kind", "alert")}
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
                while f"node-{number}" not in child.stdout.readline():
                    pass
                child.send_signal(signal.SIGTERM)
                self.assertEqual(child.wait(PATIENCE), 0)
            with sqlite3.connect(data / "receipts.db") as db:
                kept = [row[0] for row in db.execute("SELECT entity FROM receipt")]
            self.assertLessEqual(alerts, set(kept))
            self.assertEqual(len(kept), len(set(kept)))


if __name__ == "__main__":
    unittest.main()
