"""A disk turns a bit in an old file of a journal, plain or packed: what other nodes hold of it comes back, whoever reads goes on."""
import shutil
import subprocess
import unittest
import urllib.request

from support import BIN, PATIENCE, ClusterTest, Publisher, wait_until

HOME, PEER = "330800", "341000"
MARK = "用于查找的警情内容"


def police(name):
    return {"LDBH": name, "BGLX": "1", "BJSJ": "20261109083105", "BJLXMC": "试", "BJNR": f"{name} {MARK} " + "火" * 150, "XZQHDM": "330803"}


class Repair(ClusterTest):
    REGIONS = [HOME, PEER]

    @classmethod
    def start_brokers(cls):
        cls.journal = cls.cluster.node_folder(HOME) / "journal"
        cls.behind(0)
        super().start_brokers()

    @classmethod
    def behind(cls, files):
        """How far behind the newest a file of HOME's is packed; 0: never. Files are small, so that some are left behind."""
        file = cls.cluster.config_file(HOME)
        lines = [line for line in file.read_text().splitlines() if not line.startswith(("journal_file_mb", "archive_behind_files"))]
        at = lines.index("[disk]") + 1
        lines[at:at] = ["journal_file_mb = 1", f"archive_behind_files = {files}"]
        file.write_text("\n".join(lines) + "\n")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        publisher = Publisher(cls, HOME, "police", police)
        try:
            wait_until(lambda: len(cls.files("*.db")) >= 4, PATIENCE * 4, "some files are left behind")
            assert publisher.finish() == 0 and publisher.refused == []
        finally:
            publisher.kill()
        cls.events = len(publisher.acknowledged)
        wait_until(cls.cluster.digests_agree, PATIENCE, "the peer holds all of it")
        assert cls.verify()[0] == 0

    @classmethod
    def files(cls, pattern):
        return sorted(cls.journal.glob(pattern))

    @classmethod
    def verify(cls):
        done = subprocess.run([BIN / "lianxi-broker", "verify", cls.journal, "--members", cls.cluster.members_file(HOME)],
                              capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout + done.stderr

    def metric(self, name):
        where = f"{self.cluster.address(HOME)}:{self.cluster.ports[HOME, 'metrics']}"
        with urllib.request.urlopen(f"http://{where}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    def digest(self, region):
        status = self.cluster.status(region)
        return status["digests"].get("conference") if status and status["view_offset"] >= status["head"] else None

    def stop(self, region):
        self.cluster.broker(region).signal(15)
        self.assertEqual(self.cluster.broker(region).child.wait(PATIENCE), 0)

    def stop_home(self):
        self.stop(HOME)

    def start_home(self):
        self.cluster.start_broker(HOME)
        self.cluster.wait_up(HOME)

    def flip(self, path, at):
        data = bytearray(path.read_bytes())
        data[at] ^= 0x04
        path.write_bytes(data)

    def damage(self, path):
        """A bit of a stored event: the bytes may stand in pages that nothing uses any more, too."""
        data, at = path.read_bytes(), -1
        while (at := data.find(MARK.encode(), at + 1)) >= 0:
            self.flip(path, at)
            if f"{path.name}: " in self.verify()[1]:
                return
            self.flip(path, at)
        self.fail(f"no byte of {path} counts")

    @staticmethod
    def last_frame(packed):
        """The middle of the last frame, where the segments stand: by the table at the archive's end."""
        data = packed.read_bytes()
        count = int.from_bytes(data[-9:-5], "little")
        table = len(data) - 9 - 8 * count
        sizes = [int.from_bytes(data[table + 8 * i:table + 8 * i + 4], "little") for i in range(count)]
        return sum(sizes[:-1]) + sizes[-1] // 2

    def follow(self):
        code, out, error = self.cluster.lianxi(HOME, "operator", "follow", "--kind", "incident", "--from", "beginning", "--until", "now", "--json",
                                               seconds=PATIENCE * 2)
        return code, len(out.splitlines()), error

    def test_1_what_the_proof_finds_in_plain_files_comes_back(self):
        self.stop_home()
        (self.journal / "audit").unlink(missing_ok=True)  # it may have been proven before the bit turned
        for path in self.files("*.db")[:2]:
            self.damage(path)
        self.assertNotEqual(self.verify()[0], 0)
        self.start_home()
        wait_until(lambda: self.metric('lianxi_alarms_total{what="journal_repaired"}') >= 2, PATIENCE * 2, "both files are repaired")
        self.assertGreaterEqual(self.metric('lianxi_alarms_total{what="journal_damaged"}'), 2)
        code, said = self.verify()
        self.assertEqual(code, 0, said)
        self.assertEqual(self.follow()[:2], (0, self.events))

    def test_2_what_a_reader_finds_in_a_packed_file_comes_back(self):
        self.stop_home()
        self.behind(1)
        self.start_home()
        wait_until(lambda: len(self.files("*.db.zst")) >= 2 and not self.files("000001.db"), PATIENCE * 2, "old files are packed")
        self.assertEqual(self.verify()[0], 0)
        self.assertEqual(self.follow()[:2], (0, self.events), "packed files are read")
        self.stop_home()
        packed = self.files("*.db.zst")[0]
        self.flip(packed, self.last_frame(packed))
        self.assertNotEqual(self.verify()[0], 0)
        self.start_home()
        self.follow()  # it is ended where it cannot go on, and may try again
        wait_until(lambda: self.verify()[0] == 0, PATIENCE * 2, "it is repaired")
        self.assertEqual(self.follow()[:2], (0, self.events), "and readers go on")
        self.assertEqual(self.metric('lianxi_alarms_total{what="journal_unreadable"}') > 0, True)
        self.assertTrue(packed.exists())
        self.cluster.check_alive()

    def test_3_a_view_and_a_peer_are_made_anew_from_packed_files(self):
        digest = self.digest(HOME)
        self.stop(HOME)
        self.assertTrue(self.files("*.db.zst"))
        done = subprocess.run([BIN / "lianxi-broker", "--rebuild-view", "--config", self.cluster.config_file(HOME)], capture_output=True,
                              text=True, timeout=PATIENCE * 2)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.stop(PEER)
        shutil.rmtree(self.cluster.node_folder(PEER) / "journal")
        for path in self.cluster.node_folder(PEER).glob("view.db*"):
            path.unlink()
        for region in (HOME, PEER):
            self.cluster.start_broker(region)
        for region in (HOME, PEER):
            self.cluster.wait_up(region)
        wait_until(lambda: self.digest(PEER) == digest, PATIENCE * 2, "the peer has all of it again")
        self.assertEqual(self.digest(HOME), digest)
        self.cluster.check_alive()


if __name__ == "__main__":
    unittest.main()
