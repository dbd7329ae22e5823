#!/usr/bin/env python3
"""That the house rules can fail: each is broken alone in a made-up tree, and must be named with its file and line."""
import os
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import house_rules  # noqa: E402

GOOD = {
    "schemas/ids.h": "#pragma once\n",
    "schemas/codec/wire_io.h": '#include "wire/common_generated.h"\n#include <flatbuffers/flatbuffers.h>\n',
    "schemas/codec/event_codec.cpp": '#include "schemas/codec/wire_io.h"\n#include <nlohmann/json.hpp>\n',
    "broker/core/turn.cpp": '#include "schemas/ids.h"\n#include "turn.h"\n#include <vector>\n',
    "broker/core/turn.h": '#include "schemas/ids.h"\n',
    "broker/store/view.h": '#include "schemas/ids.h"\n',
    "broker/net/zap.h": '#include "schemas/ids.h"\n',
    "broker/app/node.cpp": '#include "broker/core/turn.h"\n#include "broker/store/view.h"\nauto t = steady_clock::now();\n',
    "agents/sdk/client.h": '#include "schemas/ids.h"\n',
    "agents/formats/cap.h": '#include "schemas/ids.h"\n',
    "agents/operator/main.cpp": '#include "agents/sdk/client.h"\n#include "agents/formats/cap.h"\n',
    "broker/app/CMakeLists.txt": "lianxi_floor(lianxi_app\n  SOURCES node.cpp\n  LINKS lianxi_core lianxi_store\n  PRIVATE zmq)\n",
    "tests/unit/core/turn_test.cpp": '#include "broker/core/turn.h"\n',
}

# What is added or changed, the file and line that must be named, and a word of the reason.
BREACHES = [
    ("schemas/event.h", '#include "broker/core/turn.h"\n', 1, "must not include"),
    ("schemas/event.h", '\n#include "agents/sdk/client.h"\n', 2, "must not include"),
    ("broker/core/policy.cpp", '#include "broker/store/view.h"\n', 1, "must not include"),
    ("broker/store/digest.cpp", '#include "broker/net/zap.h"\n', 1, "must not include"),
    ("broker/store/digest.cpp", '#include "../core/turn.h"\n', 1, "must not include"),
    ("broker/net/link.cpp", '#include "broker/app/node.h"\n', 1, "must not include"),
    ("broker/app/main.cpp", '#include "agents/sdk/client.h"\n', 1, "must not include"),
    ("agents/sdk/client.cpp", '#include "broker/core/turn.h"\n', 1, "must not include"),
    ("agents/sdk/client.cpp", '#include "agents/formats/cap.h"\n', 1, "must not include"),
    ("agents/adapter/map.cpp", '#include "agents/operator/say.h"\n', 1, "must not include"),
    ("schemas/event.cpp", '#include "wire/alert_generated.h"\n', 1, "FlatBuffers"),
    ("broker/core/policy.cpp", '#include <flatbuffers/flatbuffers.h>\n', 1, "FlatBuffers"),
    ("broker/core/policy.cpp", '#include "schemas/codec/wire_io.h"\n', 1, "alone"),
    ("tests/unit/schemas/x_test.cpp", '#include "wire/alert_generated.h"\n', 1, "FlatBuffers"),
    ("agents/sdk/profile.h", '#include <toml++/toml.h>\n', 1, "heavy"),
    ("broker/net/zap.h", '#include <zmq.hpp>\n', 1, "heavy"),
    ("schemas/codec/json.h", '#include <nlohmann/json.hpp>\n', 1, "heavy"),
    ("agents/operator/arguments.h", '#include <CLI/CLI.hpp>\n', 1, "heavy"),
    ("broker/core/policy.cpp", '#include <thread>\n', 1, "pure"),
    ("broker/core/policy.cpp", '\n\nauto now = system_clock::now();\n', 3, "clock"),
    ("schemas/event.cpp", 'auto now = std::chrono::steady_clock::now();\n', 1, "clock"),
    ("broker/app/main.cpp", '#include "tests/support/sample_events.h"\n', 1, "tests"),
    ("tests/unit/core/slow_test.cpp", 'std::this_thread::sleep_for(1s);\n', 1, "sleeps"),
    ("broker/core/policy.cpp", "int x;\n// TO" "DO: later\n", 2, "unfinished"),
    ("schemas/README.md", "this is a st" "ub\n", 1, "unfinished"),
    ("config/policy.toml", "# for n" "ow\n", 1, "unfinished"),
    ("docker/compose.yaml", "x: /home/somebody/lianxi\n", 1, "machine"),
    ("README.md", "\nbuilt in /root/lianxi\n", 2, "machine"),
    ("agents/operator/reasons.cpp", 'Phrase a = {"what no node says: {}", "无"};\n', 1, "no node says"),
    ("broker/core/long.cpp", "int x;\n" * 501, 501, "lines"),
    ("broker/core/CMakeLists.txt", "lianxi_floor(lianxi_core\n  SOURCES a.cpp\n  LINKS lianxi_schemas lianxi_store)\n", 1, "link"),
    ("agents/sdk/CMakeLists.txt", "lianxi_floor(lianxi_sdk SOURCES a.cpp LINKS lianxi_core)\n", 1, "link"),
]


def write_tree(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)


class HouseRules(unittest.TestCase):
    def test_a_good_tree_passes(self):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, GOOD)
            self.assertEqual(list(house_rules.breaches(root)), [])

    def test_each_breach_is_named_by_file_line_and_reason(self):
        for path, text, line, word in BREACHES:
            with self.subTest(path=path, text=text[:60]), tempfile.TemporaryDirectory() as root:
                write_tree(root, {**GOOD, path: text})
                found = list(house_rules.breaches(root))
                self.assertTrue(any(f.startswith(f"{path}:{line}: ") and word in f for f in found), found)

    def test_the_checkouts_own_path_is_a_breach(self):
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, {**GOOD, "config/members.toml": f"x = 1\ny = '{root}/config'\n", "config/policy.toml": f"z = '{root}x'\n"})
            found = list(house_rules.breaches(root))
            self.assertEqual([f for f in found if f.startswith("config/members.toml:2: ") and "machine" in f], found)
            self.assertEqual(len(found), 1)

    def test_the_program_fails_where_a_breach_is(self):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "house_rules.py")
        with tempfile.TemporaryDirectory() as root:
            write_tree(root, GOOD)
            self.assertEqual(subprocess.run([sys.executable, program, root], capture_output=True).returncode, 0)
            write_tree(root, {"schemas/event.h": '#include "broker/core/turn.h"\n'})
            run = subprocess.run([sys.executable, program, root], capture_output=True, text=True)
            self.assertEqual(run.returncode, 1)
            self.assertIn("schemas/event.h:1:", run.stdout)


if __name__ == "__main__":
    unittest.main()
