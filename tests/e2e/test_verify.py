"""`lianxi-broker verify` proves a journal offline, and names the place after a byte of a stored event is flipped."""
import shutil
import subprocess
import unittest

from support import BIN, PATIENCE, ClusterTest, cap

REGION = "330800"
MARK = "用于查找的标题"


class Verify(ClusterTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number in range(5):
            path = cls.folder / f"{number}.xml"
            path.write_text(cap(f"VERIFY-{number}", headline=MARK), encoding="utf-8")
            assert cls.cluster.lianxi(REGION, "emergency", "publish", "alert", path)[0] == 0
        cls.cluster.stop()  # by SIGTERM: the journal lies still
        cls.journal = cls.cluster.node_folder(REGION) / "journal"

    def verify(self, journal, *more):
        command = [BIN / "lianxi-broker", "verify", journal, "--members", self.cluster.members_file(REGION), *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout + done.stderr

    def test_an_untouched_journal_passes(self):
        code, said = self.verify(self.journal)
        self.assertEqual(code, 0, said)

    def test_any_flipped_byte_of_a_stored_event_is_found_and_named(self):
        mark = MARK.encode()
        files = sorted(self.journal.glob("*.db*"))
        places = []
        for path in files:
            data = path.read_bytes()
            at = data.find(mark)
            while at >= 0:
                places.append((path.name, at))
                at = data.find(mark, at + 1)
        self.assertGreaterEqual(len(places), 5)
        for name, at in places[:8]:
            for offset in (0, len(mark) - 1):
                copy = self.folder / "copy"
                shutil.rmtree(copy, ignore_errors=True)
                shutil.copytree(self.journal, copy)
                data = bytearray((copy / name).read_bytes())
                data[at + offset] ^= 0x01
                (copy / name).write_bytes(data)
                code, said = self.verify(copy)
                self.assertNotEqual(code, 0, f"{name} at {at + offset}: {said}")
                self.assertRegex(said, "330800")

    def test_a_journal_of_other_members_does_not_pass(self):
        members = self.cluster.members_file(REGION)
        kept = members.read_text()
        self.addCleanup(members.write_text, kept)
        seal = kept.split('seal_key = "')[1].split('"')[0]
        members.write_text(kept.replace(seal, "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
        code, said = self.verify(self.journal)
        self.assertNotEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
