#!/usr/bin/env python3
"""The rules of the house that a machine can check: run it on a source tree; every breach is one line, file and line first.

  house_rules.py ROOT

Floors (broker/ARCHITECTURE.md):
  schemas -> broker/{core,store,net} -> broker/app        schemas -> agents/{sdk,formats} -> agents/{adapter,conference,operator}
"""
import os
import re
import sys

# A floor, its CMake target, and the floors whose headers it may include beside its own.
FLOORS = {
    "schemas": ("lianxi_schemas", []),
    "broker/core": ("lianxi_core", ["schemas"]),
    "broker/store": ("lianxi_store", ["schemas"]),
    "broker/net": ("lianxi_net", ["schemas"]),
    "broker/app": ("lianxi_app", ["schemas", "broker/core", "broker/store", "broker/net"]),
    "agents/sdk": ("lianxi_sdk", ["schemas"]),
    "agents/formats": ("lianxi_formats", ["schemas"]),
    "agents/adapter": ("lianxi_adapter_lib", ["schemas", "agents/sdk", "agents/formats"]),
    "agents/conference": ("lianxi_conference", ["schemas", "agents/sdk", "agents/formats"]),
    "agents/operator": ("lianxi_operator", ["schemas", "agents/sdk", "agents/formats"]),
}
TREES = ["schemas", "broker", "agents", "tests", "config", "docker"]
CODE = (".cpp", ".h")
TEXT = CODE + (".py", ".fbs", ".sql", ".cmake", ".txt", ".toml", ".md", ".sh", ".yaml", ".service", ".json")
MAX_LINES = 500

GENERATED = re.compile(r"_generated\.h$|^flatbuffers/")
GENERATED_HOME = "schemas/codec/"
# Headers that the .cpp files of one folder share, and nobody else includes: these may be heavy.
PRIVATE = {"schemas/codec/" + name
           for name in ("wire_io.h", "event_io.h", "message_io.h", "explain_io.h", "status_io.h", "map_io.h", "mobilisation_io.h", "mobilisation_query_io.h", "blake2b_many.h", "little_endian.h", "segment_layout.h", "sodium.h", "json_parts.h",
                        "json_fields.h")}
PRIVATE |= {"broker/net/zmq_socket.h", "broker/net/frame_reader.h"}
HEAVY = re.compile(r"^(nlohmann/json\.hpp|toml\+\+/|CLI/|CLI11|zmq\.hpp|zmq_addon\.hpp|GeographicLib/|libxml/|prometheus/|boost/|zstd\.h)")
# What the pure floors do without.
IMPURE = re.compile(r"^(thread|mutex|shared_mutex|condition_variable|future|atomic|fstream|iostream|filesystem|random|unistd\.h|"
                    r"sys/.*|zmq.*|sqlite3\.h|SQLiteCpp/.*|spdlog/.*)$")
PURE = ("broker/core/",)
CLOCK = re.compile(r"\b(system_clock|steady_clock|high_resolution_clock)::now\b|\bclock_gettime\s*\(|\bgettimeofday\s*\(")
CLOCKLESS = ("schemas/", "broker/core/", "broker/store/")
SLEEP = re.compile(r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(|\bnanosleep\s*\(")
# Split so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|TB" r"D|HA" r"CK)\b|\b(for n" r"ow|not implemen" r"ted|place" r"holder|dum" r"my|"
                        r"st" r"ub)\b", re.IGNORECASE)
UNFINISHED_CASED = re.compile(r"\b(XX" r"X|TB" r"D|HA" r"CK)\b")
# Where somebody works: a home folder, and (checkout_path) the folder of this very checkout.
PERSONAL = re.compile(r"(?<![\w.$}-])/(home|root)/\w")
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def floor_of(path):
    for floor in FLOORS:
        if path.startswith(floor + "/"):
            return floor
    return None


def files_of(root):
    for tree in TREES:
        for folder, folders, names in os.walk(os.path.join(root, tree)):
            folders[:] = sorted(f for f in folders if f not in ("build", "__pycache__", "data", "golden"))
            for name in sorted(names):
                if name.endswith(TEXT):
                    yield os.path.relpath(os.path.join(folder, name), root)
    for name in sorted(os.listdir(root)):
        if name.endswith(TEXT) or name == "run":
            if os.path.isfile(os.path.join(root, name)):
                yield name


def target_of_include(root, path, quoted):
    """The file of the tree that a quoted include means: from the root, else beside the file."""
    if os.path.isfile(os.path.join(root, quoted)):
        return quoted
    beside = os.path.normpath(os.path.join(os.path.dirname(path), quoted))
    return beside if os.path.isfile(os.path.join(root, beside)) else quoted


def check_include(root, path, quoted, angled):
    own = floor_of(path)
    name = quoted or angled
    if GENERATED.search(name) and not path.startswith(GENERATED_HOME):
        if not (path.startswith("tests/") and name.startswith("flatbuffers/")):
            yield f"only {GENERATED_HOME} reads FlatBuffers; use schemas/codec/event_codec.h or schemas/protocol.h"
    if path.endswith(".h") and not path.startswith("tests/") and path not in PRIVATE and HEAVY.match(name):
        yield f"<{name}> is heavy: include it in one .cpp, never in a header"
    if path.startswith(PURE) and IMPURE.match(name):
        yield f"<{name}> has no place in the pure floor {own}: values in, effects out"
    target = target_of_include(root, path, quoted) if quoted else angled
    home = os.path.dirname(target)
    if target in PRIVATE and (os.path.dirname(path) != home or path.endswith(".h") and path not in PRIVATE):
        yield f"{target} is for the .cpp files of {home} alone"
    other = floor_of(target)
    if target.startswith("tests/") and not path.startswith("tests/"):
        yield f"{target}: the product includes nothing of the tests"
    if own and other and other != own and other not in FLOORS[own][1]:
        allowed = ", ".join(FLOORS[own][1]) or "nothing"
        yield f"{own} must not include {target}: beside itself it may include {allowed}"


def check_links(path, text):
    """A floor's CMake links are its allowed includes."""
    targets = {target: floor for floor, (target, _) in FLOORS.items()}
    for call in re.finditer(r"lianxi_floor\(\s*(\w+)(.*?)\n?\)", text, re.DOTALL):
        name, body = call.group(1), call.group(2)
        line = text[:call.start()].count("\n") + 1
        links = re.search(r"\bLINKS\b(.*?)(\bPRIVATE\b|$)", body, re.DOTALL)
        floor = targets.get(name)
        for link in (links.group(1).split() if links else []):
            if floor and link in targets and targets[link] not in FLOORS[floor][1]:
                yield line, f"{name} must not link {link}: floors go one way"


def checkout_path(root):
    return re.compile(re.escape(os.path.abspath(root)) + r"(?![\w.-])")


def check_file(root, path):
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            text = file.read()
    except UnicodeDecodeError:
        yield 1, "is not UTF-8"
        return
    lines = text.splitlines()
    checkout = checkout_path(root)
    code = path.endswith(CODE)
    if (code or path.endswith(".py")) and len(lines) > MAX_LINES:
        yield len(lines), f"{len(lines)} lines: above {MAX_LINES}, cut it where it holds two thoughts"
    for number, line in enumerate(lines, 1):
        include = INCLUDE.match(line) if code else None
        if include:
            for breach in check_include(root, path, include.group(1), include.group(2)):
                yield number, breach
        found = UNFINISHED.search(line)
        if found and (found.group(0).upper() not in ("XX" "X", "TB" "D", "HA" "CK") or UNFINISHED_CASED.search(line)):
            yield number, f"unfinished: '{found.group(0)}'"
        if code and path.startswith(CLOCKLESS) and CLOCK.search(line):
            yield number, "reads a clock: time is a field of the input"
        if code and path.startswith("tests/") and not path.startswith("tests/bench/") and SLEEP.search(line):
            yield number, "a test sleeps: wait for a condition, bounded"
        if PERSONAL.search(line) or checkout.search(line):
            yield number, "names a path of the machine it was written on"
    if os.path.basename(path) == "CMakeLists.txt":
        yield from check_links(path, text)


def source_text(root, folder):
    """All code below the folder, with string literals that stand in pieces joined."""
    text = ""
    for path in files_of(root):
        if path.startswith(folder) and path.endswith(CODE):
            with open(os.path.join(root, path), encoding="utf-8") as file:
                text += file.read()
    return re.sub(r'"\s*\n\s*"', "", text)


def check_phrases(root):
    """What the operator's program translates is what the node says."""
    path = "agents/operator/reasons.cpp"
    phrases = source_text(root, path)
    said = source_text(root, "broker/") if phrases else ""
    for english in re.findall(r'\{"([ -~]+)",\s*"', phrases):
        for clause in re.split(r"\{\}|[:;,()]", english):
            if len(clause.strip()) > 3 and clause.strip() not in said:
                yield f'{path}:1: no node says "{clause.strip()}"'


def breaches(root):
    yield from check_phrases(root)
    for path in files_of(root):
        if os.path.basename(path).startswith("house_rules"):
            continue
        for line, breach in check_file(root, path):
            yield f"{path}:{line}: {breach}"


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    found = list(breaches(sys.argv[1]))
    for breach in found:
        print(breach)
    print(f"{len(found)} breaches of the house rules" if found else "the house rules hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
