#!/usr/bin/python3
"""Four cities linked, on this machine: see ./run demo."""
import argparse
import fcntl
import os
import pathlib
import signal
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import checks  # noqa: E402
import make_resources  # noqa: E402
from cluster import AGENCIES, PATIENCE, REGIONS, Cluster, Failed, wait_until  # noqa: E402
from followers import Follower  # noqa: E402
from relay import Line  # noqa: E402
from story import Story  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
CUT_REGION = "361100"


def say(text=""):
    print(text, flush=True)


class Stopped(Exception):
    """Ctrl-C or SIGTERM."""


def stop_on_signals():
    def stop(number, _frame):
        raise Stopped(signal.Signals(number).name)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def lock(folder):
    """Held while this process lives; one demo at a time in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = open(folder / ".lock", "a+", encoding="ascii")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.seek(0)
        raise Failed(f"a demo is running already in {folder} (process {handle.read().strip()}); stop it first, or give --dir") from None
    handle.truncate(0)
    handle.write(f"{os.getpid()}\n")
    handle.flush()
    return handle


def start_agents(cluster, region):
    for agency in AGENCIES:
        spool = cluster.spool(region, agency)
        spool.mkdir(parents=True)
        cluster.start(f"{region}.{agency}", [
            cluster.bin / "lianxi-agent", "--profile", cluster.profile(region, agency), "--mapping",
            ROOT / "agents" / "adapter" / agency / "mapping.toml", "--spool", spool, "--outbox", spool.parent / "outbox.db"])
    folder = cluster.agent_folder(region, "node")
    folder.mkdir(parents=True)
    cluster.start(f"{region}.node", [cluster.bin / "lianxi-node", "--profile", cluster.profile(region, "node"), "--receipts", folder / "receipts.db"])


def import_resources(cluster):
    counts = make_resources.make(cluster.folder / "resources", "20201109")
    for region in cluster.regions:
        path = cluster.folder / "resources" / f"{region}.csv"
        code, out, error = cluster.lianxi(region, "operator", "import", "resources", path, seconds=120)
        if code != 0:
            raise Failed(f"lianxi import resources {path}: {out}{error}")
    return counts


def bring_up(cluster):
    """Everything that stands before `ready`; returns (resources by city, followers)."""
    say("生成密钥与配置……  Making keys and configuration")
    cluster.prepare()
    say("启动四市节点……    Starting the nodes of four cities")
    for region in cluster.regions:
        cluster.start_broker(region)
    for region in cluster.regions:
        cluster.wait_up(region)
    cluster.wait_linked()
    say("导入应急资源……    Importing the resource map")
    counts = import_resources(cluster)
    say("启动公安、消防、应急代理和联席会议节点……  Starting police, fire and emergency agents, and conference nodes")
    followers = {}
    for region in cluster.regions:
        start_agents(cluster, region)
        followers[region] = Follower(cluster, region)
    total = sum(counts.values())
    wait_until(lambda: all(len(f.keys()) >= total for f in followers.values()) or cluster.check_alive(), PATIENCE,
               f"all four nodes hold the {total} resources")
    wait_until(cluster.views_stand, PATIENCE, "all four maps show them")
    for region in cluster.regions:
        checks.wait_agents_ready(cluster, region)
    return counts, followers


def run(cluster, line, seconds):
    counts, followers = bring_up(cluster)
    total = sum(counts.values())
    say(f"四市节点、12 个部门代理、4 个联席会议节点已就绪；资源 {total} 条")
    say(f"Nodes of four cities, 12 agencies' agents and 4 conference nodes are up; {total} resources on one map")
    say(f"ready  {cluster.folder / 'profiles'}")
    ready = time.monotonic()
    say()
    story = Story(cluster, line, say)
    story.play(story.length if seconds is None else min(seconds, story.length))
    story.heal()
    good = checks.report(cluster, followers, story, counts, say)
    if seconds is None:
        profile = cluster.profile("330800", "operator")
        if profile.is_relative_to(pathlib.Path.cwd()):
            profile = profile.relative_to(pathlib.Path.cwd())
        say()
        say("演示继续运行，按 Ctrl-C 结束。可另开终端试试：  The cities stay up until Ctrl-C. In another terminal:")
        say(f"  ./run lianxi --profile {profile} resources --near 118.958,28.973 --within 120km --kind team --capability hazmat --available")
        say(f"  ./run lianxi --profile {profile} follow --kind alert --from beginning")
        while True:
            time.sleep(0.5)
            cluster.check_alive()
    while time.monotonic() < ready + seconds:
        time.sleep(min(0.5, max(0.0, ready + seconds - time.monotonic())))
        cluster.check_alive()
    return good


def main():
    parser = argparse.ArgumentParser(prog="./run demo", description="Four cities linked, on this machine.")
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS",
                        help="end that long after `ready`, with status 0 only if everything held")
    parser.add_argument("--bin", default=ROOT / "build" / "bin", help="folder of the programs")
    parser.add_argument("--dir", default=ROOT / "build" / "demo", type=pathlib.Path, help="folder for everything the demo makes")
    arguments = parser.parse_args()
    if arguments.seconds is not None and not 0 < arguments.seconds < 10**6:
        parser.error("--for wants a number of seconds above 0")
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    stop_on_signals()
    cluster = line = None
    try:
        held = lock(arguments.dir.resolve())  # noqa: F841, closed when the process ends
        line = Line()
        cluster = Cluster(arguments.dir, arguments.bin, REGIONS, line, CUT_REGION)
        return 0 if run(cluster, line, arguments.seconds) else 1
    except Failed as failure:
        print(f"demo: {failure}", file=sys.stderr, flush=True)
        return 1
    except Stopped as stopped:
        say(f"\n{stopped}: 正在停止……  stopping")
        return 1 if arguments.seconds is not None else 0
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if cluster:
            cluster.stop()
        if line:
            line.close()


if __name__ == "__main__":
    sys.exit(main())
