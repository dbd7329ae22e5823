"""A mobilisation between two cities leaves the conference as EDXL-RM files, and goes into another one: what may be said there is
taken, everything else is refused by its element, and nothing is published."""
import json
import pathlib
import re
import unittest
import xml.etree.ElementTree as xml

from operator_kit import PATIENCE, OperatorTest, wait_until
from support import BIN, Cluster

SAMPLES = pathlib.Path(__file__).resolve().parent.parent / "data" / "edxl_rm"
STOCK = ("id,type,name,place,lon,lat,datum,capabilities,quantity,unit\n"
         "team-1,team,上饶市危化品救援队,361102,117.971,28.455,CGCS2000,hazmat,1,支\n")
SAID = ["RequestResource", "CommitResource", "ReportResourceDeploymentStatus", "ReportResourceDeploymentStatus", "ReleaseResource"]


def tag(root, name):
    return next(each.text for each in root if each.tag.endswith("}" + name))


class MobilisationFiles(OperatorTest):
    REGIONS = ["330800", "361100"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.folder / "elsewhere").mkdir()
        cls.elsewhere = Cluster(cls.folder / "elsewhere", BIN, ["330800"])  # another conference
        cls.addClassCleanup(cls.elsewhere.stop)
        cls.elsewhere.prepare()
        cls.elsewhere.start_broker("330800")
        cls.elsewhere.wait_up("330800")
        cls.make_thread()

    @classmethod
    def make_thread(cls):
        stock = cls.folder / "stock.csv"
        stock.write_text(STOCK, encoding="utf-8")
        cls.told("361100", "import", "resources", stock)
        cls.thread = cls.told("330800", "mobilise", "request", "--need", "team:hazmat=1支", "--level", "orange", "--arrive-by", "3h",
                              "--text", "氯气泄漏")["entity"]
        for region, move in (("361100", "commit"), ("361100", "depart"), ("361100", "arrive"), ("330800", "release")):
            before = cls.messages(region)
            item = ["--item", "1", "--resource", "361100:resource:team-1"] if move == "commit" else []
            cls.told(region, "mobilise", move, cls.thread, *item)
            for each in cls.REGIONS:
                wait_until(lambda: len(cls.messages(each)) > len(before), PATIENCE, f"{each} hears {move}")
        cls.files = cls.folder / "files"
        cls.told("361100", "export", "mobilisation", cls.thread.rsplit("-", 1)[1], "--out", cls.files)

    @classmethod
    def told(cls, region, *arguments, cluster=None):
        code, out, error = (cluster or cls.cluster).lianxi(region, "emergency", *arguments, "--json")
        if code != 0:
            raise AssertionError(f"{region} {arguments}: {out}{error}")
        return json.loads(out)

    @classmethod
    def messages(cls, region):
        return wait_until(lambda: cls.cluster.ask(region, "mobilise", "show", cls.thread), PATIENCE, "the thread")[0]["messages"]

    def document(self, message, number=0):
        """Of the exported messages of this name, one by its order."""
        return sorted(self.files.glob(f"*-{message}-*.xml"))[number]

    def changed(self, path, *pairs):
        text = path.read_text(encoding="utf-8")
        for before, after in pairs:
            self.assertRegex(text, before)
            text = re.sub(before, after, text)
        return self.write("changed.xml", text)

    def no(self, cluster, region, path, code, field, agent="emergency", **options):
        """The import is refused, dry or not unless the node is needed for it, and publishes nothing."""
        before = self.said(cluster, region)
        for dry in ([], ["--dry-run"])[:options.get("ways", 2)]:
            got, out, error = cluster.lianxi(region, agent, "import", "mobilisation", path, *dry, "--json")
            self.assertEqual(got, 1, f"{out}{error}")
            told = json.loads(out)["error"]
            self.assertEqual(told["code"], code, told)
            self.assertRegex(told["field"], field, told)
        self.assertEqual(self.said(cluster, region), before)
        return told

    def said(self, cluster, region):
        code, out, _ = cluster.lianxi(region, "emergency", "follow", "--kind", "mobilisation", "--from", "beginning", "--until", "now",
                                      "--json")
        self.assertEqual(code, 0)
        return [json.loads(line)["body"]["message_id"] for line in out.splitlines()]

    def test_1_all_messages_come_out_in_order_and_are_right_by_our_own_schema(self):
        messages = self.messages("361100")
        self.assertEqual([m["message"] for m in messages], SAID)
        paths = sorted(self.files.iterdir())
        self.assertEqual(len(paths), len(SAID))
        for message, path in zip(messages, paths):
            root = xml.parse(path).getroot()
            self.assertTrue(root.tag.endswith("}" + message["message"]), root.tag)
            self.assertEqual(tag(root, "MessageID"), message["message_id"])
            self.assertEqual(tag(root, "OriginatingMessageID"), self.thread.split(":")[2])
            region = "330800" if message["message"] in ("RequestResource", "ReleaseResource") else "361100"
            checked = self.told(region, "import", "mobilisation", path, "--dry-run")
            self.assertEqual((checked["message"], checked["entity"]), (message["message"], self.thread))
        # One message alone, on standard output, is the same document.
        code, out, error = self.cluster.lianxi("361100", "emergency", "export", "mobilisation", self.thread, "--message",
                                               messages[1]["message_id"])
        self.assertEqual(code, 0, error)
        self.assertEqual(out, paths[1].read_text(encoding="utf-8"))

    def test_2_another_conference_takes_the_request_as_it_was_once(self):
        path = self.document("RequestResource")
        self.assertEqual(self.told("330800", "import", "mobilisation", path, cluster=self.elsewhere)["entity"], self.thread)
        there = wait_until(lambda: self.elsewhere.ask("330800", "mobilise", "show", self.thread), PATIENCE, "the request there")[0]
        here = self.cluster.ask("330800", "mobilise", "show", self.thread)[0]
        for field in ("level", "description", "sent"):
            self.assertEqual(there.get(field), here.get(field), field)
        self.assertEqual(there["messages"][0]["message_id"], here["messages"][0]["message_id"])
        self.assertEqual([(n["capability"], n["quantity"]) for n in there["needs"]], [("hazmat", 1)])
        self.no(self.elsewhere, "330800", path, "conflict", "^RequestResource/MessageID$", ways=1)

    def test_3_what_another_city_said_is_not_ours_to_say(self):
        commit = self.document("CommitResource")
        told = self.no(self.elsewhere, "330800", commit, "wrong_region", "^CommitResource$")
        self.assertIn("361100", told["reason"])
        # Whoever takes the note out is refused by the node, which names the element of it.
        bare = self.changed(commit, (r' by="361100"', ""))
        self.no(self.elsewhere, "330800", bare, "not_home", r"^CommitResource/ResourceInformation\[1\]/Resource/ResourceID \(line \d+\)$",
                ways=1)
        self.no(self.elsewhere, "330800", self.document("ReleaseResource"), "not_found", "^ReleaseResource/PrecedingMessageID$", ways=1)
        self.no(self.elsewhere, "330800", self.document("ReleaseResource"), "not_allowed", "^", agent="police", ways=1)

    def test_4_a_damaged_document_names_its_element_and_publishes_nothing(self):
        request = self.document("RequestResource")
        fresh = [(r"MessageID>[^<\s]+<", "MessageID>new-1<")]
        damage = [(r">RequestedArrival<", ">ActualArrival<", "invalid_field",
                   r"^RequestResource/ResourceInformation/ScheduleInformation/ScheduleType \(line \d+\)$"),
                  (r"<m:SentDateTime>[^<]*</m:SentDateTime>", "", "invalid_field", r"^RequestResource/MessageContentType \(line \d+\)$"),
                  (r'status="[^"]*"|level="orange"', 'level="pink"', "invalid_field", r"^RequestResource/\?lianxi-message \(line \d+\)$"),
                  (r"</m:RequestResource>", "", "malformed", r"^line \d+$"),
                  (r"<m:RequestResource ", "<!DOCTYPE x><m:RequestResource ", "malformed", "^DOCTYPE$")]
        for before, after, code, field in damage:
            with self.subTest(before):
                self.no(self.elsewhere, "330800", self.changed(request, *fresh, (before, after)), code, field)
        self.no(self.elsewhere, "330800", self.folder / "nowhere.xml", "not_found", "^file$")

    def test_5_an_answer_of_another_program_finds_the_thread_that_it_belongs_to(self):
        # It says nothing of lianxi, and its thread began in another city.
        text = (SAMPLES / "RequestInformation.xml").read_text(encoding="utf-8")
        text = re.sub(r"<\?lianxi-[^?]*\?>", "", text)
        text = re.sub(r"OriginatingMessageID>[^<\s]+<", f"OriginatingMessageID>{self.thread.split(':')[2]}<", text)
        # The thread is over once its resources are home; until then it is open.
        self.assertEqual(self.told("361100", "import", "mobilisation", self.write("question.xml", text))["entity"], self.thread)
        wait_until(lambda: len(self.messages("330800")) > len(SAID), PATIENCE, "Quzhou hears the question")
        self.no(self.cluster, "361100", self.write("question.xml", re.sub(r"OriginatingMessageID>[^<\s]+<", "OriginatingMessageID>no<", text)),
                "not_found", "^RequestInformation/OriginatingMessageID$", ways=1)


if __name__ == "__main__":
    unittest.main()
