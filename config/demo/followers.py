"""One follower per node, as `lianxi follow --json` prints it, and what the followers say together: who has what, how soon."""
import datetime
import json
import statistics
import subprocess
import threading
import time


def stamp_seconds(event):
    """When the home node accepted the event, in seconds since 1970."""
    return datetime.datetime.fromisoformat(event["time"]).timestamp()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


class Follower:
    """Reads a node's events from the beginning and notes when each arrived."""

    def __init__(self, cluster, region):
        self.region = region
        self.events = []  # (arrival, event), in order of arrival
        self.seen = {}    # key -> number of times
        self._lock = threading.Lock()
        command = [cluster.bin / "lianxi", "--profile", cluster.profile(region, "operator"), "follow", "--from", "beginning", "--json"]
        self.process = cluster.start(f"{region}.follower", command, stdout=subprocess.PIPE)
        self._thread = threading.Thread(target=self._read, name=f"follower {region}", daemon=True)
        self._thread.start()

    def _read(self):
        for line in self.process.child.stdout:
            arrival = time.time()
            event = json.loads(line)
            key = self.key(event)
            with self._lock:
                self.events.append((arrival, event))
                self.seen[key] = self.seen.get(key, 0) + 1

    @staticmethod
    def key(event):
        return event["region"], event["epoch"], event["lane"], event["audience"], event["seq"]

    def snapshot(self):
        with self._lock:
            return list(self.events)

    def doubles(self):
        with self._lock:
            return sum(1 for count in self.seen.values() if count > 1)

    def keys(self):
        """Of the events that every member may hold."""
        with self._lock:
            return {key for key in self.seen if key[3] == "conference"}


def latencies_ms(follower, since, windows):
    """From the home node's stamp to this follower, of the events stamped after `since`: (over a whole line, over a cut one).

    `windows`: (region, "cut" or "killed", from, until): while that region was away. What was to cross the cut, or was of or for
    the killed node, came late for a reason, and counts apart.
    """
    def hindered(event, stamped, arrival):
        for region, what, begin, until in windows:
            ends = (region == follower.region), (region == event["region"])
            if stamped <= until and arrival >= begin and (ends[0] != ends[1] if what == "cut" else any(ends)):
                return True
        return False

    clear, late = [], []
    for arrival, event in follower.snapshot():
        stamped = stamp_seconds(event)
        if stamped < since:
            continue
        (late if hindered(event, stamped, arrival) else clear).append((arrival - stamped) * 1000)
    return clear, late


def milliseconds(values):
    if not values:
        return "-", "-"
    return f"{statistics.median(values):.1f}", f"{percentile(values, 0.99):.1f}"
