"""Teams on the move: every other second each emergency bureau reports where a few of its teams are, as a resource CSV."""
import csv
import io
import random


class Moves:
    ROWS = 3
    EVERY_S = 2

    def __init__(self, cluster):
        self._cluster = cluster
        self._random = random.Random(20201109)
        self._teams, self._count = {}, 0
        self.rows = {}  # region -> reported
        for region in cluster.regions:
            with open(cluster.folder / "resources" / f"{region}.csv", encoding="utf-8", newline="") as file:
                # Hazmat teams stay free: the operator asks for them.
                self._teams[region] = [row for row in csv.DictReader(file) if row["type"] == "team" and "hazmat" not in row["capabilities"]]
            self.rows[region] = 0

    def report(self, region):
        out = io.StringIO()
        writer = csv.DictWriter(out, self._teams[region][0].keys())
        writer.writeheader()
        for team in self._random.sample(self._teams[region], self.ROWS):
            team["state"] = "deployed"
            team["lon"] = f"{float(team['lon']) + self._random.uniform(-0.02, 0.02):.6f}"
            team["lat"] = f"{float(team['lat']) + self._random.uniform(-0.02, 0.02):.6f}"
            writer.writerow(team)
        self._count += 1
        spool = self._cluster.spool(region, "emergency")
        beside = spool.parent / f"moves-{self._count:04d}.csv"
        beside.write_text(out.getvalue(), encoding="utf-8")
        beside.rename(spool / beside.name)
        self.rows[region] += self.ROWS
