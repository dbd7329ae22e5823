"""A chemical plant burns near four provinces' borders: Quzhou asks, Shangrao and Nanping answer, and what they send comes home.

Thread, timeline and map are looked at on all four nodes behind each step.
"""
import json
import unittest

from support import PATIENCE, REGIONS, ClusterTest, wait_until

SHANGRAO = """id,type,name,owner,place,lon,lat,datum,capabilities,quantity,unit,phone
team-1,team,上饶市危化品救援队,上饶市应急管理局,361102,117.971,28.455,CGCS2000,hazmat,1,支,0793-8200001
resp-1,supply,正压式空气呼吸器,上饶市物资储备库,361102,117.973,28.450,CGCS2000,respirator,200,只,0793-8200002
"""
NANPING = """id,type,name,owner,place,lon,lat,datum,capabilities,quantity,unit,phone
team-7,team,南平市危化品救援队,南平市应急管理局,350702,118.179,26.640,CGCS2000,hazmat,1,支,0599-8600001
resp-9,supply,正压式空气呼吸器,南平市物资储备库,350782,118.033,27.756,CGCS2000,respirator,500,只,0599-8600002
"""
SITE = "118.958,28.973"


class Mobilisation(ClusterTest):
    REGIONS = list(REGIONS)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for region, text in (("361100", SHANGRAO), ("350700", NANPING)):
            path = cls.folder / f"{region}.csv"
            path.write_text(text, encoding="utf-8")
            code, out, error = cls.cluster.lianxi(region, "emergency", "import", "resources", path)
            if code != 0:
                raise AssertionError(out + error)

    def say(self, region, *words, code=0):
        """A move of the duty officer of a city; its receipt, or the refusal if one is expected."""
        exit_code, out, error = self.cluster.lianxi(region, "emergency", "mobilise", *words, "--json")
        self.assertEqual(exit_code, code, f"{region} {words}: {out}{error}")
        return json.loads(out)

    def thread(self, region):
        rows = self.cluster.ask(region, "mobilise", "show", self.id)
        return rows[0] if rows else None

    def everywhere(self, what, holds):
        """The thread as all four nodes show it, once it holds; what depends on the asked node's clock is left out."""
        def seen():
            rows = [self.thread(region) for region in self.REGIONS]
            if not all(rows) or not all(holds(row) for row in rows):
                return None
            same = {json.dumps({**row, "members": None}, sort_keys=True) for row in rows}
            return rows[0] if len(same) == 1 else None
        return wait_until(seen, PATIENCE, what)

    def map_is(self, what, **wanted):
        """On all four nodes, of each resource: its state and what is free of it."""
        def right(region):
            rows = self.cluster.ask(region, "resources", "--near", SITE) or []
            have = {row["id"].rsplit(":", 1)[1].replace("-", "_"): (row["state"], row["free"]) for row in rows}
            return have == wanted
        for region in self.REGIONS:
            wait_until(lambda: right(region), PATIENCE, f"{what}: the map of {region}")

    def states(self, row):
        return {(h["resource"].rsplit(":", 1)[1]): h["state"] for h in row["holdings"] if h["resource"]}

    def test_two_teams_and_five_hundred_respirators_come_and_go_home(self):
        request = self.say("330800", "request", "--need", "team:hazmat=2支", "--need", "supply:respirator=500只", "--at", SITE,
                           "--answer-by", "30m", "--arrive-by", "4h", "--level", "orange", "--text", "衢江区化工企业火灾")
        self.id = request["entity"]
        row = self.everywhere("the request is known", lambda r: r["state"] == "requested")
        self.assertEqual([(n["capability"], n["quantity"]) for n in row["needs"]], [("hazmat", 2), ("respirator", 500)])
        self.assertEqual({m["region"]: m["state"] for m in row["members"]},
                         {"341000": "waiting", "350700": "waiting", "361100": "waiting"})

        suggested = self.cluster.ask("330800", "mobilise", "suggest", self.id)
        self.assertEqual([p["resource"]["id"] for p in suggested["picks"]],
                         ["361100:resource:team-1", "350700:resource:team-7", "361100:resource:resp-1", "350700:resource:resp-9"])
        self.assertEqual([p["quantity"] for p in suggested["picks"]], [1, 1, 200, 300])
        self.assertEqual(suggested["lacking"], [])

        # Shangrao promises what it has: a part.
        self.say("361100", "commit", self.id, "--item", "1", "--resource", "361100:resource:team-1=1支", "--eta", "2h")
        self.say("361100", "commit", self.id, "--item", "2", "--resource", "361100:resource:resp-1=180只", "--eta", "2h")
        row = self.everywhere("Shangrao's part", lambda r: self.states(r) == {"team-1": "committed", "resp-1": "committed"})
        self.assertEqual([n["committed"] for n in row["needs"]], [1, 180])
        self.map_is("committed in part", team_1=("committed", 0), resp_1=("available", 20), team_7=("available", 1), resp_9=("available", 500))

        # What is left of it is not enough for more.
        refused = self.say("361100", "commit", self.id, "--item", "2", "--resource", "361100:resource:resp-1=200只", code=1)
        if self.cluster.ask("361100", "mobilise", "show", self.id)[0]["needs"][1]["committed"] != 180:
            self.fail(f"a refused commitment counts: {refused}")
        self.assertEqual(refused["error"]["code"], "conflict", refused)

        # Huangshan has none.
        self.say("341000", "decline", self.id, "--reason", "本市无危化品队伍")
        # Nanping holds its own ready, then promises them whole.
        self.say("350700", "offer", self.id, "--item", "1", "--resource", "350700:resource:team-7=1支", "--eta", "3h")
        self.say("350700", "offer", self.id, "--item", "2", "--resource", "350700:resource:resp-9=320只", "--eta", "3h")
        row = self.everywhere("Nanping's provisional answer",
                              lambda r: self.states(r).get("resp-9") == "provisional" and self.states(r).get("team-7") == "provisional")
        self.assertEqual([n["provisional"] for n in row["needs"]], [1, 320])
        wait_until(lambda: {m["region"]: m["state"] for m in self.thread("330800")["members"]} ==
                   {"341000": "declined", "350700": "answered", "361100": "answered"}, PATIENCE, "who has answered")
        self.map_is("held ready", team_1=("committed", 0), resp_1=("available", 20), team_7=("reserved", 0), resp_9=("available", 180))
        self.say("350700", "commit", self.id, "--item", "1", "--resource", "350700:resource:team-7")
        self.say("350700", "commit", self.id, "--item", "2", "--resource", "350700:resource:resp-9")
        row = self.everywhere("Nanping's full commitment",
                              lambda r: self.states(r).get("resp-9") == "committed" and self.states(r).get("team-7") == "committed")
        self.assertEqual([n["committed"] for n in row["needs"]], [2, 500])

        # On the road, and there.
        for region in ("361100", "350700"):
            self.say(region, "depart", self.id)
        self.everywhere("all have departed", lambda r: set(self.states(r).values()) == {"departed"})
        self.map_is("on the road", team_1=("deployed", 0), resp_1=("available", 20), team_7=("deployed", 0), resp_9=("available", 180))
        for region in ("361100", "350700"):
            self.say(region, "arrive", self.id)
        row = self.everywhere("all have arrived", lambda r: set(self.states(r).values()) == {"arrived"})
        self.assertEqual([n["deployed"] for n in row["needs"]], [2, 500])

        # One city is away while Nanping's team is asked to stay longer; it hears of it when it is back.
        self.cluster.broker("341000").kill()
        self.say("330800", "extend", self.id, "--resource", "350700:resource:team-7", "--until", "12h")
        wait_until(lambda: len(self.thread("350700")["messages"]) > len(row["messages"]), PATIENCE, "Nanping hears the request to extend")
        self.say("350700", "extend", self.id, "--resource", "350700:resource:team-7", "--until", "12h")
        self.cluster.start_broker("341000")
        self.cluster.wait_up("341000")
        self.everywhere("the team stays longer", lambda r: self.states(r)["team-7"] == "extended" and self.states(r)["team-1"] == "arrived")

        # Home again.
        self.say("330800", "release", self.id)
        self.everywhere("all are released", lambda r: set(self.states(r).values()) == {"released"})
        for region in ("361100", "350700"):
            self.say(region, "return", self.id, "--under-way")
        self.everywhere("all are on their way home", lambda r: set(self.states(r).values()) == {"returning"})
        self.map_is("on the way home", team_1=("returning", 0), resp_1=("available", 20), team_7=("returning", 0), resp_9=("available", 180))
        for region in ("361100", "350700"):
            self.say(region, "return", self.id)
        row = self.everywhere("all are back", lambda r: set(self.states(r).values()) == {"returned"})
        self.assertFalse(row["open"])
        self.assertEqual([n["returned"] for n in row["needs"]], [2, 500])
        self.map_is("home", team_1=("available", 1), resp_1=("available", 200), team_7=("available", 1), resp_9=("available", 500))
        said = [m["message"] for m in row["messages"]]
        self.assertEqual(said[0], "RequestResource")
        self.assertEqual([m["received_at"] for m in row["messages"]], sorted(m["received_at"] for m in row["messages"]))
        self.assertEqual(said.count("ReportResourceDeploymentStatus"), 8)
        wait_until(self.cluster.digests_agree, PATIENCE, "equal digests at equal vectors")
        self.assertEqual(self.cluster.ask("330800", "mobilise", "list"), [])
        self.assertEqual(len(self.cluster.ask("330800", "mobilise", "list", "--all")), 1)

        for language, word in (("zh", "已归还"), ("en", "returned")):
            code, out, error = self.cluster.lianxi("341000", "operator", "mobilise", "show", self.id, "--lang", language)
            self.assertEqual(code, 0, error)
            self.assertIn(word, out)


if __name__ == "__main__":
    unittest.main()
