"""Files in and out against a running node: resources as CSV and GeoJSON, mobilisations as EDXL-RM."""
import csv
import io
import json
import pathlib
import unittest

from operator_kit import OperatorTest

SAMPLES = pathlib.Path(__file__).resolve().parent.parent / "data"
ROWS = 20_000
HEAD = "id,type,name,owner,place,lon,lat,datum,capabilities,state,quantity,unit,answerable,valid_until,languages,on_call,area,attributes\n"


def row(i, name="库"):
    """Every third row is a site with an area, every fifth an expert."""
    lon, lat = 118.3 + i % 1000 / 1000, 28.5 + i // 1000 / 100
    site = i % 3 == 0
    area = f'"POLYGON(({lon} {lat}, {lon + 0.01} {lat}, {lon + 0.01} {lat + 0.01}, {lon} {lat}))"' if site else ""
    kind = "site" if site else "expert" if i % 5 == 0 else "supply"
    return (f"r-{i:06d},{kind},{name} {i},应急局,330881,{lon},{lat},WGS84,flood;pump,available,{i}.5,件,{'赵' if site else ''},"
            f"2099-12-31,{'zh;en' if kind == 'expert' else ''},{'mon-fri 08:00-18:00' if kind == 'expert' else ''},{area},等级={i % 7}\n")


class Transfer(OperatorTest):
    def bulk(self):
        return [e for e in self.lines("--from", "beginning", "--until", "now", "--kind", "resource")]

    def table(self, *arguments):
        """Exported rows by id."""
        path = self.folder / "out.csv"
        self.good("export", "resources", "--own", "--out", path, *arguments)
        return {r["id"]: r for r in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))}

    def test_1_a_dry_run_and_bad_rows_change_nothing(self):
        before = len(self.bulk())
        good = self.write("good.csv", HEAD + row(1) + row(2))
        checked = self.ask("import", "resources", good, "--dry-run")
        self.assertEqual((checked["checked"], checked["kept"]), (2, ["contact", "phone"]))
        self.assertIn("supply_code", checked["emptied"])
        self.assertIn("2 行全部正确", self.good("import", "resources", good, "--dry-run", "--lang", "zh"))
        bad = self.write("bad.csv", HEAD + row(1) + row(2).replace("WGS84", "BD09") + row(3).replace(",site,", ",place,") + row(1))
        error = self.refused("csv_row", "import", "resources", bad)
        self.assertEqual(error["field"], "row 3, column datum")
        self.assertIn("and 2 more", error["reason"])
        code, _, told = self.lianxi("import", "resources", bad)
        self.assertEqual(code, 1)
        for part in ("row 3, column datum", "row 4, column type", "row 5, column id", "row 2 has the same id", "3 bad rows"):
            self.assertIn(part, told)
        self.assertEqual(self.refused("not_found", "import", "resources", self.folder / "nowhere.csv")["field"], "file")
        self.assertEqual(len(self.bulk()), before)

    def test_2_thousands_of_rows_come_back_as_they_were_in_both_forms(self):
        path = self.write("many.csv", HEAD + "".join(row(i) for i in range(ROWS)))
        done = self.ask("import", "resources", path)
        self.assertEqual(done["imported"], ROWS)
        self.offset_in_view(done)
        exported = self.table()
        mine = {k: v for k, v in exported.items() if k.startswith("r-")}
        self.assertEqual(len(mine), ROWS)
        for i in (0, 3, 5, 7, ROWS - 1):
            given = next(csv.DictReader(io.StringIO(HEAD + row(i))))
            got = mine[given["id"]]
            for field in ("type", "name", "owner", "place", "lon", "lat", "capabilities", "state", "quantity", "unit", "answerable",
                          "languages", "on_call", "area", "attributes"):
                self.assertEqual(got[field], given[field], f"{given['id']} {field}")
            self.assertEqual(got["valid_until"][:19], "2100-01-01T00:00:00")
        # What was exported is right as it stands, and says the same again: CSV -> GeoJSON -> CSV.
        self.good("export", "resources", "--own", "--out", self.folder / "out.geojson")
        collection = json.loads((self.folder / "out.geojson").read_text(encoding="utf-8"))
        self.assertEqual(len(collection["features"]), len(exported))
        again = self.ask("import", "resources", self.folder / "out.geojson")
        self.assertEqual(again["imported"], len(exported))
        self.offset_in_view(again)
        self.assertEqual(self.table(), exported)

    def test_3_an_import_again_updates_and_doubles_nothing(self):
        first = self.ask("import", "resources", self.write("a.csv", HEAD + row(1, "甲") + row(2, "甲")))
        second = self.ask("import", "resources", self.write("a.csv", HEAD + row(1, "乙") + row(2, "甲")))
        self.assertEqual(second["imported"], 2)
        self.assertGreater(second["offset"], first["offset"])
        self.offset_in_view(second)
        names = [r["name"] for r in self.table("--kind", "supply,site,expert").values() if r["id"] in ("r-000001", "r-000002")]
        self.assertEqual(sorted(names), ["乙 1", "甲 2"])

    def test_4_capabilities_may_be_names(self):
        words = self.write("words.toml", "[capabilities]\nhazmat = \"危化品处置\"\n[synonyms]\nhazmat = [\"危险化学品\"]\n")
        rows = self.write("words.csv", "id,type,name,capabilities\nw-1,team,队,危险化学品\n")
        self.refused("csv_row", "import", "resources", rows)
        self.ask("import", "resources", rows, "--capabilities", words)
        self.assertEqual(self.bulk()[-1]["body"]["capabilities"], ["hazmat"])

    def test_4_private_details_go_to_an_audience_of_their_own(self):
        rows = self.write("private.csv", "id,type,name,contact,phone\np-1,expert,王工,王,1390\np-2,expert,李工,,\n")
        self.assertEqual(self.ask("import", "resources", rows, "--contact-audience", "local")["imported"], 2)
        said = [(e["audience"], e["body"]["change"], e["body"].get("phone", "")) for e in self.bulk()[-3:]]
        self.assertEqual(sorted(said), [("conference", "upsert", ""), ("conference", "upsert", ""), ("local", "contact", "1390")])

    def test_5_standard_input_and_geojson_are_read(self):
        text = (SAMPLES / "resources" / "quzhou.geojson").read_text(encoding="utf-8")
        done = self.ask("import", "resources", "-", "--format", "geojson", input=text)
        self.assertEqual(done["imported"], 3)
        self.assertIn("features", self.refused("csv_row", "import", "resources",
                                               self.write("none.geojson", '{"type":"FeatureCollection","features":[]}'))["field"])

    def test_6_what_cannot_be_written_is_told_and_leaves_no_part(self):
        self.refused("config", "export", "resources", "--out", self.folder / "no" / "such" / "x.csv")
        self.assertEqual(list(self.folder.glob("*.part")), [])

    def test_7_what_a_file_does_not_say_of_a_known_resource_stays(self):
        self.offset_in_view(self.ask("import", "resources", self.write("all.csv", (
            "id,type,name,owner,place,lon,lat,datum,state,quantity,unit,contact,phone\n"
            "u-1,supply,泵,甲库,330881,118.6,28.7,CGCS2000,out_of_service,5,台,王,1390\n"
            "u-2,supply,灯,甲库,330881,118.6,28.7,CGCS2000,reserved,5,台,王,1390\n"))))
        counted = self.write("counted.csv", "id,type,name,unit,quantity\nu-1,supply,泵,台,7\nu-2,supply,灯,台,8\nu-3,supply,绳,条,9\n")
        checked = self.ask("import", "resources", counted, "--dry-run")
        self.assertEqual(checked["kept"], ["state", "place", "address", "lon", "lat", "area", "contact", "phone"])
        self.assertEqual(checked["emptied"][:2], ["owner", "capabilities"])
        code, _, told = self.lianxi("import", "resources", counted, "--dry-run")
        self.assertEqual(code, 0)
        self.assertIn("nothing of state, place, address, lon, lat, area, contact, phone: known resources keep theirs", told)
        self.assertRegex(told, "nothing of owner, capabilities, .*: that will be empty")
        self.offset_in_view(self.ask("import", "resources", counted))

        def seen():
            fields = ("state", "quantity", "place", "lon", "phone", "owner")
            return {name: tuple(row[f] for f in fields) for name, row in self.table("--kind", "supply").items() if name.startswith("u-")}
        after = {"u-1": ("out_of_service", "7", "330881", "118.6", "1390", ""), "u-2": ("reserved", "8", "330881", "118.6", "1390", ""),
                 "u-3": ("available", "9", "330800", "", "", "")}
        self.assertEqual(seen(), after)
        line = [told for told in self.good("follow", "--from", "beginning", "--until", "now", "--kind", "resource").splitlines() if "绳" in told]
        self.assertNotRegex(line[0], "available", "what an event does not say is not printed")
        feature = '{"type":"Feature","id":"u-1","geometry":null,"properties":{"type":"supply","name":"泵","quantity":7}}'
        self.offset_in_view(self.ask("import", "resources", self.write("one.geojson", (
            '{"type":"FeatureCollection","features":[' + feature + "]}"))))
        self.offset_in_view(self.ask("import", "resources", self.write("empty.csv", "id,type,name,state,quantity\nu-2,supply,灯,,8\n")))
        self.assertEqual(seen(), after)
        # A state that is said counts, and the node knows all of it behind a restart.
        self.offset_in_view(self.ask("import", "resources", self.write("said.csv", "id,type,name,state\nu-2,supply,灯,available\n")))
        after["u-2"] = ("available", *after["u-2"][1:])
        self.cluster.broker("330800").kill()
        self.cluster.start_broker("330800")
        self.cluster.wait_up("330800")
        self.assertEqual(seen(), after)
        thread = self.ask("mobilise", "request", "--need", "supply:pump=1台")["entity"]
        for name, code in (("u-1", 1), ("u-2", 0)):
            told = self.lianxi("mobilise", "commit", thread, "--item", "1", "--resource", f"330800:resource:{name}=1台", "--json")
            self.assertEqual(told[0], code, told)

    def test_8_an_export_is_of_what_is_valid_or_of_all(self):
        rows = self.write("valid.csv", ("id,type,name,valid_from,valid_until\nv-now,site,甲,,\nv-past,site,乙,2020-01-01,2020-12-31\n"
                                        "v-future,site,丙,2090-01-01,\n"))
        self.offset_in_view(self.ask("import", "resources", rows))

        def ids(*options):
            return [name for name in self.table("--kind", "site", *options) if name.startswith("v-")]
        self.assertEqual(ids(), ["v-now"])
        self.assertEqual(ids("--valid-at", "2020-06-01T00:00:00+08:00"), ["v-now", "v-past"])
        self.assertEqual(ids("--all"), ["v-future", "v-now", "v-past"])
        self.assertEqual(self.lianxi("export", "resources", "--all", "--valid-at", "2h")[0], 2)
        # All of it goes in again as it is.
        self.assertEqual(self.ask("import", "resources", self.folder / "out.csv", "--dry-run")["emptied"], [])

    def test_9_a_mobilisation_goes_in_and_comes_out(self):
        request = SAMPLES / "edxl_rm" / "RequestResource.xml"
        checked = self.ask("import", "mobilisation", request, "--dry-run")
        self.assertEqual((checked["message"], checked["entity"]), ("RequestResource", "330800:mobilisation:qz-20260702-01"))
        broken = self.write("broken.xml", request.read_text(encoding="utf-8").replace(">RequestedArrival<", ">ActualArrival<"))
        self.assertIn("RequestResource/ResourceInformation[1]/ScheduleInformation/ScheduleType (line",
                      self.refused("invalid_field", "import", "mobilisation", broken)["field"])


if __name__ == "__main__":
    unittest.main()
