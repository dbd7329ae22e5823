"""What the end-to-end tests share: a cluster in a temporary folder, and the programs under test ($LIANXI_BIN)."""
import os
import pathlib
import shutil
import sys
import tempfile
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
        cls.cluster = Cluster(cls.folder, BIN, cls.REGIONS)
        cls.addClassCleanup(cls.cluster.stop)
        cls.cluster.prepare()
        cls.start_brokers()
        for region in cls.REGIONS:
            cls.cluster.wait_up(region)
        cls.cluster.wait_linked()

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
