"""kill -9 of a node in the middle of publishing: nothing acknowledged is lost, nothing comes twice, links resume."""
import json
import os
import random
import subprocess
import threading
import unittest

from support import BIN, ROOT, ClusterTest, wait_until

ROUNDS = int(os.environ.get("LIANXI_KILL_ROUNDS", "20"))
HOME, PEER = "330800", "341000"
OUTSTANDING = 100


def police(name):
    return {"LDBH": name, "BGLX": "1", "BJSJ": "20261109083105", "BJLXMC": "试", "BJNR": "x" * 200, "XZQHDM": "330803"}


def emergency(name):
    return {"caseNo": name, "reportType": "FIRST", "eventName": "试", "occurTime": "2026-11-09T08:31:05+08:00", "districtCode": "330803"}


class Publisher:
    """An agency's agent on standard input: a record a line in, its receipt a line out."""

    def __init__(self, test, agency, record):
        self.agency, self.record = agency, record
        self.stop = threading.Event()
        self.room = threading.Semaphore(OUTSTANDING)
        self.written, self.acknowledged, self.refused = 0, [], []
        cluster = test.cluster
        self.child = subprocess.Popen(
            [BIN / "lianxi-agent", "--profile", cluster.profile(HOME, agency), "--mapping", ROOT / "agents" / "adapter" / agency / "mapping.toml",
             "--stdin", "--source", {"police": "110", "emergency": "reports"}[agency], "--outbox", test.folder / f"{agency}.outbox.db"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.threads = [threading.Thread(target=self._write, daemon=True), threading.Thread(target=self._read, daemon=True)]
        for thread in self.threads:
            thread.start()

    def _write(self):
        while not self.stop.is_set():
            if self.room.acquire(timeout=0.1):
                self.written += 1
                self.child.stdin.write(json.dumps(self.record(f"KILL-{self.agency}-{self.written}"), ensure_ascii=False) + "\n")
                self.child.stdin.flush()
        self.child.stdin.close()

    def _read(self):
        for line in self.child.stdout:
            result = json.loads(line)
            (self.refused if "error" in result else self.acknowledged).append(result["entity"])
            self.room.release()

    def finish(self):
        """Ends the input and waits for the last receipt; the agent's exit status."""
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
        return self.child.wait(60)

    def kill(self):
        self.stop.set()
        self.child.kill()
        self.child.wait()
        for thread in self.threads:
            thread.join(10)
        self.child.stdout.close()


class Kill(ClusterTest):
    REGIONS = [HOME, PEER]

    def entities(self, region):
        code, out, error = self.cluster.lianxi(region, "operator", "follow", "--kind", "incident", "--from", "beginning", "--until", "now", "--json",
                                               seconds=60)
        self.assertEqual(code, 0, error)
        return [json.loads(line)["body"]["entity"] for line in out.splitlines()]

    def test_nothing_acknowledged_is_lost_and_nothing_comes_twice(self):
        publishers = [Publisher(self, "police", police), Publisher(self, "emergency", emergency)]
        for publisher in publishers:
            self.addCleanup(publisher.kill)
        chance = random.Random(7)
        for _ in range(ROUNDS):
            more = [len(publisher.acknowledged) + chance.randrange(10, 200) for publisher in publishers]
            wait_until(lambda m=more: all(len(p.acknowledged) >= n for p, n in zip(publishers, m)), 60, "publishing goes on")
            self.cluster.broker(HOME).kill()
            self.cluster.start_broker(HOME)
        self.cluster.wait_up(HOME)
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
        wait_until(lambda: self.entities(PEER) == stored, 30, "the peer has the same, in order")
        wait_until(self.cluster.digests_agree, 5, "equal digests at equal vectors")


if __name__ == "__main__":
    unittest.main()
