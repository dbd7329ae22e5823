"""Tests that run `lianxi` against a running node."""
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from support import BIN, PATIENCE, ClusterTest, wait_until  # noqa: E402


class OperatorTest(ClusterTest):
    def lianxi(self, *arguments, agent="operator", **more):
        environment = {key: value for key, value in os.environ.items() if key != "LIANXI_PROFILE"}
        environment.update(more.pop("env", {}))
        profile = more.pop("profile", self.cluster.profile("330800", agent))
        command = [str(BIN / "lianxi"), *(["--profile", str(profile)] if profile else []), *[str(a) for a in arguments]]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, env=environment, **more)
        return done.returncode, done.stdout, done.stderr

    def good(self, *arguments, **more):
        code, out, err = self.lianxi(*arguments, **more)
        self.assertEqual(code, 0, f"{arguments}: {out}{err}")
        return out

    def ask(self, *arguments, **more):
        return json.loads(self.good(*arguments, "--json", **more))

    def refused(self, code, *arguments, status=1, **more):
        got, out, err = self.lianxi(*arguments, "--json", **more)
        self.assertEqual(got, status, f"{arguments}: {out}{err}")
        error = json.loads(out)["error"]
        self.assertEqual(error["code"], code)
        self.assertTrue(error["reason"])
        return error

    def lines(self, *arguments):
        return [json.loads(line) for line in self.good("follow", *arguments, "--json").splitlines()]

    def offset_in_view(self, receipt):
        wait_until(lambda: self.ask("status")["view_offset"] > receipt["offset"], PATIENCE, "the view has the event")
