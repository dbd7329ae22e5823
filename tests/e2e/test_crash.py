"""A node dies in the middle of publishing, again and again: nothing acknowledged is lost, nothing comes twice, links resume.

    LIANXI_CRASH_ROUNDS=200 python3 -m unittest test_crash          more than the 20 rounds of each kind
    LIANXI_CRASH_SEED=7                                             the same moments again

`Packing`: power cuts while old files are packed. `Kill`: SIGKILL, from outside at some acknowledgement, or from within at some change of a file. `PowerCut`: the same, and then
whatever was never synced is taken back (power_shim.cpp, power_cut.py). `NoFsync`: syncs that do nothing; this one must fail.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import threading
import unittest

from power_cut import Cut
from support import BIN, PATIENCE, ClusterTest, Publisher, wait_until

ROUNDS = int(os.environ.get("LIANXI_CRASH_ROUNDS", "20"))
SEED = int(os.environ.get("LIANXI_CRASH_SEED", random.SystemRandom().randrange(1 << 32)))
SHIM = os.environ.get("LIANXI_POWER_SHIM", str(BIN / "libpower_shim.so"))
HOME, PEER = "330800", "341000"
CHANGES = 400  # of files: some two hundred commits, or a start and some fifty
PACKING_CHANGES = 330  # a start, and four files of 1 MB


def police(name):
    return {"LDBH": name, "BGLX": "1", "BJSJ": "20261109083105", "BJLXMC": "试", "BJNR": "x" * 200, "XZQHDM": "330803"}


def emergency(name):
    return {"caseNo": name, "reportType": "FIRST", "eventName": "试", "occurTime": "2026-11-09T08:31:05+08:00", "districtCode": "330803"}


class Crash(ClusterTest):
    REGIONS = []
    JOURNAL_FILE_MB = 1  # so that files are left behind within the test
    BEHIND = 1  # packed so soon
    CUT, NOSYNC = False, False

    @classmethod
    def setUpClass(cls):
        if not cls.REGIONS:
            raise unittest.SkipTest("what the others share")
        super().setUpClass()

    @classmethod
    def start_brokers(cls):
        cls.chance = random.Random(SEED)
        file = cls.cluster.config_file(HOME)
        file.write_text(file.read_text().replace("[disk]\n", f"[disk]\njournal_file_mb = {cls.JOURNAL_FILE_MB}\narchive_behind_files = {cls.BEHIND}\n"))
        cls.start_home(None)
        for region in cls.REGIONS[1:]:
            cls.cluster.start_broker(region)

    @classmethod
    def start_home(cls, changes):
        """With the shim; it kills the broker at the change of that number, if one is given."""
        undo = cls.folder / "undo"
        shutil.rmtree(undo, ignore_errors=True)
        undo.mkdir()
        more = {"LD_PRELOAD": SHIM, "LIANXI_CUT_FOLDER": str(cls.cluster.node_folder(HOME)), "LIANXI_CUT_UNDO": str(undo)}
        if changes:
            more["LIANXI_CUT_AFTER"] = str(changes)
        if cls.NOSYNC:
            more["LIANXI_CUT_NOSYNC"] = "1"
        cls.cluster.start_broker(HOME, env={**os.environ, **more})

    def entities(self, region):
        code, out, error = self.cluster.lianxi(region, "operator", "follow", "--kind", "incident", "--from", "beginning", "--until", "now", "--json",
                                               seconds=120)
        self.assertEqual(code, 0, error)
        return [json.loads(line)["body"]["entity"] for line in out.splitlines()]

    def crash(self, publishers):
        """The running broker dies at some moment: by its own hand if it was told when, or by ours."""
        broker = self.cluster.broker(HOME)
        target = [len(p.acknowledged) + self.chance.randrange(1, 200) for p in publishers]
        wait_until(lambda: not broker.alive() or all(len(p.acknowledged) >= n for p, n in zip(publishers, target)), PATIENCE, "publishing goes on")
        broker.kill()
        self.assertEqual(broker.child.returncode, -9, f"the broker ended by itself:\n{broker.last_lines()}")
        if self.CUT:
            lost = Cut(self.cluster.node_folder(HOME), self.folder / "undo", self.chance.randrange(1 << 32), self.NOSYNC or self.chance.random() < 0.3)
            for name, count in lost.perform().items():
                self.lost[name] = self.lost.get(name, 0) + count
        # Every other time the next death comes from within, perhaps while the broker is still starting.
        self.start_home(self.chance.randrange(1, CHANGES) if self.chance.random() < 0.5 else None)

    def proven(self):
        done = subprocess.run([BIN / "lianxi-broker", "verify", self.cluster.node_folder(HOME) / "journal", "--members", self.cluster.members_file(HOME)],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def run_rounds(self, rounds):
        print(f"seed {SEED}", flush=True)
        self.lost = {}
        publishers = [Publisher(self, HOME, "police", police), Publisher(self, HOME, "emergency", emergency)]
        for publisher in publishers:
            self.addCleanup(publisher.kill)
        for done in range(1, rounds + 1):
            self.crash(publishers)
            if done % 20 == 0:
                print(f"{done} of {rounds}; {sum(len(p.acknowledged) for p in publishers)} acknowledged; lost {self.lost}", flush=True)
        if not self.cluster.broker(HOME).alive() or rounds:
            self.cluster.broker(HOME).kill()  # the last start may have been told to die
            if self.CUT:
                Cut(self.cluster.node_folder(HOME), self.folder / "undo", self.chance.randrange(1 << 32), self.NOSYNC).perform()
            self.start_home(None)
        self.cluster.wait_up(HOME)
        return publishers

    def check(self, publishers):
        acknowledged, written = [], 0
        for publisher in publishers:
            self.assertEqual(publisher.finish(), 0)
            self.assertEqual(publisher.refused, [])
            acknowledged += publisher.acknowledged
            written += publisher.written
        self.assertEqual(len(acknowledged), written)
        stored = self.entities(HOME)
        self.assertEqual(sorted(set(acknowledged) - set(stored)), [], "acknowledged and lost")
        self.assertEqual(len(stored), len(set(stored)), "an event came twice")
        self.assertEqual(len(stored), written)
        for region in self.REGIONS[1:]:
            wait_until(lambda r=region: self.entities(r) == stored, PATIENCE, "the peer has the same, in order")
        wait_until(self.cluster.digests_agree, PATIENCE, "equal digests at equal vectors")
        files = sorted(pathlib.Path(self.cluster.node_folder(HOME), "journal").glob("*.db"))
        print(f"{written} events, {len(files)} files; lost {self.lost}", flush=True)
        self.proven()  # while it runs
        self.cluster.broker(HOME).signal(15)
        self.assertEqual(self.cluster.broker(HOME).child.wait(PATIENCE), 0)
        self.proven()


class Kill(Crash):
    REGIONS = [HOME, PEER]

    def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(self):
        self.check(self.run_rounds(ROUNDS))


class PowerCut(Crash):
    REGIONS = [HOME, PEER]
    CUT = True

    def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(self):
        self.check(self.run_rounds(ROUNDS))


class Packing(Crash):
    REGIONS = [HOME]
    CUT = True
    BEHIND = 0

    def filled(self, journal):
        """Some files left behind and proven, in a copy."""
        publisher = Publisher(self, HOME, "police", police)
        self.addCleanup(publisher.kill)
        wait_until(lambda: len(list(journal.glob("*.db"))) >= 7, PATIENCE * 4, "files are left behind")
        self.assertEqual(publisher.finish(), 0)
        wait_until(lambda: "proven 5" in (journal / "audit").read_text() if (journal / "audit").exists() else False, PATIENCE * 4, "they are proven")
        self.cluster.broker(HOME).signal(15)
        self.assertEqual(self.cluster.broker(HOME).child.wait(PATIENCE), 0)
        shutil.copytree(journal, self.folder / "filled")
        file = self.cluster.config_file(HOME)
        file.write_text(file.read_text().replace("archive_behind_files = 0", "archive_behind_files = 1"))
        return sorted(publisher.acknowledged)

    def test_each_file_is_whole_in_one_form_at_every_moment(self):
        print(f"seed {SEED}", flush=True)
        journal = self.cluster.node_folder(HOME) / "journal"
        events, lost, packed = self.filled(journal), {}, 0
        for _ in range(ROUNDS // 2):
            shutil.rmtree(journal)
            shutil.copytree(self.folder / "filled", journal)
            self.start_home(self.chance.randrange(10, PACKING_CHANGES))
            broker = self.cluster.broker(HOME)
            wait_until(lambda: not broker.alive() or len(list(journal.glob("*.db.zst"))) >= 4, PATIENCE * 2, "files are packed, or it dies")
            broker.kill()
            self.assertEqual(broker.child.returncode, -9, f"the broker ended by itself:\n{broker.last_lines()}")
            cut = Cut(self.cluster.node_folder(HOME), self.folder / "undo", self.chance.randrange(1 << 32), self.chance.random() < 0.3)
            for name, count in cut.perform().items():
                lost[name] = lost.get(name, 0) + count
            packed += len(list(journal.glob("*.db.zst")))
            self.proven()
        self.start_home(None)
        self.cluster.wait_up(HOME)
        wait_until(lambda: not (journal / "000001.db").exists() and not list(journal.glob("*.packing")), PATIENCE, "the rest is packed")
        self.assertEqual(sorted(self.entities(HOME)), events)
        self.proven()
        print(f"{packed} files packed in {ROUNDS // 2} rounds; lost {lost}", flush=True)


class NoFsync(Crash):
    """Run by ctest for its message."""
    REGIONS = [HOME]
    CUT = NOSYNC = True

    def test_what_was_never_synced_is_lost(self):
        publishers = [Publisher(self, HOME, "police", police)]
        self.addCleanup(publishers[0].kill)
        self.lost = {}
        self.crash(publishers)
        acknowledged = list(publishers[0].acknowledged)
        publishers[0].kill()
        self.cluster.broker(HOME).kill()
        self.start_home(None)
        self.cluster.wait_up(HOME)
        self.assertEqual(sorted(set(acknowledged) - set(self.entities(HOME))), [], "acknowledged and lost")


if __name__ == "__main__":
    unittest.main()
