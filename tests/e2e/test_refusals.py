"""Bad input from outside: a typed refusal, the right exit status, counted, and no state changes."""
import json
import subprocess
import unittest
import urllib.request

from support import BIN, PATIENCE, ROOT, ClusterTest, cap, wait_until

REGION = "330800"


class Refusals(ClusterTest):
    def lianxi(self, agent, *arguments):
        code, out, error = self.cluster.lianxi(REGION, agent, *arguments, "--json")
        try:
            return code, json.loads(out or error)["error"]
        except (ValueError, KeyError, TypeError):
            return code, {"code": None, "said": out + error}

    def head(self):
        return [(feed["lane"], feed["seq"]) for feed in self.cluster.status(REGION)["feeds"]]

    def refused(self, code, agent, *arguments):
        before = self.head()
        status, error = self.lianxi(agent, *arguments)
        self.assertEqual((status, error["code"]), (1, code), error)
        self.assertTrue(error["reason"])
        self.assertEqual(self.head(), before)
        return error

    def test_publishing_outside_ones_rights(self):
        self.refused("not_allowed", "police", "publish", "alert", self.write("police.xml", cap("POLICE-1")))

    def test_a_cap_file_that_breaks_the_standard_names_the_rule(self):
        error = self.refused("cap_rule", "emergency", "publish", "alert", ROOT / "tests" / "data" / "cap" / "invalid.cap")
        self.assertIn("alert", error["reason"])

    def test_the_same_alert_with_other_content(self):
        self.assertEqual(self.lianxi("emergency", "publish", "alert", self.write("one.xml", cap("SAME-1")))[0], 0)
        self.refused("conflict", "emergency", "publish", "alert", self.write("two.xml", cap("SAME-1", headline="另一内容")))

    def test_a_csv_with_a_bad_row_imports_nothing(self):
        header = "id,type,name,place,lon,lat,datum,state,quantity,unit\n"
        rows = header + "a,team,甲队,330803,118.9,28.9,GCJ02,available,5,人\nb,team,乙队,330803,118.9,北纬,GCJ02,available,5,人\n"
        error = self.refused("csv_row", "operator", "import", "resources", self.write("bad.csv", rows))
        self.assertIn("3", error["field"])

    def test_what_is_refused_is_counted(self):
        url = f"http://127.0.0.1:{self.cluster.ports[REGION, 'metrics']}/metrics"

        def counted():
            text = urllib.request.urlopen(url, timeout=PATIENCE).read().decode()
            return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if "not_allowed" in line)
        before = counted()
        self.test_publishing_outside_ones_rights()
        wait_until(lambda: counted() > before, PATIENCE, "the refusal is counted")

    def test_usage_is_exit_status_2_and_an_unreachable_node_3(self):
        self.assertEqual(self.cluster.lianxi(REGION, "operator", "resources", "--within", "far")[0], 2)
        self.assertEqual(self.cluster.lianxi(REGION, "operator", "no-such-command")[0], 2)
        text = self.cluster.profile(REGION, "operator").read_text()
        for name in ("flash", "data", "follow", "query", "live"):
            text = text.replace(self.cluster.endpoint(REGION, name), "tcp://127.0.0.1:1")
        profile = self.write("nowhere.toml", text)
        done = subprocess.run([BIN / "lianxi", "--profile", profile, "alerts"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 3, done.stdout + done.stderr)

    def test_health_answers(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.cluster.ports[REGION, 'metrics']}/health", timeout=PATIENCE) as answer:
            self.assertEqual(answer.status, 200)

    def start_with(self, change, *arguments):
        path = self.cluster.node_folder(REGION) / "changed.toml"
        path.write_text(change(self.cluster.config_file(REGION).read_text()))
        return subprocess.run([BIN / "lianxi-broker", *arguments, path], capture_output=True, text=True, timeout=PATIENCE)

    def test_a_port_in_use_is_said_and_ends_the_start(self):
        done = self.start_with(lambda text: text.replace('data_dir = "."', 'data_dir = "second"'), "--config")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(str(self.cluster.ports[REGION, "flash"]), done.stdout + done.stderr)

    def test_a_typo_in_the_config_is_named_with_file_and_line(self):
        done = self.start_with(lambda text: text.replace("flash =", "flsh ="), "--check-config")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout + done.stderr, r"changed\.toml:\d+: .*flsh")
        good = subprocess.run([BIN / "lianxi-broker", "--check-config", self.cluster.config_file(REGION)], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(good.returncode, 0, good.stdout + good.stderr)

    def test_the_example_configuration_has_no_mistakes_but_missing_keys(self):
        for region in ("330800", "341000", "350700", "361100"):
            done = subprocess.run([BIN / "lianxi-broker", "--check-config", ROOT / "config" / "regions" / f"{region}.toml"], capture_output=True,
                                  text=True, timeout=PATIENCE)
            findings = [line for line in (done.stdout + done.stderr).splitlines() if ".toml" in line or "agents" in line]
            wrong = [line for line in findings if "keys" not in line and "agents" not in line and "warning" not in line]
            self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
