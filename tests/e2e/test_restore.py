"""A node's journal is copied while it runs, lost, restored in a new epoch; and nothing is lost that any peer holds."""
import json
import shutil
import subprocess
import unittest

from support import BIN, ClusterTest, cap, wait_until

LOST = "330800"
PEERS = ("341000", "350700")
PATIENCE = 60


class Restored(ClusterTest):
    REGIONS = [LOST, *PEERS]

    def deploy(self, state="deployed"):
        path = self.write(f"{state}.csv", f"id,type,name,state\nhazmat-1,team,衢州危化队,{state}\n")
        return self.cluster.lianxi(LOST, "emergency", "import", "resources", path, "--datum", "CGCS2000", "--json")

    def fence(self):
        return self.cluster.status(LOST).get("fence")

    def states(self, region):
        return [row["state"] for row in self.cluster.ask(region, "resources") if row["id"] == f"{LOST}:resource:hazmat-1"]

    def overrides(self, region):
        code, out, error = self.cluster.lianxi(region, "operator", "follow", "--kind", "override", "--from", "beginning", "--until", "now", "--json")
        self.assertEqual(code, 0, out + error)
        return [json.loads(line)["body"] for line in out.splitlines()]

    def kill_all(self):
        for region in self.REGIONS:
            self.cluster.broker(region).kill()

    def restore(self, backup):
        """The node's journal is lost with the machine; its node starts alone from the backup."""
        journal = self.cluster.node_folder(LOST) / "journal"
        shutil.rmtree(journal)
        code, out, error = self.broker_says("restore", backup, "--config", self.cluster.config_file(LOST))
        self.assertEqual(code, 0, out + error)
        self.assertIn("epoch", out)
        self.cluster.start_broker(LOST)
        self.cluster.wait_up(LOST, PATIENCE)

    def start_peers(self):
        for region in PEERS:
            self.cluster.start_broker(region)
        for region in PEERS:
            self.cluster.wait_up(region, PATIENCE)

    def broker_says(self, *arguments):
        done = subprocess.run([str(part) for part in (BIN / "lianxi-broker", *arguments)], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def assert_fenced(self):
        code, out, error = self.deploy()
        self.assertEqual(code, 1, out + error)
        refusal = json.loads(out)["error"]
        self.assertEqual(refusal["code"], "fenced", out)
        for region in PEERS:
            self.assertIn(region, refusal["reason"])
        wait_until(lambda: sorted(self.fence()["missing"]) == sorted(PEERS), PATIENCE, "the status names whom the fence waits for")
        self.assertIn("fenced", [alarm["what"] for alarm in self.cluster.status(LOST)["alarms"]])


class RestoredGroups(Restored):

    def test_the_sets_that_groups_have_had_come_along(self):
        book, backup = self.cluster.node_folder(LOST) / "groups.toml", self.folder / "backup"
        kept = f'[[group]]\nname = "of-before"\nmembers = ["{LOST}"]\n'
        book.write_text(kept)
        code, out, error = self.broker_says("backup", backup, "--config", self.cluster.config_file(LOST))
        self.assertEqual(code, 0, out + error)
        self.cluster.broker(LOST).kill()
        book.unlink()
        self.restore(backup)
        self.assertEqual(book.read_text(), kept)


class Restore(Restored):

    def publish(self, identifier, region=LOST):
        path = self.write(f"{identifier}.xml", cap(identifier, place=region))
        code, out, error = self.cluster.lianxi(region, "emergency", "publish", "alert", path)
        self.assertEqual(code, 0, out + error)

    def identifiers(self, region):
        return sorted(event["body"]["identifier"] for event in self.cluster.alerts_until_now(region) if event["region"] == LOST)

    def test_a_backup_of_a_running_node_is_restored_and_its_peers_give_back_the_rest(self):
        config, members = self.cluster.config_file(LOST), self.cluster.members_file(LOST)
        backup, journal = self.folder / "backup", self.cluster.node_folder(LOST) / "journal"
        for number in range(3):
            self.publish(f"BEFORE-{number}")
        code, out, error = self.broker_says("backup", backup, "--config", config, "--json")
        self.assertEqual(code, 0, out + error)
        self.assertEqual(json.loads(out)["events"], 3)
        code, out, error = self.broker_says("verify", backup / "journal", "--members", members, "--against", backup / "backup.json")
        self.assertEqual(code, 0, out + error)
        code, out, error = self.broker_says("backup", backup, "--config", config)
        self.assertEqual(code, 2, "a backup is never overwritten: " + out + error)
        code, out, error = self.broker_says("restore", backup, "--config", config)
        self.assertEqual(code, 2, "a journal is never overwritten: " + out + error)
        self.assertIn("mv ", error)

        for number in range(3):
            self.publish(f"AFTER-{number}")
        code, out, error = self.deploy()
        self.assertEqual(code, 0, out + error)
        everything = sorted([f"BEFORE-{n}" for n in range(3)] + [f"AFTER-{n}" for n in range(3)])
        for region in PEERS:
            wait_until(lambda: self.identifiers(region) == everything, PATIENCE, f"{region} holds what was published")
            wait_until(lambda: self.states(region) == ["deployed"], PATIENCE, f"{region} knows what was promised")

        self.kill_all()
        self.restore(backup)
        self.assertEqual(self.identifiers(LOST), [f"BEFORE-{n}" for n in range(3)], "it is alone")
        self.assertGreater(self.cluster.status(LOST)["epoch"], 1)
        self.publish("ALONE")
        self.assertEqual(self.states(LOST), [], "the backup knows nothing of the team")
        self.assert_fenced()

        self.start_peers()
        everything = sorted(everything + ["ALONE"])
        for region in self.REGIONS:
            self.cluster.wait_up(region, PATIENCE)
            wait_until(lambda: self.identifiers(region) == everything, PATIENCE, f"{region} holds all, once")
        wait_until(lambda: self.fence() is None, PATIENCE, "every member was seen")
        wait_until(lambda: self.states(LOST) == ["deployed"], PATIENCE, "what was promised before is known again")
        wait_until(self.cluster.digests_agree, PATIENCE, "equal digests at equal vectors")
        code, out, error = self.deploy("available")
        self.assertEqual(code, 0, out + error)
        code, out, error = self.deploy()
        self.assertEqual(code, 0, "commitments are taken again: " + out + error)
        code, out, error = self.cluster.lianxi(LOST, "operator", "override", "--reason", "没有要放行的", "--json")
        self.assertEqual((code, json.loads(out)["error"]["code"]), (1, "conflict"), out + error)
        self.publish("LATER")
        for region in self.REGIONS:
            self.assertEqual(self.overrides(region), [], "nobody overrode")
            wait_until(lambda: "LATER" in self.identifiers(region), PATIENCE, f"{region} goes on")
        self.cluster.stop()
        code, out, error = self.broker_says("verify", journal, "--members", members)
        self.assertEqual(code, 0, out + error)

    def test_what_is_no_backup_is_refused(self):
        config = self.cluster.config_file(LOST)
        for wrong in (self.folder / "nowhere", self.folder):
            code, out, error = self.broker_says("restore", wrong, "--config", config)
            self.assertEqual(code, 2, out + error)


class Overridden(Restored):
    def test_an_officer_overrides_on_record_and_all_members_see_it(self):
        backup = self.folder / "backup"
        code, out, error = self.broker_says("backup", backup, "--config", self.cluster.config_file(LOST))
        self.assertEqual(code, 0, out + error)
        self.kill_all()
        self.restore(backup)
        self.assert_fenced()
        code, out, error = self.cluster.lianxi(LOST, "police", "override", "--reason", "无权", "--json")
        self.assertEqual((code, json.loads(out)["error"]["code"]), (1, "not_allowed"), out + error)
        self.assert_fenced()
        epoch = self.cluster.status(LOST)["epoch"]
        code, out, error = self.cluster.lianxi(LOST, "operator", "override", "--reason", "两市断网,局长同意先行调派", "--json")
        self.assertEqual(code, 0, out + error)
        self.assertEqual(json.loads(out)["entity"], f"{LOST}:override:{epoch}")
        code, out, error = self.deploy()
        self.assertEqual(code, 0, out + error)
        self.cluster.broker(LOST).kill()
        self.cluster.start_broker(LOST)
        self.cluster.wait_up(LOST, PATIENCE)
        self.assertIsNone(self.fence(), "it stays lifted over a restart")
        self.start_peers()
        for region in self.REGIONS:
            wait_until(lambda: len(self.overrides(region)) == 1, PATIENCE, f"{region} has the override")
            self.assertEqual(self.overrides(region)[0]["reason"], "两市断网,局长同意先行调派")
            wait_until(lambda: self.states(region) == ["deployed"], PATIENCE, f"{region} knows what was promised")


class Cloned(Restored):
    def report(self, text):
        path = self.write("report.json", json.dumps({
            "kind": "incident", "place": "330803", "agency": "emergency", "audience": "conference", "occurred_at": "2026-11-09T08:31:05+08:00",
            "case_reference": "FORK-1", "report_type": "first", "text": text}, ensure_ascii=False))
        return self.cluster.lianxi(LOST, "emergency", "publish", "incident", path, "--json")

    def test_both_histories_are_kept_reported_and_proven_and_neither_is_merged(self):
        journal, members = self.cluster.node_folder(LOST) / "journal", self.cluster.members_file(LOST)
        config, copy = self.cluster.config_file(LOST), self.folder / "copy"
        self.assertEqual(self.report("共同的历史")[0], 0)
        for region in PEERS:
            wait_until(lambda: self.texts(region) == ["共同的历史"], PATIENCE, f"{region} holds it")
        self.kill_all()
        shutil.copytree(journal, copy)
        self.cluster.start_broker(LOST)
        self.start_peers()
        self.cluster.wait_up(LOST, PATIENCE)
        self.assertEqual(self.report("甲")[0], 0)
        for region in PEERS:
            wait_until(lambda: "甲" in self.texts(region), PATIENCE, f"{region} holds what the first one wrote")
        self.kill_all()
        # Somebody puts the old disk back without a restore, and it writes before it meets anybody.
        shutil.rmtree(journal)
        shutil.copytree(copy, journal)
        for view in self.cluster.node_folder(LOST).glob("view.db*"):
            view.unlink()
        self.cluster.start_broker(LOST)
        self.cluster.wait_up(LOST, PATIENCE)
        self.assertEqual(self.report("乙")[0], 0)
        self.start_peers()
        listed = lambda: json.loads(self.broker_says("quarantine", "--config", config, "--json")[1])["quarantined"]
        wait_until(lambda: listed(), PATIENCE, "the other history is kept")
        row = listed()[0]
        self.assertEqual((row["feed"], row["sequence"]), (f"{LOST}/1/normal/conference", 2))
        self.assertNotEqual(row["held"], row["delivered"])
        self.assertIn(row["by"], PEERS)
        wait_until(lambda: "feed_forked" in [alarm["what"] for alarm in self.cluster.status(LOST)["alarms"]], PATIENCE, "it stands as an alarm")
        code, out, error = self.report("丙")
        self.assertEqual((code, json.loads(out)["error"]["code"]), (1, "feed_forked"), out + error)
        self.assertEqual(self.texts(LOST), ["共同的历史", "乙"])
        for region in PEERS:
            self.assertEqual(self.texts(region), ["共同的历史", "甲"], "each keeps what it holds")
        self.cluster.stop()
        code, out, error = self.broker_says("verify", journal, "--members", members)
        self.assertEqual(code, 0, out + error)
        self.assertIn("the fork is proven by them alone", out)
        # The officer restores it: what the peers hold is not merged, and what comes then is taken by all.
        backup = self.folder / "backup"
        code, out, error = self.broker_says("backup", backup, "--config", config)
        self.assertEqual(code, 0, out + error)
        self.restore(backup)
        self.start_peers()
        wait_until(lambda: self.fence() is None, PATIENCE, "every member was seen")
        self.assertEqual(self.report("丁")[0], 0)
        for region in self.REGIONS:
            wait_until(lambda: "丁" in self.texts(region), PATIENCE, f"{region} goes on in the new epoch")
        self.assertEqual(self.texts(LOST), ["共同的历史", "乙", "丁"])
        self.assertEqual(self.texts(PEERS[0]), ["共同的历史", "甲", "丁"])
        wait_until(lambda: listed(), PATIENCE, "a restore keeps the evidence")

    def texts(self, region):
        code, out, error = self.cluster.lianxi(region, "operator", "follow", "--kind", "incident", "--from", "beginning", "--until", "now", "--json")
        self.assertEqual(code, 0, out + error)
        return [json.loads(line)["body"]["text"] for line in out.splitlines()]


if __name__ == "__main__":
    unittest.main()
