"""Demo data: a project with training and validation images, two trainings on two versions of it, a failed run."""

from __future__ import annotations

import time

CLASSES = [
    {"title": "lemon", "shape": "rectangle", "color": "#E6A700"},
    {"title": "leaf", "shape": "rectangle", "color": "#3FA34D"},
]


def box(name, left, top):
    points = {"exterior": [[left, top], [left + 60, top + 50]], "interior": []}
    return {"classTitle": name, "geometryType": "rectangle", "points": points, "tags": []}


class DemoTrainings:
    """Creates the data, and holds the ids by name: between the trainings, images and labels of both datasets change."""

    def __init__(self, filled):
        self.filled = filled
        self.project = filled.project("Lemon orchard")
        filled.call("projects.meta.update", id=self.project, meta={"classes": CLASSES, "tags": []})
        self.train, self.val = filled.dataset(self.project, "train"), filled.dataset(self.project, "val")
        self.images = [self.image(self.train, n, [box("lemon", 20, 20)]) for n in range(4)]
        self.validated = self.image(self.val, 10, [box("lemon", 20, 20)])
        self.first, self.first_run, self.first_weights = self.training("one", "Import from the drone", 0.78, 20)
        self.image(self.train, 5, [box("lemon", 30, 40)])
        self.image(self.val, 11, [box("leaf", 100, 60)])
        self.label(self.train, self.images[0], [box("lemon", 24, 24), box("leaf", 110, 70)])
        filled.call("images.bulk.remove", imageIds=[self.images[3]])
        self.second, self.second_run, self.second_weights = self.training("two", "Second harvest", 0.82, 40)
        self.failed = self.run("evaluate", "Evaluate")
        filled.edge("input", "model_weight", self.second_weights, run="evaluate")
        error = "Traceback (most recent call last):\n  …\nRuntimeError: CUDA out of memory"
        self.send("finish", run="evaluate", state="failed", error=error)

    def image(self, dataset, number, objects):
        """Add a labeled image of a colour that depends on the number."""
        content = self.filled.content(self.filled.picture((60 + 12 * number, 180, 200), (200, 150)))
        images = [{"title": f"lemon {number}.png", "hash": content}]
        image = self.filled.call("images.bulk.add", datasetId=dataset, images=images)[0]["id"]
        self.label(dataset, image, objects)
        return image

    def label(self, dataset, image, objects):
        annotation = {"imageId": image, "annotation": {"objects": objects, "tags": []}}
        self.filled.call("annotations.bulk.add", datasetId=dataset, annotations=[annotation])

    def run(self, key, name, **more):
        task = self.filled.call("autoflow.runs.ensure", run=key, name=name)["task"]
        self.send("run", run=key, name=name, **more)
        return task

    def send(self, kind, **more):
        """Record something as of now."""
        self.filled.send({**self.filled.record(kind, **more), "at": time.time_ns()})

    def training(self, key, title, score, epochs):
        """Create a version, and train on it; return the numbers of the version, the run and the weights."""
        filled = self.filled
        version = filled.snapshot(self.project, title=title)["id"]
        facts = {
            "result.mAP": score,
            "result.val_loss": 1 - score,
            "commit": f"{key}-a1b2c3d4e5f60718293a4b5c6d7e8f9",
            "command": ["python", "train.py", "--epochs", str(epochs)],
            "packages": {"numpy": "2.1.0", "torch": f"2.{epochs // 10}.0"},
            "parameters": {"epochs": epochs, "model": "small"},
        }
        task = self.run(key, "Train YOLO", facts=facts)
        filled.edge("input", "project_version", version, run=key)
        weights = filled.file("/models/best.pt", f"weights {key}".encode())["id"]
        filled.edge("output", "model_weight", weights, run=key)
        self.send("finish", run=key, state="finished")
        return version, task, weights
