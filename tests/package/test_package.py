"""The SDK as a CMake package: installed, found, linked and run by a third program against a real node."""
import os
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))

from support import ClusterTest  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BUILD = os.environ["LIANXI_BUILD"]
COMPILER = os.environ["LIANXI_CXX"]
FLAGS = os.environ.get("LIANXI_CXX_FLAGS", "")


def done(*command):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=600)
    if result.returncode != 0:
        raise AssertionError(f"{command}\n{result.stdout}{result.stderr}")
    return result.stdout


class Package(ClusterTest):
    def test_a_third_program_finds_links_and_runs(self):
        prefix, build = self.folder / "prefix", self.folder / "third"
        done("cmake", "--install", BUILD, "--component", "sdk", "--prefix", prefix)
        headers = sorted(str(path.relative_to(prefix / "include" / "lianxi")) for path in prefix.rglob("*.h"))
        self.assertIn("agents/sdk/client.h", headers)
        self.assertFalse([name for name in headers if "impl" in name or "outbox" in name], "what is nobody's stays at home")
        for config in prefix.rglob("*.cmake"):
            self.assertNotIn(str(HERE.parent.parent), config.read_text(encoding="utf-8"), f"{config} names the source tree")
        done("cmake", "-G", "Ninja", "-S", HERE, "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_CXX_COMPILER={COMPILER}",
             f"-DCMAKE_CXX_FLAGS={FLAGS} -Wall -Werror", "-DCMAKE_BUILD_TYPE=Debug")
        done("cmake", "--build", build)
        said = done(build / "third_program", self.cluster.profile("330800", "police"), self.folder / "third.outbox.db")
        receipt = re.search(r"receipt offset=(\d+) feed=330800/1/normal/conference", said)
        self.assertTrue(receipt, said)
        self.assertIn(f"followed offset={receipt.group(1)} title=第三方程序", said)


if __name__ == "__main__":
    unittest.main()
