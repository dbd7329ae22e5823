"""Plays story.toml over a running cluster, and remembers what it did, so that it can be checked afterwards."""
import datetime
import json
import pathlib
import re
import time
import tomllib
import unicodedata

from cluster import PROVINCES, REGIONS, Failed
from moves import Moves

HERE = pathlib.Path(__file__).resolve().parent
BEIJING = datetime.timezone(datetime.timedelta(hours=8))
AGENCY_ZH = {"police": "公安", "fire": "消防", "emergency": "应急", "operator": "值班员"}


def width(text):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def pad(text, columns):
    return text + " " * max(0, columns - width(text))


def fill_times(text, start):
    """@T+9@, @D+9@, @S+9@ and @N@ of a story file."""
    forms = {"T": "%Y-%m-%dT%H:%M:%S+08:00", "D": "%Y-%m-%d %H:%M:%S", "S": "%Y%m%d%H%M%S"}

    def at(match):
        return (start + datetime.timedelta(seconds=int(match.group(2)))).strftime(forms[match.group(1)])
    return re.sub(r"@([TDS])([+-]\d+)@", at, text).replace("@N@", start.strftime("%Y%m%d"))


class Story:
    def __init__(self, cluster, line, say):
        self.cluster, self.line, self.say = cluster, line, say
        self.steps = sorted(tomllib.loads((HERE / "story.toml").read_text(encoding="utf-8"))["step"], key=lambda step: step["at"])
        self.length = self.steps[-1]["at"] + 2
        self.played = []
        self.windows = []        # (region, what, from, until): when a city was cut off or its node killed
        self.wrong = []          # what did not go as the story says
        self.answers = {}        # at -> JSON answer of a question
        self.started_at = 0.0
        self.moves = None
        self._away = {}
        self._clock = 0.0

    def play(self, seconds):
        """The first `seconds` of the story, in real time."""
        self.started_at = time.time()
        self._clock = time.monotonic()
        self._start = datetime.datetime.fromtimestamp(int(self.started_at), BEIJING)
        self.moves = Moves(self.cluster)
        moves = [{"at": at + 0.5, "move": True} for at in range(0, int(self.length) - 2, Moves.EVERY_S)]
        for step in sorted(self.steps + moves, key=lambda step: step["at"]):
            if step["at"] > seconds:
                break
            time.sleep(max(0.0, self._clock + step["at"] - time.monotonic()))
            if "move" in step:
                for region in self.cluster.regions:
                    self.moves.report(region)
                continue
            self._tell(step)
            self._do(step)
            self.played.append(step)
        time.sleep(max(0.0, self._clock + min(self.length, seconds) - time.monotonic()))

    def heal(self):
        """Ends what the story would have ended, had it been played to the end."""
        for region, (what, _) in list(self._away.items()):
            (self._mend if what == "cut" else self._bring_back)(region)

    def away(self):
        return set(self._away)

    # --- steps ---

    def _tell(self, step):
        region = next(step[key] for key in ("region", "cut", "mend", "kill", "start") if key in step)
        who = REGIONS[region][0] + AGENCY_ZH.get(step.get("agency"), "")
        self.say(f"{step['at']:>4} s  {pad(who, 11)} {step['zh']}")
        self.say(f"{'':8}{'':11} {step['en']}")

    def _do(self, step):
        if "spool" in step:
            self._drop(step["region"], step["agency"], step["spool"])
        elif "ask" in step:
            self._ask(step)
        elif "refused" in step:
            self._expect_refusal(step)
        elif "cut" in step:
            self._away[step["cut"]] = ("cut", time.time())
            self.line.cut()
        elif "mend" in step:
            self._mend(step["mend"])
        elif "kill" in step:
            self._away[step["kill"]] = ("killed", time.time())
            self.cluster.broker(step["kill"]).kill()
        elif "start" in step:
            self._bring_back(step["start"])

    def text(self, name):
        return fill_times((HERE / "story" / name).read_text(encoding="utf-8"), self._start)

    def _drop(self, region, agency, name):
        """Into the spool folder, whole: written beside it, then moved in."""
        spool = self.cluster.spool(region, agency)
        beside = spool.parent / name
        beside.write_text(self.text(name), encoding="utf-8")
        beside.rename(spool / name)

    def _mend(self, region):
        self.line.mend()
        self._back(region)

    def _bring_back(self, region):
        self.cluster.start_broker(region)
        self._back(region)

    def _back(self, region):
        # Up to kMaxReconnectMs and a heartbeat go by until the links stand again.
        what, since = self._away.pop(region)
        self.windows.append((region, what, since, time.time() + 8))

    def _ask(self, step):
        answer = self.cluster.ask(step["region"], *step["ask"])
        if answer is None:
            self.wrong.append(f"second {step['at']}: no answer to {' '.join(step['ask'])}")
            return
        self.answers[step["at"]] = answer
        if not answer:
            self.say(f"{'':20}(没有 none)")
        for row in answer:
            self.say(" " * 20 + render(step["ask"][0], row))

    def _expect_refusal(self, step):
        path = self.cluster.folder / "agents" / step["refused"][-1]
        path.write_text(self.text(step["refused"][-1]), encoding="utf-8")
        code, out, error = self.cluster.lianxi(step["region"], step["agency"], *step["refused"][:-1], path, "--json")
        try:
            refusal = json.loads(out or error)["error"]
        except (ValueError, KeyError, TypeError):
            refusal = {}
        if code != 1 or refusal.get("code") != "not_allowed":
            self.wrong.append(f"second {step['at']}: not refused as it should be: exit status {code}, {out or error}")
        else:
            self.say(f"{'':20}{refusal['code']}: {refusal['reason']}")


def render(question, row):
    """One row of an answer as a line for people."""
    if question == "resources":
        distance = f"{row['distance_m'] / 1000:6.1f} km  " if row.get("distance_m") is not None else ""
        quantity = f"{float(row['quantity']):g}{row['unit']}"
        return f"{distance}{PROVINCES[row['place'][:2]]}  {pad(row['name'], 30)} {quantity}"
    if question == "alerts":
        return f"{pad(str(row['level']), 7)} {row['region']}  {row['headline']}"
    counts = {}
    for report in row["reports"]:
        counts[report["agency"]] = counts.get(report["agency"], 0) + 1
    agencies = "、".join(f"{AGENCY_ZH.get(agency, agency)} {count}" for agency, count in counts.items())
    return f"{row['id']}  {row['state']}  {len(row['reports'])} 份报告 reports ({agencies})"


__all__ = ["Story", "Failed", "pad", "width"]
