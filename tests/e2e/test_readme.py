"""The code of README.md, pasted and run."""
import json
import pathlib
import re
import selectors
import subprocess
import time
import unittest

from support import BIN, PATIENCE, ROOT, ClusterTest, cap

README = (ROOT / "README.md").read_text(encoding="utf-8")
README_ZH = (ROOT / "README.zh-CN.md").read_text(encoding="utf-8")


def block(language, text=README):
    return re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)


def lines_until(process, wanted, seconds):
    """Reads lines of a child until one holds `wanted`; what was read."""
    selector, read = selectors.DefaultSelector(), []
    selector.register(process.stdout, selectors.EVENT_READ)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if selector.select(0.1):
            line = process.stdout.readline()
            read.append(line)
            if wanted in line or not line:
                break
    return "".join(read)


class Readme(ClusterTest):
    def test_cpp_lines_publish_a_report_and_print_the_receipt(self):
        profile = self.cluster.profile("330800", "police")
        done = subprocess.run([BIN / "readme_client", profile], cwd=self.folder, capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"\d")
        incidents = self.cluster.ask("330800", "incidents")
        self.assertEqual([len(row["reports"]) for row in incidents], [1])

    def test_python_lines_print_an_alert_from_live(self):
        script = self.write("live.py", block("python"))
        child = subprocess.Popen(["/usr/bin/python3", "-u", script, self.cluster.profile("330800", "police")], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
        try:
            # A live subscriber hears only what is published after its subscription has arrived: publish until it does.
            for number in range(2 * PATIENCE):
                alert = self.write("alert.xml", cap(f"README-{number}"))
                self.assertEqual(self.cluster.lianxi("330800", "emergency", "publish", "alert", alert)[0], 0)
                said = lines_until(child, "README-", 0.5)
                if "README-" in said:
                    break
            self.assertIn("alert/330803/emergency", said)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()

    def test_both_readmes_show_the_same_code(self):
        for language in ("cpp", "python"):
            self.assertEqual(block(language), block(language, README_ZH))

    def test_commands_of_the_readme_are_known_to_run(self):
        jobs = set(re.findall(r"\./run ([a-z]+)", README + README_ZH))
        help_text = subprocess.run([ROOT / "run", "help"], capture_output=True, text=True, timeout=PATIENCE).stdout
        for job in jobs:
            self.assertIn(f"./run {job}", help_text)

    def test_links_of_the_readmes_lead_somewhere(self):
        for text in (README, README_ZH):
            for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
                self.assertTrue((ROOT / pathlib.Path(target)).exists(), target)


if __name__ == "__main__":
    unittest.main()
