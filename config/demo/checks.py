"""What must hold at the end of a demo, and the table that shows it."""
import json
import sqlite3
import subprocess

from cluster import AGENCIES, PATIENCE, PROVINCES, REGIONS, Failed, wait_until
from followers import latencies_ms, milliseconds
from story import AGENCY_ZH, pad


def wait_agents_ready(cluster, region):
    """The agents and the conference node have read their mapping and profile, and say what they do."""
    def speak():
        cluster.check_alive()
        spoken = all((cluster.folder / "logs" / f"{region}.{agency}.log").stat().st_size for agency in AGENCIES)
        return spoken and (cluster.agent_folder(region, "node") / "receipts.db").exists()
    wait_until(speak, PATIENCE, f"agents and conference node of {region} are at work")


def records_of(story, step):
    """How many events a spool file of the story holds."""
    lines = story.text(step["spool"]).splitlines()
    if step["spool"].endswith(".cap"):
        return 1
    return sum(1 for line in lines if line.strip()) - (1 if step["spool"].endswith(".csv") else 0)


def expected_events(story):
    """(region, agency) -> number of events that the played part of the story gave to it."""
    expected = {}
    for step in story.played:
        if "spool" in step:
            key = step["region"], step["agency"]
            expected[key] = expected.get(key, 0) + records_of(story, step)
    for region, rows in story.moves.rows.items():
        if rows:
            expected[region, "emergency"] = expected.get((region, "emergency"), 0) + rows
    return expected


def seen_events(follower):
    """The same of what a follower has read; the operator's imports are not an agency's."""
    seen = {}
    for _, event in follower.snapshot():
        region, agency, name = event["publisher"].split(".")
        if name != "operator":
            seen[region, agency] = seen.get((region, agency), 0) + 1
    return seen


def receipts(cluster, region):
    """Alerts of which the conference node of a city keeps a receipt."""
    path = cluster.agent_folder(region, "node") / "receipts.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as db:
        return {row[0] for row in db.execute("SELECT entity FROM receipt")}


class Checks:
    def __init__(self, say):
        self.say, self.good = say, True

    def check(self, what, holds, detail=""):
        self.good &= bool(holds)
        self.say(f"  {'ok  ' if holds else 'FAIL'}  {what}" + (f"  {detail}" if detail and not holds else ""))

    def comes(self, what, condition):
        self.comes_for_each(what, [""], lambda _: condition())

    def comes_for_each(self, what, regions, condition):
        """`condition(region)` for each, waited for; one line for all."""
        late = []
        for region in regions:
            try:
                wait_until(lambda r=region: condition(r), PATIENCE, what)
            except Failed as failure:
                late.append(f"{region} {failure}")
        self.check(what, not late, "; ".join(late))


def print_tables(cluster, followers, story, say):
    say()
    say("部门事件 events per agency")
    first = next(iter(followers.values()))
    say("  " + pad("", 18) + "".join(pad(AGENCY_ZH[a], 12) for a in AGENCIES))
    seen = seen_events(first)
    for region in cluster.regions:
        say("  " + pad(f"{region} {REGIONS[region][0]}", 18) + "".join(pad(str(seen.get((region, a), 0)), 12) for a in AGENCIES))
    say()
    say("节点 node           收到预警 alerts   事件 events   p50 ms     p99 ms     断网后补齐 late")
    for region, follower in followers.items():
        clear, late = latencies_ms(follower, story.started_at, story.windows)
        p50, p99 = milliseconds(clear)
        say("  " + pad(f"{region} {REGIONS[region][0]}", 18) + pad(str(len(receipts(cluster, region))), 17) + pad(str(len(clear) + len(late)), 14) +
            pad(p50, 11) + pad(p99, 11) + str(len(late)))
    say("  (p50, p99: 从归属节点落盘时间戳到各节点订阅者收到 from the home node's stamp to a follower of each node)")


def check_nodes(checks, cluster, followers, counts, story):
    def links_stand():
        try:
            cluster.wait_linked(1)
            return True
        except Failed:
            return False
    checks.comes("链路全部恢复 every node follows its peers", links_stand)
    expected = expected_events(story)
    checks.comes_for_each("不丢 no event of an agency is missing on any node", cluster.regions, lambda r: seen_events(followers[r]) == expected)
    checks.comes("视图摘要一致 digests are equal at equal vectors", lambda: cluster.views_stand() and cluster.digests_agree())
    total = sum(counts.values())
    held = {region: len(cluster.ask(region, "resources", "--limit", "10000") or []) for region in cluster.regions}
    checks.check(f"每个节点都有全部资源 every node's map holds all {total} resources", set(held.values()) == {total}, str(held))
    checks.check("不重 none came twice", not any(follower.doubles() for follower in followers.values()))
    said = {}
    for region in cluster.regions:
        verify = subprocess.run([cluster.bin / "lianxi-broker", "verify", cluster.node_folder(region) / "journal", "--members",
                                 cluster.members_file(region)], capture_output=True, text=True)
        if verify.returncode != 0:
            said[region] = verify.stdout + verify.stderr
    checks.check("日志可离线验证 every journal verifies", not said, str(said))


def check_alerts(checks, cluster, story):
    sets = {}
    for region in cluster.regions:
        sets[region] = {event["body"]["entity"] for event in cluster.alerts_until_now(region)}
    checks.check("四市预警集合一致 the same alerts on all nodes", len({frozenset(entities) for entities in sets.values()}) == 1,
                 json.dumps({region: len(entities) for region, entities in sets.items()}))
    checks.comes_for_each("联席会议节点逐条签收 each conference node has a receipt of each alert", cluster.regions,
                          lambda r: receipts(cluster, r) == sets[r])
    played = {step.get("spool") for step in story.played}
    if "330800_drill.cap" in played:
        shown = {region: {row["status"] for row in cluster.ask(region, "alerts") or []} for region in cluster.regions}
        checks.check("演练不混入实况 the drill shows nowhere as actual", all(status == {"Actual"} for status in shown.values()), str(shown))
    if "330800_warning_update.cap" in played:
        states = {row["headline"]: row["state"] for row in cluster.ask("350700", "alerts", "--all") or []}
        checks.check("旧预警已被替代 the first warning is superseded", sorted(states.values()).count("superseded") == 1, str(states))
    if "361100_warning_cancel.cap" in played:
        active = [row["place"] for row in cluster.ask("330800", "alerts") or []]
        checks.check("已解除的预警不再有效 the cancelled warning is gone", "361123" not in active, str(active))


def check_story(checks, cluster, story):
    checks.check("故事按脚本进行 the story went as written", not story.wrong, "; ".join(story.wrong))
    if 7 in story.answers:
        rows = story.answers[7]
        provinces = {PROVINCES[row["place"][:2]] for row in rows}
        checks.check("可用危化队伍来自多省 free hazmat teams of more than one province", len(provinces) > 1, str(provinces))
        distances = [row["distance_m"] for row in rows]
        checks.check("由近及远 nearest first", distances == sorted(distances) and distances)
    if any(step.get("spool") == "330800_emergency_first.jsonl" for step in story.played):
        seen = {}
        for region in cluster.regions:
            rows = cluster.ask(region, "incidents", "--place", "330803") or []
            seen[region] = [sorted({report["agency"] for report in row["reports"]}) for row in rows]
        checks.check("三方报告归并为一个事件 one incident with the reports of three agencies, on every node",
                     all(agencies == [sorted(AGENCIES)] for agencies in seen.values()), str(seen))


def report(cluster, followers, story, counts, say):
    """Prints checks and table; true if everything held."""
    say()
    say("检查 checks")
    checks = Checks(say)
    check_nodes(checks, cluster, followers, counts, story)
    check_alerts(checks, cluster, story)
    check_story(checks, cluster, story)
    print_tables(cluster, followers, story, say)
    say()
    say("全部成立 everything held" if checks.good else "有检查未通过 something did not hold")
    cluster.check_alive()
    return checks.good
