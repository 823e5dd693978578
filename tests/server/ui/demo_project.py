"""Demo data: a project of labeled images with versions, runs, files, a log and a labeling job."""

from __future__ import annotations

import base64
import io
import zlib

META = {
    "classes": [
        {"title": "lemon", "shape": "rectangle", "color": "#E6A700"},
        {"title": "leaf", "shape": "polygon", "color": "#3FA34D"},
        {"title": "spot", "shape": "bitmap", "color": "#B00020"},
        {"title": "shade", "shape": "alpha_mask", "color": "#5B3FD6"},
        {"title": "branch", "shape": "line", "color": "#1050C0"},
        {"title": "tip", "shape": "point", "color": "#00A0A0"},
    ],
    "tags": [{"name": "ripe", "value_type": "none", "color": "#E6A700"}],
}
FACTS = {
    "result.mAP": 0.61,
    "link.W&B": "https://wandb.ai/a/b",
    "link.other": "javascript:alert(1)",
    "command": ["python", "train.py", "--epochs", "20"],
    "folder": "/srv/train",
    "python": "3.11.7",
    "commit": "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
    "dirty": True,
    "packages": {"numpy": "2.1.0", "torch": "2.5.0"},
    "parameters": {"epochs": 20, "model": "small"},
}


def mask(mode):
    """Return a filled mask of 40 x 30 pixels in the SDK's encoding."""
    from PIL import Image

    stream = io.BytesIO()
    picture = Image.new("1", (40, 30), 1) if mode == "1" else Image.new("RGBA", (40, 30), (255, 255, 255, 200))
    picture.save(stream, "PNG")
    return base64.b64encode(zlib.compress(stream.getvalue())).decode()


def points(*exterior):
    return {"exterior": [list(point) for point in exterior], "interior": []}


def labels():
    """Return one label of each kind, none overlapping another, for an image of 200 x 150 pixels."""
    return [
        {"classTitle": "lemon", "geometryType": "rectangle", "points": points((10, 10), (50, 40)), "tags": []},
        {"classTitle": "leaf", "geometryType": "polygon", "points": points((70, 10), (110, 10), (110, 40)), "tags": []},
        {"classTitle": "spot", "geometryType": "bitmap", "bitmap": {"data": mask("1"), "origin": [130, 10]}},
        {"classTitle": "shade", "geometryType": "alpha_mask", "bitmap": {"data": mask("RGBA"), "origin": [10, 60]}},
        {"classTitle": "branch", "geometryType": "line", "points": points((70, 60), (110, 60)), "tags": []},
        {"classTitle": "tip", "geometryType": "point", "points": points((150, 75)), "tags": [{"name": "ripe"}]},
    ]


def wait_for(page, expression, argument=None):
    """Wait until an expression is true in a page. Playwright's own way needs `eval`, which the policy forbids."""
    for _ in range(600):
        if page.evaluate(expression, argument):
            return
        page.evaluate("new Promise((go) => setTimeout(go, 16))")
    raise AssertionError(f"never: {expression}")


class DemoProject:
    """Creates the data, and holds the ids by name."""

    def __init__(self, filled):
        self.filled = filled
        call = filled.call
        self.project = filled.project("Lemon orchard", description="Lemons from the drone.")
        call("projects.meta.update", id=self.project, meta=META)
        self.north = filled.dataset(self.project, "north")
        self.row = filled.dataset(self.project, "row 1", parentId=self.north)
        self.images = [self.image(self.north, n) for n in range(4)]
        self.inner = [self.image(self.row, 5 + n) for n in range(2)]
        self.label(self.north, self.images[0], labels())
        self.label(self.north, self.images[1], labels()[:2])
        self.imported = self.run("import", "Import images")
        filled.edge("output", "project", self.project, run="import")
        self.first = filled.snapshot(self.project, title="Before training", description="Backup before task 2")["id"]
        self.training = self.run("train", "Train YOLO", facts=FACTS)
        filled.edge("input", "project_version", self.first, run="train")
        self.old = filled.file("/models/best.pt", b"old weights")["id"]
        self.weights = filled.file("/models/best.pt", b"new weights")["id"]
        self.table = filled.file("/models/results.csv", b'epoch,loss\n1,0.5\n2,"0,25"\n')["id"]
        self.report = filled.file("/models/report.json", b'{"mAP": 0.93}')["id"]
        self.curve = filled.file("/models/plots/curve.png", filled.picture((30, 160, 90), (30, 20)))["id"]
        filled.edge("output", "model_weight", self.weights, run="train")
        filled.edge("output", "folder", "/models", run="train")
        filled.send(filled.record("log", run="train", lines="epoch 1\nepoch 2"))
        filled.send(filled.record("finish", run="train", state="finished"))
        call("images.bulk.remove", imageIds=[self.images[3]])
        self.added = self.image(self.row, 9)
        self.label(self.north, self.images[1], labels()[:1])
        self.second = filled.snapshot(self.project, title="After training")["id"]
        self.failed = self.run("fail", "Evaluate")
        filled.edge("input", "file", self.weights, run="fail")
        filled.send(filled.record("finish", run="fail", state="failed", error="ValueError: no images"))
        self.job = call("jobs.add", name="Label the north", datasetId=self.north, userIds=[1], readme="Box each lemon.")
        self.job = self.job[0]["id"]

    def own(self, name):
        """Create a dataset in a new project with the same classes, for a single test."""
        project = self.filled.project(name)
        self.filled.call("projects.meta.update", id=project, meta=META)
        return self.filled.dataset(project, "own")

    def image(self, dataset, number, size=(200, 150)):
        """Add an image of a colour that depends on the number."""
        content = self.filled.content(self.filled.picture((60 + 12 * number, 180, 200), size))
        images = [{"title": f"lemon {number}.png", "hash": content}]
        return self.filled.call("images.bulk.add", datasetId=dataset, images=images)[0]["id"]

    def label(self, dataset, image, objects):
        annotation = {"imageId": image, "annotation": {"objects": objects, "tags": [{"name": "ripe"}]}}
        self.filled.call("annotations.bulk.add", datasetId=dataset, annotations=[annotation])

    def run(self, key, name, **more):
        task = self.filled.call("autoflow.runs.ensure", run=key, name=name)["task"]
        self.filled.send(self.filled.record("run", run=key, name=name, **more))
        return task

    def pages(self):
        """Return the address of a page of each kind."""
        project = f"/projects/{self.project}"
        return {
            "start": "/",
            "project": project,
            "dataset": f"{project}/datasets/{self.row}",
            "image": f"/images/{self.images[0]}",
            "versions": f"{project}/versions",
            "compare": f"{project}/versions/compare?from={self.first}&to={self.second}",
            "file": f"/files/{self.weights}/true",
            "table": f"/files/{self.table}",
            "folder": "/files?path=/models/",
            "run": f"/apps/sessions/{self.training}",
            "failed": f"/apps/1/sessions/{self.failed}",
            "job": f"/labeling/jobs/{self.job}",
            "search": "/search?q=lemon",
            "nothing": "/projects/99999",
        }
