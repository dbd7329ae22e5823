"""Four cities as real processes on loopback: keys, configuration, brokers, agents and conference nodes.

Used by the demo and by tests/e2e. Everything lies under one folder:
  nodes/<region>/      config.toml, members.toml, keys/, agents/ (public keys), journal/ and view.db
  agents/<region>.<agent>/   spool folder and outbox of an agency's agent; receipts of a conference node
  profiles/<region>.<agent>.toml, logs/, resources/
"""
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import time
import tomllib

REGIONS = {"330800": ("衢州", "Quzhou"), "341000": ("黄山", "Huangshan"), "350700": ("南平", "Nanping"), "361100": ("上饶", "Shangrao")}
PROVINCES = {"33": "浙江", "34": "安徽", "35": "福建", "36": "江西"}
# profile name -> agent id behind the region, role
AGENTS = {"operator": ("emergency.operator", "operator"), "emergency": ("emergency.duty", "agent"), "police": ("police.dispatch", "agent"),
          "fire": ("fire.dispatch", "agent"), "node": ("conference.node", "agent")}
AGENCIES = ("emergency", "police", "fire")
ENDPOINTS = ("flash", "data", "follow", "query", "live")
HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = 60  # seconds, with whatever a program does on a loaded machine

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    """A child does not outlive the demo, even one that is killed: PR_SET_PDEATHSIG."""
    _libc.prctl(1, signal.SIGTERM)


class Failed(Exception):
    """What a person should read; no trace."""


class FreePorts:
    """Free loopback ports below the range from which the system takes ports of outgoing connections, so that none of those can
    sit on one before (or between two starts of) its broker."""

    def __init__(self):
        self._given = set()
        self._random = random.SystemRandom()

    def next(self):
        while True:
            port = self._random.randrange(10240, 32000)
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
            if port not in self._given:
                self._given.add(port)
                return port


def wait_until(condition, seconds, what):
    """The first true value of `condition`, asked again until `seconds` are over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {seconds:g} s in vain: {what}")
        time.sleep(0.05)


class Process:
    """A child in its own session, with its output in a log file."""

    def __init__(self, name, command, log, **more):
        self.name, self.command, self.log = name, [str(part) for part in command], log
        with open(log, "ab") as out:
            self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=more.pop("stdout", out), stderr=out,
                                          start_new_session=True, preexec_fn=_die_with_parent, **more)

    @property
    def pid(self):
        return self.child.pid

    def alive(self):
        return self.child.poll() is None

    def signal(self, number):
        if self.alive():
            self.child.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.child.wait(PATIENCE)

    def last_lines(self, count=6):
        lines = pathlib.Path(self.log).read_text(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-count:])


class Cluster:
    def __init__(self, folder, binaries, regions=None, line=None, cut_region=None, hosts=None):
        """`line`: a relay.Line through which all links of `cut_region` run. `hosts`: where each city's programs run, by region: its address
        and the command that starts a program there; without: all on loopback."""
        self.folder, self.bin = pathlib.Path(folder).resolve(), pathlib.Path(binaries).resolve()
        self.regions = list(regions or REGIONS)
        self.ports = {}
        self.processes = {}
        self._line, self._cut_region = line, cut_region
        self._hosts = hosts or {region: ("127.0.0.1", []) for region in self.regions}
        self._free = FreePorts()
        for program in ("lianxi", "lianxi-broker", "lianxi-agent", "lianxi-node"):
            if not (self.bin / program).exists():
                raise Failed(f"{self.bin / program} is not there: ./run build")

    # --- files ---

    def node_folder(self, region):
        return self.folder / "nodes" / region

    def profile(self, region, agent):
        return self.folder / "profiles" / f"{region}.{agent}.toml"

    def agent_folder(self, region, agent):
        return self.folder / "agents" / f"{region}.{agent}"

    def spool(self, region, agency):
        return self.agent_folder(region, agency) / "spool"

    def members_file(self, region):
        return self.node_folder(region) / "members.toml"

    def config_file(self, region):
        return self.node_folder(region) / "config.toml"

    def prepare(self):
        for part in ("nodes", "profiles", "agents", "logs", "resources"):
            shutil.rmtree(self.folder / part, ignore_errors=True)
            (self.folder / part).mkdir(parents=True)
        for region in self.regions:
            for name in ENDPOINTS + ("metrics",):
                self.ports[region, name] = self._free.next()
            self._make_keys(region)
        for region in self.regions:
            self._write_node(region)
            self._write_profiles(region)

    def join(self, region):
        """The files of one more city, on loopback. Whoever runs already has not heard of it."""
        self._hosts[region] = ("127.0.0.1", [])
        for name in ENDPOINTS + ("metrics",):
            self.ports[region, name] = self._free.next()
        self._make_keys(region)
        self.regions.append(region)
        self._write_node(region)
        self._write_profiles(region)

    def _keys(self, folder, name, *options):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([self.bin / "lianxi", "keys", "new", name, *options], cwd=folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise Failed(f"lianxi keys new {name}: {done.stdout}{done.stderr}")

    def _make_keys(self, region):
        node = self.node_folder(region)
        self._keys(node / "keys", f"{region}.broker.node", "--seal", "--role", "node")
        for agent, (name, role) in AGENTS.items():
            self._keys(node / "keys", f"{region}.{name}", "--role", role)
        (node / "agents").mkdir()
        for name, _ in AGENTS.values():
            shutil.copy(node / "keys" / f"{region}.{name}.toml", node / "agents")

    def _public(self, region, name):
        return tomllib.loads((self.node_folder(region) / "keys" / f"{region}.{name}.toml").read_text())

    def _secret(self, region, name):
        return tomllib.loads((self.node_folder(region) / "keys" / f"{region}.{name}.secret.toml").read_text())

    def address(self, region):
        return self._hosts[region][0]

    def at(self, region, program, *arguments):
        """The command line that starts one of our programs where that city's programs run."""
        return [str(part) for part in (*self._hosts[region][1], self.bin / program, *arguments)]

    def endpoint(self, region, name):
        return f"tcp://{self.address(region)}:{self.ports[region, name]}"

    def _seen_from(self, viewer, region, name):
        """The endpoint by which `viewer` reaches `region`: through the line that can be cut, if either end is that city."""
        if self._line and viewer != region and self._cut_region in (viewer, region) and name in ("flash", "follow"):
            return f"tcp://127.0.0.1:{self._line.add(self.ports[region, name])}"
        return self.endpoint(region, name)

    def _write_node(self, region):
        members = []
        for member in self.regions:
            public = self._public(member, "broker.node")
            zh, en = REGIONS[member]
            members += ["[[member]]", f'region = "{member}"', f'name_zh = "{zh}"', f'name_en = "{en}"',
                        f'seal_key = "{public["seal_key"]}"', f'curve_key = "{public["public_key"]}"']
            members += [f'{name} = "{self._seen_from(region, member, name)}"' for name in ENDPOINTS] + [""]
        self.members_file(region).write_text("\n".join(members))
        shutil.copy(HERE / "policy.toml", self.node_folder(region) / "policy.toml")
        lines = [f'region = "{region}"', 'data_dir = "."', 'members = "members.toml"', 'policy = "policy.toml"', 'agent_keys = "agents"',
                 f'keys = "keys/{region}.broker.node.secret.toml"', "", "[endpoints]"]
        lines += [f'{name} = "{self.endpoint(region, name)}"' for name in ENDPOINTS]
        lines += [f'metrics = "{self.address(region)}:{self.ports[region, "metrics"]}"', "", "[log]", 'format = "console"', 'level = "info"', "",
                  "[disk]", "headroom_mb = 64", ""]
        self.config_file(region).write_text("\n".join(lines))

    def _write_profiles(self, region):
        server_key = self._public(region, "broker.node")["public_key"]
        for agent, (name, _) in AGENTS.items():
            curve = self._secret(region, name)["curve"]
            lines = ["[node]", f'region = "{region}"'] + [f'{e} = "{self.endpoint(region, e)}"' for e in ENDPOINTS]
            lines += [f'server_key = "{server_key}"', "", "[agent]", f'id = "{region}.{name}"', f'public_key = "{curve["public_key"]}"',
                      f'secret_key = "{curve["secret_key"]}"', ""]
            path = self.profile(region, agent)
            path.touch(mode=0o600)
            path.write_text("\n".join(lines))

    # --- processes ---

    def start(self, name, command, **more):
        process = Process(name, command, self.folder / "logs" / f"{name}.log", **more)
        self.processes[name] = process
        return process

    def start_broker(self, region, **more):
        return self.start(f"{region}.broker", self.at(region, "lianxi-broker", "--config", self.config_file(region)), **more)

    def broker(self, region):
        return self.processes[f"{region}.broker"]

    def check_alive(self):
        for process in self.processes.values():
            if not process.alive():
                raise Failed(f"{process.name} ended with {process.child.returncode}; its last words ({process.log}):\n{process.last_lines()}")

    def wait_up(self, region, seconds=PATIENCE):
        def up():
            process = self.broker(region)
            if not process.alive():
                raise Failed(f"{process.name} ended with {process.child.returncode}; its last words ({process.log}):\n{process.last_lines()}")
            return self.status(region)
        return wait_until(up, seconds, f"the node of {region} answers")

    def wait_linked(self, seconds=PATIENCE):
        def linked(region):
            status = self.status(region)
            return status and all(link["state"] == "following" for link in status["links"]) and len(status["links"]) >= len(self.regions) - 1
        for region in self.regions:
            wait_until(lambda: linked(region), seconds, f"{region} follows its peers")

    def stop(self):
        """Everything that was started, agents before brokers; by SIGTERM, and by SIGKILL whoever does not hear it."""
        for brokers in (False, True):
            group = [p for name, p in self.processes.items() if name.endswith(".broker") == brokers]
            for process in group:
                process.signal(signal.SIGCONT)
                process.signal(signal.SIGTERM)
            end = time.monotonic() + 10
            for process in group:
                try:
                    process.child.wait(max(0.1, end - time.monotonic()))
                except subprocess.TimeoutExpired:
                    process.kill()
        self.processes.clear()

    # --- questions ---

    def lianxi(self, region, agent, *arguments, seconds=PATIENCE):
        """Runs the operator's command line; returns (exit status, standard output, standard error)."""
        command = self.at(region, "lianxi", "--profile", self.profile(region, agent), *arguments)
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def ask(self, region, *arguments, agent="operator"):
        """The JSON answer of a question, or None if the node does not answer."""
        code, out, _ = self.lianxi(region, agent, *arguments, "--json")
        return json.loads(out) if code == 0 and out.strip() else None

    def status(self, region):
        return self.ask(region, "status")

    def views_stand(self):
        """Every node's view has all that its journal holds."""
        seen = [self.status(region) for region in self.regions]
        return all(status and status["view_offset"] >= status["head"] for status in seen)

    def alerts_until_now(self, region):
        """Entities of all alerts that a follower from the beginning reads."""
        code, out, error = self.lianxi(region, "operator", "follow", "--kind", "alert", "--from", "beginning", "--until", "now", "--json")
        if code != 0:
            raise Failed(f"lianxi follow at {region}: {error}")
        return [json.loads(line) for line in out.splitlines()]

    def digests_agree(self):
        """None if the nodes' vectors differ, else whether their digests of `conference` are equal."""
        seen = set()
        for region in self.regions:
            status = self.status(region)
            if not status:
                return None
            row = status["digests"].get("conference", {"vector": [], "digest": ""})
            seen.add((json.dumps(row["vector"], sort_keys=True), row["digest"]))
        if len({vector for vector, _ in seen}) != 1:
            return None
        return len(seen) == 1
