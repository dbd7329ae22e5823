"""What a node needs to catch up after a long cut, from one peer on loopback, and what an alert waits for meanwhile.

    ./run bench catchup [--events N] [--rate N] [--window N] [--rounds N] [--alerts N] [--out FOLDER]

Two cities. The second is away while the first takes `--events` bulk events, `--rate` a second (0: as fast as it takes them) and
`--window` at once: at 1,000 a second, or one at once, each event is a batch of its own. Then it comes back; chain and seals are
verified as ever. Events a second are counted from the first that arrives to the last, on the second node's disk. While they move,
`--alerts` alerts are published at the first node: how many batches passed one is each node's own count, how long one took is from its
stamp to a follower of the second node, and how much was still to come then is looked at at once. Each round begins with an empty
second node.
"""
import argparse
import datetime
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "config" / "demo"))
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

from cluster import Cluster, wait_until  # noqa: E402
from support import cap  # noqa: E402

HOME, AWAY = "330800", "341000"
PATIENCE = 900


def metric(cluster, region, name):
    """The value of a metric without labels; None while the node does not answer."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{cluster.ports[region, 'metrics']}/metrics", timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
    except OSError:
        return None
    return None


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


class Alerts:
    """Arrivals of alerts at the node that catches up: seconds from their stamp to a follower's line, and its journal's head then."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.taken, self.head = {}, {}  # by identifier
        self.child = subprocess.Popen(cluster.at(AWAY, "lianxi", "--profile", cluster.profile(AWAY, "operator"), "follow", "--kind", "alert",
                                                 "--from", "beginning", "--json"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.child.stdout:
            event, now = json.loads(line), time.time()
            self.head[event["body"]["identifier"]] = metric(self.cluster, AWAY, "lianxi_journal_next_offset")
            self.taken[event["body"]["identifier"]] = now - datetime.datetime.fromisoformat(event["time"]).timestamp()

    def stop(self):
        self.child.terminate()
        self.child.wait(10)
        self.thread.join(10)


def one_round(cluster, number, events, wanted):
    """The second node comes up with nothing; what is measured of it."""
    folder = cluster.node_folder(AWAY)
    shutil.rmtree(folder / "journal", ignore_errors=True)
    for file in folder.glob("view.db*"):
        file.unlink()
    target = metric(cluster, HOME, "lianxi_journal_next_offset")
    used = cpu_seconds(cluster.broker(HOME).pid)
    cluster.start_broker(AWAY)
    alerts, samples, raised = None, [], []
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        at = metric(cluster, AWAY, "lianxi_journal_next_offset")
        if at is not None:
            samples.append((time.monotonic(), at))
            alerts = alerts or Alerts(cluster)
            # One at a time: the first shows that the follower is there.
            if at > 1 and at < 0.8 * target and len(raised) < wanted and all(name in alerts.taken for name in raised):
                name = f"CATCHUP-{number}-{len(raised)}"
                path = cluster.folder / f"{name}.xml"
                path.write_text(cap(name, place=HOME), encoding="utf-8")
                code, _, error = cluster.lianxi(HOME, "emergency", "publish", "alert", path)
                if code != 0:
                    raise RuntimeError(error)
                raised.append(name)
            if at >= target + len(raised):
                break
        time.sleep(0.02)
    else:
        raise RuntimeError("the second node does not catch up")
    cpu = cpu_seconds(cluster.broker(HOME).pid) - used + cpu_seconds(cluster.broker(AWAY).pid)
    first = max(i for i, (_, at) in enumerate(samples) if at <= 1) if samples[0][1] <= 1 else 0
    rate = (samples[-1][1] - samples[first][1]) / (samples[-1][0] - samples[first][0])
    wait_until(lambda: metric(cluster, AWAY, "lianxi_view_lag_events") == 0, PATIENCE, "the view has it all")
    view = samples[-1][1] / (time.monotonic() - samples[first][0])
    wait_until(lambda: all(name in alerts.taken for name in raised), 60, "the alerts arrive")
    alerts.stop()
    passed = metric(cluster, AWAY, "lianxi_flash_overtaken_batches_max")
    cluster.broker(AWAY).signal(15)
    cluster.broker(AWAY).child.wait(60)
    return {"events_per_second": rate, "view_events_per_second": view, "alerts_ms": [1000 * alerts.taken[name] for name in raised],
            "still_to_come": [target + len(raised) - alerts.head[name] for name in raised], "overtaken_batches_max_away": passed,
            "cpu_us_an_event": 1e6 * cpu / events}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / "build" / "bin", help="the programs")
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--window", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alerts", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path, help="folder for catchup.json")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="lianxi-catchup-"))
    cluster = Cluster(folder, options.bin, [HOME, AWAY])
    try:
        cluster.prepare()
        cluster.start_broker(HOME)
        cluster.wait_up(HOME)
        subprocess.run([options.bin / "lianxi-bench", "fill", "--profile", cluster.profile(HOME, "emergency"), "--events", str(options.events),
                        "--window", str(options.window), "--rate", str(options.rate)], check=True)
        rounds = []
        for number in range(options.rounds):
            rounds.append(one_round(cluster, number, options.events, options.alerts))
            print(f"round {number + 1}: {rounds[-1]['events_per_second']:,.0f} events/s ({rounds[-1]['view_events_per_second']:,.0f} until the view has "
                  f"them), CPU {rounds[-1]['cpu_us_an_event']:.2f} us an event of both nodes, alerts ms {[round(t) for t in rounds[-1]['alerts_ms']]}, "
                  f"then still to come {[round(n) for n in rounds[-1]['still_to_come']]}", flush=True)
        rates = sorted(r["events_per_second"] for r in rounds)
        alerts = sorted(t for r in rounds for t in r["alerts_ms"])
        passed = metric(cluster, HOME, "lianxi_flash_overtaken_batches_max")
        passed_away = max(r["overtaken_batches_max_away"] for r in rounds)
        result = {"events": options.events, "rate": options.rate, "batch": options.window, "median": statistics.median(rates), "min": rates[0], "max": rates[-1],
                  "view_median": statistics.median(r["view_events_per_second"] for r in rounds),
                  "alerts_ms_median": statistics.median(alerts) if alerts else None, "alerts_ms_max": alerts[-1] if alerts else None,
                  "overtaken_batches_max": passed, "overtaken_batches_max_away": passed_away, "rounds": rounds}
        print(f"\ncaught up at {result['median']:,.0f} events/s [{rates[0]:,.0f}-{rates[-1]:,.0f}]; an alert meanwhile: "
              f"{result['alerts_ms_median']:.0f} ms, at most {result['alerts_ms_max']:.0f}; at most {passed:.0f} batches passed one at the first node, "
              f"{passed_away:.0f} at the second"
              if alerts else f"\ncaught up at {result['median']:,.0f} events/s")
        if options.out:
            options.out.mkdir(parents=True, exist_ok=True)
            (options.out / "catchup.json").write_text(json.dumps(result, indent=2) + "\n")
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
