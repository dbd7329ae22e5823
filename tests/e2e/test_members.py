"""A city joins three running nodes and another leaves them: no restart, nothing lost; and what a node says of who gets an event."""
import datetime
import json
import pathlib
import subprocess
import unittest

from support import BIN, PATIENCE, ClusterTest, cap, wait_until

HOME, GONE, THIRD, NEW = "330800", "341000", "350700", "361100"
ENDPOINTS = ("flash", "data", "follow", "query", "live")
REPORT = {"kind": "incident", "status": "Actual", "place": "330803", "agency": "emergency", "level": "orange",
          "occurred_at": "2020-11-09T08:31:05+08:00", "report_type": "first", "class": "accident", "state": "reported", "title": "火灾"}


class Members(ClusterTest):
    REGIONS = [HOME, GONE, THIRD]

    @classmethod
    def start_brokers(cls):
        for region in cls.REGIONS:
            with open(cls.cluster.members_file(region), "a", encoding="utf-8") as file:
                file.write(f'\n# 上游\n[[group]]\nname = "upstream"\nmembers = ["{HOME}", "{GONE}"]\n')
        super().start_brokers()
        cls.pids = {region: cls.cluster.broker(region).pid for region in cls.REGIONS}

    def lianxi(self, *arguments):
        done = subprocess.run([str(part) for part in (BIN / "lianxi", *arguments)], capture_output=True, text=True, timeout=PATIENCE)
        return done.returncode, done.stdout, done.stderr

    def good(self, *arguments):
        code, out, error = self.lianxi(*arguments)
        self.assertEqual(code, 0, out + error)
        return out

    def publish(self, region, identifier):
        path = self.write(f"{identifier}.xml", cap(identifier, place=region))
        return self.cluster.lianxi(region, "emergency", "publish", "alert", path, "--json")

    def published(self, region, identifier):
        code, out, error = self.publish(region, identifier)
        self.assertEqual(code, 0, out + error)
        return json.loads(out)

    def report(self, name, audience):
        body = {**REPORT, "entity": f"{HOME}:incident:{name}", "case_reference": name, "audience": audience, "text": name}
        code, out, error = self.cluster.lianxi(HOME, "emergency", "publish", "incident", self.write(f"{name}.json", json.dumps(body)), "--json")
        self.assertEqual(code, 0, out + error)
        return json.loads(out)

    def identifiers(self, region, of):
        return sorted(e["body"]["identifier"] for e in self.cluster.alerts_until_now(region) if e["region"] == of)

    def copy_to(self, regions, text):
        for region in regions:
            path = self.cluster.members_file(region)
            fresh = path.with_suffix(".copy")
            fresh.write_text(text, encoding="utf-8")
            fresh.rename(path)

    def versions(self, regions):
        return {(self.cluster.status(region) or {}).get("members") for region in regions}

    def log(self, region):
        return pathlib.Path(self.cluster.broker(region).log).read_text(errors="replace")

    def nobody_was_restarted(self):
        for region, pid in self.pids.items():
            self.assertTrue(self.cluster.broker(region).alive())
            self.assertEqual(self.cluster.broker(region).pid, pid)

    def test_a_city_joins_three_running_nodes(self):
        self.published(HOME, "BEFORE")
        cluster, file = self.cluster, self.cluster.members_file(HOME)
        before = file.read_text(encoding="utf-8")
        cluster.join(NEW)
        endpoints = [part for name in ENDPOINTS for part in (f"--{name}", cluster.endpoint(NEW, name))]
        keys = cluster.node_folder(NEW) / "keys" / f"{NEW}.broker.node.toml"
        said = json.loads(self.good("member", "add", "--members", file, "--region", NEW, "--name-zh", "上饶市", "--name-en", "Shangrao",
                                    "--keys", keys, *endpoints, "--json"))
        text = file.read_text(encoding="utf-8")
        self.assertTrue(text.startswith(before), "the rest of the file stays as it was")
        self.copy_to([GONE, THIRD, NEW], text)
        cluster.start_broker(NEW)
        cluster.wait_up(NEW)
        cluster.wait_linked()
        wait_until(lambda: self.versions(cluster.regions) == {said["version"]}, PATIENCE, "four nodes run the new file")
        wait_until(lambda: self.identifiers(NEW, HOME) == ["BEFORE"], PATIENCE, "the new city has what was before it")
        self.published(NEW, "FROM-THE-NEW")
        for region in (HOME, GONE, THIRD):
            wait_until(lambda: self.identifiers(region, NEW) == ["FROM-THE-NEW"], PATIENCE, f"{region} hears the new city")
        wait_until(cluster.digests_agree, PATIENCE, "equal digests at equal vectors")
        self.nobody_was_restarted()

    def test_b_two_files_are_seen_and_a_bad_one_is_refused(self):
        file, text = self.cluster.members_file(HOME), self.cluster.members_file(HOME).read_text(encoding="utf-8")
        def listed(*more):
            return self.cluster.lianxi(HOME, "operator", "member", "list", "--members", file, "--node", *more)[1]
        version = json.loads(listed("--json"))["version"]
        self.copy_to([GONE], text + "# another copy\n")
        wait_until(lambda: f"{GONE} runs another members file" in listed(), PATIENCE, "another file is seen")
        self.assertIn("使用的是另一份成员文件", listed("--lang", "zh"))
        self.copy_to([GONE], text)
        wait_until(lambda: "another members file" not in listed(), PATIENCE, "the same file again")
        for bad, why in ((text + "[[member]\n", "correct what is found"), (text[:text.rindex("[[member]]")], "is gone"),
                         (text.replace(f'"{HOME}", "{GONE}"', f'"{HOME}", "{THIRD}"'), "another set")):
            seen = self.log(THIRD).count("reload refused")
            self.copy_to([THIRD], bad)
            wait_until(lambda: self.log(THIRD).count("reload refused") > seen, PATIENCE, f"a file is refused: {why}")
            self.assertIn(why, [line for line in self.log(THIRD).splitlines() if "reload refused" in line][-1])
            self.assertEqual(self.versions([THIRD]), {version}, "the file that ran runs on")
        self.copy_to([THIRD], text)
        self.published(THIRD, "STILL-THERE")
        wait_until(lambda: "STILL-THERE" in self.identifiers(HOME, THIRD), PATIENCE, "and its links stand")

    def explain(self, event, agent="operator", region=HOME):
        return self.cluster.ask(region, "explain", str(event), agent=agent)

    def receivers(self, event):
        return {row["region"]: row["holding"] for row in (self.explain(event) or {"receivers": []})["receivers"]}

    def test_c_a_node_says_who_gets_an_event_and_why(self):
        local, group = self.report("e-local", "local"), self.report("e-group", "upstream")
        alert = self.published(HOME, "E-ALL")
        wait_until(lambda: (self.cluster.status(HOME) or {"view_offset": 0})["view_offset"] > alert["offset"], PATIENCE, "the view has them")
        outside = {HOME: "holds", GONE: "outside", THIRD: "outside", NEW: "outside"}
        self.assertEqual(self.receivers(local["entity"]), outside)
        wait_until(lambda: self.receivers(group["offset"]) == {**outside, GONE: "holds"}, PATIENCE, "the group has its own")
        everybody = dict.fromkeys((HOME, GONE, THIRD, NEW), "holds")
        name = f'{HOME}/{alert["epoch"]}/flash/conference/{alert["seq"]}'
        wait_until(lambda: self.receivers(name) == everybody, PATIENCE, "everybody has what is for all")
        report = self.explain(name)
        self.assertEqual(report["event"]["entity"], alert["entity"])
        self.assertIn(f"alert/{HOME}/emergency", report["topics"])
        rights = {row["agent"]: row for row in report["rights"]}
        self.assertTrue(rights[f"{HOME}.emergency.operator"]["query"])
        self.assertIn("at line", rights[f"{HOME}.emergency.operator"]["query_why"])
        # Of another region's event a node knows less, and says so.
        foreign = self.explain(name, region=THIRD)
        wait_until(lambda: self.explain(alert["entity"], region=THIRD), PATIENCE, "the entity is found at another node")
        self.assertEqual({r["region"]: r["holding"] for r in self.explain(alert["entity"], region=THIRD)["receivers"]}[GONE], "unknown")
        self.assertIsNotNone(foreign)
        # To whom the event is not shown, it does not exist.
        for event in (local["entity"], group["offset"], 10 ** 9):
            code, out, _ = self.cluster.lianxi(HOME, "node", "explain", str(event), "--json")
            self.assertEqual((code, json.loads(out)["error"]["code"]), (1, "not_found"))
        self.cluster.broker(NEW).kill()
        late = self.published(HOME, "E-LATE")
        wait_until(lambda: self.receivers(late["offset"]).get(THIRD) == "holds", PATIENCE, "the others have it")
        row = {r["region"]: r for r in self.explain(late["offset"])["receivers"]}[NEW]
        self.assertEqual(row["holding"], "behind")
        self.cluster.start_broker(NEW)
        self.cluster.wait_up(NEW)
        wait_until(lambda: self.receivers(late["offset"]).get(NEW) == "holds", PATIENCE, "and it, when it is back")
        for language, word in (("en", "has it"), ("zh", "已持有")):
            code, out, error = self.cluster.lianxi(HOME, "operator", "explain", name, "--lang", language)
            self.assertEqual(code, 0, error)
            self.assertIn(word, out)

    def test_d_a_city_leaves_and_what_it_said_stays(self):
        cluster, file = self.cluster, self.cluster.members_file(HOME)
        self.published(GONE, "EARLIER")
        until = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=12)
        self.good("member", "retire", "--members", file, "--region", GONE, "--until", until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        text = file.read_text(encoding="utf-8")
        self.copy_to([GONE, THIRD, NEW], text)
        accepted, number = ["EARLIER"], 0
        def refused():
            nonlocal number
            number += 1
            code, out, _ = self.publish(GONE, f"LAST-{number:04}")
            if code == 0:
                accepted.append(f"LAST-{number:04}")
                return None
            return json.loads(out)["error"]
        error = wait_until(refused, PATIENCE, "the city that has left publishes nothing more")
        self.assertEqual(error["code"], "not_allowed")
        self.assertIn("no member since", error["reason"])
        self.assertGreater(len(accepted), 1)
        rest = [region for region in cluster.regions if region != GONE]
        for region in rest:
            wait_until(lambda: self.identifiers(region, GONE) == sorted(accepted), PATIENCE, f"{region} has all that was acknowledged")
            wait_until(lambda: all(link["state"] == "retired" for link in cluster.status(region)["links"] if link["region"] == GONE),
                       PATIENCE, f"{region} has no link to it")
        self.published(HOME, "WITHOUT-IT")
        for region in rest[1:]:
            wait_until(lambda: "WITHOUT-IT" in self.identifiers(region, HOME), PATIENCE, f"{region} goes on")
        self.assertNotIn("WITHOUT-IT", self.identifiers(GONE, HOME))
        self.assertIn("EARLIER", [row["identifier"] for row in cluster.ask(HOME, "alerts")], "in the view")
        self.assertEqual({r["region"]: r["standing"] for r in self.explain(self.published(HOME, "NOW")["offset"])["receivers"]}[GONE], "retired")
        self.nobody_was_restarted()
        cluster.broker(HOME).kill()
        done = subprocess.run([BIN / "lianxi-broker", "verify", cluster.node_folder(HOME) / "journal", "--members", file],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        file.write_text(text.replace(f'"{HOME}", "{GONE}"', f'"{HOME}", "{THIRD}"'), encoding="utf-8")
        self.assertEqual(cluster.start_broker(HOME).child.wait(PATIENCE), 2, "a restart gives no group another set")
        self.assertIn("another set", self.log(HOME))


if __name__ == "__main__":
    unittest.main()
