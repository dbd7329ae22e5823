"""A node's journal is copied while it runs, lost, restored in a new epoch; and nothing is lost that any peer holds."""
import json
import shutil
import subprocess
import unittest

from support import BIN, ClusterTest, cap, wait_until

LOST = "330800"
PEERS = ("341000", "350700")
PATIENCE = 60


class Restore(ClusterTest):
    REGIONS = [LOST, *PEERS]

    def publish(self, identifier, region=LOST):
        path = self.write(f"{identifier}.xml", cap(identifier, place=region))
        code, out, error = self.cluster.lianxi(region, "emergency", "publish", "alert", path)
        self.assertEqual(code, 0, out + error)

    def broker_says(self, *arguments):
        done = subprocess.run([str(part) for part in (BIN / "lianxi-broker", *arguments)], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout, done.stderr

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
        everything = sorted([f"BEFORE-{n}" for n in range(3)] + [f"AFTER-{n}" for n in range(3)])
        for region in PEERS:
            wait_until(lambda: self.identifiers(region) == everything, PATIENCE, f"{region} holds what was published")

        self.cluster.broker(LOST).kill()
        for region in PEERS:
            self.cluster.broker(region).kill()
        shutil.rmtree(journal)
        code, out, error = self.broker_says("restore", backup, "--config", config)
        self.assertEqual(code, 0, out + error)
        self.assertIn("epoch", out)
        self.cluster.start_broker(LOST)
        self.cluster.wait_up(LOST, PATIENCE)
        self.assertEqual(self.identifiers(LOST), [f"BEFORE-{n}" for n in range(3)], "it is alone")
        self.assertGreater(self.cluster.status(LOST)["epoch"], 1)
        self.publish("ALONE")

        for region in PEERS:
            self.cluster.start_broker(region)
        everything = sorted(everything + ["ALONE"])
        for region in self.REGIONS:
            self.cluster.wait_up(region, PATIENCE)
            wait_until(lambda: self.identifiers(region) == everything, PATIENCE, f"{region} holds all, once")
        wait_until(self.cluster.digests_agree, PATIENCE, "equal digests at equal vectors")
        self.publish("LATER")
        for region in self.REGIONS:
            wait_until(lambda: "LATER" in self.identifiers(region), PATIENCE, f"{region} goes on")
        self.cluster.stop()
        code, out, error = self.broker_says("verify", journal, "--members", members)
        self.assertEqual(code, 0, out + error)

    def test_what_is_no_backup_is_refused(self):
        config = self.cluster.config_file(LOST)
        for wrong in (self.folder / "nowhere", self.folder):
            code, out, error = self.broker_says("restore", wrong, "--config", config)
            self.assertEqual(code, 2, out + error)


if __name__ == "__main__":
    unittest.main()
