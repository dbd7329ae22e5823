"""The demo as a person starts it, in short."""
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from support import BIN, PATIENCE, ROOT

DEMO = ["/usr/bin/python3", "-u", ROOT / "config" / "demo" / "demo.py", "--bin", BIN]


class Demo(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="lianxi-demo-"))
        self.addCleanup(shutil.rmtree, self.folder, True)

    def start(self, *more):
        child = subprocess.Popen([*DEMO, "--dir", self.folder, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        return child

    def children(self):
        """Processes whose command line names our folder."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().decode(errors="replace")
            except OSError:
                continue
            if str(self.folder) in command and "demo.py" not in command:
                found.append(command)
        return found

    def test_a_short_demo_holds_and_leaves_no_process_behind(self):
        child = self.start("--for", "22")
        said = []
        for line in child.stdout:
            said.append(line)
            if line.startswith("ready"):
                break
        self.assertTrue(said and said[-1].startswith("ready"), "".join(said))
        self.assertIn(str(self.folder / "profiles"), said[-1])
        self.assertTrue((self.folder / "profiles" / "330800.operator.toml").exists())

        second = subprocess.run([*DEMO, "--dir", self.folder, "--for", "1"], capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(second.returncode, 1)
        self.assertIn("running already", second.stderr)

        said += list(child.stdout)
        self.assertEqual(child.wait(PATIENCE), 0, "".join(said))
        self.assertEqual(self.children(), [])

    def test_an_interrupted_demo_stops_all_that_it_started(self):
        child = self.start()
        for line in child.stdout:
            if line.startswith("ready"):
                break
        self.assertTrue(self.children())
        child.send_signal(signal.SIGINT)
        rest = child.stdout.read()
        self.assertEqual(child.wait(PATIENCE), 0, rest)
        self.assertEqual(self.children(), [])


if __name__ == "__main__":
    unittest.main()
