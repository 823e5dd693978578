"""Demo data: a project with a version, runs of many apps, files, a job, a cycle, and twelve similar runs."""

from __future__ import annotations

DAY = 86_400 * 10**9
START_TIME = 1_750_000_000 * 10**9


def relation(**parts):
    """Return the settings of a data card in wire form."""
    return {"customRelationSettings": parts}


def node(**parts):
    return {"customNodeSettings": parts}


ARCHIVE = {
    "title": "<h4>Project Archive</h4>",
    "icon": {"icon": "zmdi-archive", "color": "#33c94c", "backgroundColor": "#d9f7e4"},
}


class DemoLineage:
    """Creates the data; `run` takes inputs and outputs as (kind, number[, settings])."""

    def __init__(self, filled):
        self.filled = filled
        self.runs = 0
        self.project = filled.project("Lemons")
        self.dataset = filled.dataset(self.project, "train")
        filled.image(self.dataset)
        self.version = filled.snapshot(self.project, title="Before training")["id"]
        self.weights = filled.file("/models/best.pt", b"w" * 1_500_000)["id"]
        self.report = filled.file("/reports/report.html")["id"]
        self.job = filled.call("jobs.add", name="Label the hard ones", datasetId=self.dataset, userIds=[1])[0]["id"]
        project, version = ("project", self.project), ("project_version", self.version)
        weights, report = ("model_weight", self.weights), ("file", self.report)
        self.run("Import", writes=[project])
        self.run("Train", reads=[version], writes=[weights])
        self.run("Evaluate", reads=[weights, project], writes=[report], state="failed")
        self.run("Label", reads=[("dataset", self.dataset)], writes=[("job", self.job), ("folder", "/labels")])
        self.run("Apply", reads=[weights, project], writes=[project])
        self.run("Deploy", reads=[weights], writes=[("folder", "/deployed")])
        self.run("Serve", reads=[("folder", "/deployed")], writes=[("folder", "/answers")], state=None)
        self.run("Watch", reads=[("folder", "/answers")], writes=[("folder", "/alarms")])
        for number in range(12):
            file = filled.file(f"/exports/{number}.tar")["id"]
            self.run("Export", reads=[project], writes=[("file", file, relation(**ARCHIVE))])

    def run(self, name, reads=(), writes=(), state="finished", settings=None):
        """Record a run, and return the number of its task."""
        self.runs += 1
        key = f"lineage-{name}-{self.runs}"
        at = START_TIME + self.runs * DAY
        send, record = self.filled.send, self.filled.record
        task = send({**record("run", run=key, name=name), "at": at})["tasks"][key]
        for direction, ends in (("input", reads), ("output", writes)):
            for kind, number, *meta in ends:
                result = self.filled.edge(direction, kind, number, run=key, meta=meta[0] if meta else None)
                assert result["status"] == "applied", result
        if settings:
            send(record("node", run=key, node=settings))
        if state:
            send({**record("finish", run=key, state=state), "at": at})
        return task
