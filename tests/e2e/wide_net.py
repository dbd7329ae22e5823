"""Cities in network namespaces of their own, joined by lines with delay, loss and cuts.

Each city has one end of a veth pair; the other ends stay here, where a thread carries every frame from city to city: late, not at
all with some chance, and not while that direction is cut. So the test needs no kernel module for delay and loss, and one seed loses
the same frames' share everywhere. What TCP makes of it is the kernel's own.

Needs namespaces: `in_own_network` starts the test again inside one, or says why that cannot be.
"""
import ctypes
import heapq
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time

MARK = "LIANXI_WIDE_NET"  # set inside
SOL_PACKET, PACKET_IGNORE_OUTGOING, PACKET_VNET_HDR, ETH_P_ALL = 263, 23, 15, 3  # Python has no names for them
VNET_HEADER = 10  # bytes before each frame: what the kernel left undone of its checksum travels with it


def why_not():
    """Why this machine cannot do it; None if it can."""
    if sys.platform != "linux":
        return "there are no network namespaces here"
    probe = [*_unshare(), "sh", "-c", "ip link add lxa type veth peer name lxb && unshare -n true"]
    try:
        done = subprocess.run(probe, capture_output=True, text=True, timeout=30)
    except FileNotFoundError as missing:
        return f"{missing.filename} is not installed"
    return None if done.returncode == 0 else "network namespaces are not permitted: " + done.stderr.strip()


def _unshare():
    return ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-Urn"]


def in_own_network(arguments):
    """Runs this Python with these arguments in a network of its own; its exit status."""
    return subprocess.run([*_unshare(), sys.executable, *arguments], env={**os.environ, MARK: "1"}).returncode


def _run(*command):
    subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True, timeout=30)


class WideNet:
    """`cities`: their names. Use as a context; `hosts` then says where each city's programs run (Cluster's `hosts`)."""

    def __init__(self, cities, delay, loss, seed):
        self.cities, self.delay, self.loss = list(cities), delay, loss
        self._random = random.Random(seed)
        self._cut = set()  # (from, to), as indexes
        self._stop = threading.Event()
        self.hosts, self._holders, self._ports = {}, [], []
        self.carried, self.lost, self.dropped = 0, 0, 0
        self._thread = threading.Thread(target=self._carry, name="wide net", daemon=True)

    def __enter__(self):
        try:
            self._build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _build(self):
        _run("ip", "link", "set", "lo", "up")
        for number, city in enumerate(self.cities, 1):
            holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up && echo up && exec sleep infinity"], stdout=subprocess.PIPE,
                                      text=True, preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
            self._holders.append(holder)
            if holder.stdout.readline().strip() != "up":
                raise RuntimeError(f"no network namespace for {city}")
            self._join(number, holder.pid)
            self.hosts[city] = (f"10.77.0.{number}", ["nsenter", "-t", str(holder.pid), "-n", "--"])
        self._thread.start()

    def _join(self, number, pid):
        inside = ["nsenter", "-t", pid, "-n", "ip"]
        # One frame a segment: else a lost one would be 64 KB.
        _run("ip", "link", "add", f"city{number}", "type", "veth", "peer", "name", "wide", "netns", pid)
        _run(*inside, "link", "set", "wide", "address", self._mac(number), "gso_max_segs", "1", "up")
        _run(*inside, "addr", "add", f"10.77.0.{number}/24", "dev", "wide")
        for other in range(1, len(self.cities) + 1):
            if other != number:
                _run(*inside, "neigh", "add", f"10.77.0.{other}", "lladdr", self._mac(other), "dev", "wide", "nud", "permanent")
        _run("ip", "link", "set", f"city{number}", "up")
        port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._ports.append(port)
        port.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
        port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        port.bind((f"city{number}", 0))
        port.setblocking(False)

    @staticmethod
    def _mac(number):
        return f"02:00:0a:4d:00:{number:02x}"

    def __exit__(self, *_):
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(10)
        for port in self._ports:
            port.close()
        for holder in self._holders:
            holder.kill()
            holder.wait(10)
            holder.stdout.close()

    def cut(self, one, other, both=True):
        """Nothing passes from `one` to `other` any more, nor back if `both`."""
        a, b = self.cities.index(one), self.cities.index(other)
        self._cut = self._cut | {(a, b)} | ({(b, a)} if both else set())

    def cut_off(self, city):
        for other in self.cities:
            if other != city:
                self.cut(city, other)

    def heal(self):
        self._cut = set()

    def _carry(self):
        poll = select.poll()
        for port in self._ports:
            poll.register(port, select.POLLIN)
        index = {port.fileno(): number for number, port in enumerate(self._ports)}
        late, order = [], 0
        while not self._stop.is_set():
            wait = 0.05 if not late else max(0.0, min(0.05, late[0][0] - time.monotonic()))
            for descriptor, _ in poll.poll(wait * 1000):
                source = index[descriptor]
                for frame in self._frames(self._ports[source]):
                    target = frame[VNET_HEADER + 5] - 1  # the last byte of the address it is for
                    if not (0 <= target < len(self._ports)) or frame[VNET_HEADER] != 2:
                        continue
                    if (source, target) in self._cut:
                        self.dropped += 1
                    elif self._random.random() < self.loss:
                        self.lost += 1
                    else:
                        order += 1
                        heapq.heappush(late, (time.monotonic() + self.delay, order, source, target, frame))
            now = time.monotonic()
            while late and late[0][0] <= now:
                _, _, source, target, frame = heapq.heappop(late)
                self._deliver(source, target, frame)

    def _deliver(self, source, target, frame):
        if (source, target) in self._cut:
            self.dropped += 1  # it was on its way when the line broke
            return
        try:
            self._ports[target].send(frame)
            self.carried += 1
        except OSError:
            self.lost += 1  # a full queue, as any line has

    @staticmethod
    def _frames(port):
        for _ in range(64):
            try:
                yield port.recv(65536 + VNET_HEADER)
            except (BlockingIOError, InterruptedError):
                return
