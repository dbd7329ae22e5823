"""What the end-to-end tests share: a cluster in a temporary folder, and the programs under test ($LIANXI_BIN)."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "config" / "demo"))

from cluster import PATIENCE, REGIONS, Cluster, wait_until  # noqa: E402, F401

BIN = pathlib.Path(os.environ.get("LIANXI_BIN", ROOT / "build" / "bin"))


class ClusterTest(unittest.TestCase):
    """A test class with running nodes of REGIONS; what they said is printed if a test fails."""
    REGIONS = ["330800"]

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="lianxi-e2e-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.cluster = cls.make_cluster()
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.prepare()
        cls.start_brokers()
        for region in cls.REGIONS:
            cls.cluster.wait_up(region)
        cls.cluster.wait_linked()

    @classmethod
    def make_cluster(cls):
        return Cluster(cls.folder, BIN, cls.REGIONS)

    @classmethod
    def start_brokers(cls):
        for region in cls.REGIONS:
            cls.cluster.start_broker(region)

    def run(self, result=None):
        bad = len(result.failures) + len(result.errors) if result else 0
        super().run(result)
        if result and len(result.failures) + len(result.errors) > bad:
            for log in sorted((self.folder / "logs").glob("*.log")):
                print(f"--- {log.name}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-20:]), file=sys.stderr)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


class Publisher:
    """An agency's agent on standard input: a record a line in, its receipt a line out. `pause`: seconds between records."""
    OUTSTANDING = 100

    def __init__(self, test, region, agency, record, pause=0.0):
        self.region, self.agency, self.record, self.pause = region, agency, record, pause
        self.stop = threading.Event()
        self.room = threading.Semaphore(self.OUTSTANDING)
        self.written, self.acknowledged, self.refused = 0, [], []
        cluster = test.cluster
        self.child = subprocess.Popen(
            cluster.at(region, "lianxi-agent", "--profile", cluster.profile(region, agency), "--mapping",
                       ROOT / "agents" / "adapter" / agency / "mapping.toml", "--stdin", "--source", {"police": "110", "emergency": "reports"}[agency],
                       "--outbox", test.folder / f"{region}.{agency}.outbox.db"),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.threads = [threading.Thread(target=self._write, daemon=True), threading.Thread(target=self._read, daemon=True)]
        for thread in self.threads:
            thread.start()

    def _write(self):
        while not self.stop.wait(self.pause):
            if self.room.acquire(timeout=0.1):
                self.written += 1
                self.child.stdin.write(json.dumps(self.record(f"{self.region}-{self.agency}-{self.written}"), ensure_ascii=False) + "\n")
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
            thread.join(PATIENCE)
        return self.child.wait(PATIENCE)

    def kill(self):
        self.stop.set()
        self.child.kill()
        self.child.wait()
        for thread in self.threads:
            thread.join(10)
        self.child.stdout.close()


def cap(identifier, status="Actual", headline="测试预警", place="330803", sent="2026-11-09T08:31:05+08:00", expires="2036-11-09T08:31:05+08:00"):
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>{identifier}</identifier>
  <sender>e2e@quzhou.example</sender>
  <sent>{sent}</sent>
  <status>{status}</status>
  <msgType>Alert</msgType>
  <scope>Public</scope>
  <info>
    <language>zh-CN</language>
    <category>Fire</category>
    <event>火灾</event>
    <urgency>Immediate</urgency>
    <severity>Severe</severity>
    <certainty>Observed</certainty>
    <expires>{expires}</expires>
    <headline>{headline}</headline>
    <area>
      <areaDesc>衢江区</areaDesc>
      <geocode>
        <valueName>GB/T 2260</valueName>
        <value>{place}</value>
      </geocode>
    </area>
  </info>
</alert>
"""
