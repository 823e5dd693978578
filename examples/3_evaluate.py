"""Evaluate: reads weights and a project, and writes a report with the accuracy on the test dataset."""

import io
import json
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from autoflow import Api, cards, workflow, workflow_input, workflow_output

TEAM = WORKSPACE = 1

api = Api.from_env()


@workflow_input("file", model_weight=True)
def load_network(file):
    """Return the layers of the network by name."""
    with TemporaryDirectory() as folder:
        local = Path(folder) / file.name
        api.file.download(TEAM, file.path, str(local))
        with np.load(local) as layers:
            return dict(layers)


@workflow_input("project")
def load_test(project):
    """Return the images of dataset test, one row of 64 values in 0..1 per image, and their digits."""
    dataset = api.dataset.get_info_by_name(project.id, "test")
    images = api.image.get_list(dataset.id)
    pictures = [Image.open(io.BytesIO(api.image.download_bytes(image.id))) for image in images]
    pixels = np.array([np.asarray(picture).ravel() for picture in pictures]) / 255
    return pixels, np.array([int(image.tags[0]["value"]) for image in images])


@workflow_output("file", card=cards.report)
def upload_report(report, remote_path):
    """Upload a report as JSON."""
    with TemporaryDirectory() as folder:
        local = Path(folder) / "report.json"
        local.write_text(json.dumps(report, indent=2))
        return api.file.upload(TEAM, str(local), remote_path)


if __name__ == "__main__":
    with workflow("Evaluate digits"):
        project = max((p for p in api.project.get_list(WORKSPACE) if p.name.startswith("digits")), key=lambda p: p.id)
        net = load_network(api.file.get_info_by_path(TEAM, f"/{project.name}/weights.npz"))
        pixels, digits = load_test(project)
        guesses = (np.maximum(pixels @ net["w0"] + net["b0"], 0) @ net["w1"] + net["b1"]).argmax(axis=1)
        accuracy = float((guesses == digits).mean())
        upload_report({"accuracy": accuracy, "images": len(digits)}, f"/{project.name}/report.json")
        print(f"Accuracy on {len(digits)} held-out images: {accuracy:.4f}")
