"""Train: reads a digits project (the newest, or --project-id), and writes the weights of a small neural network."""

import argparse
import io
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from sklearn.neural_network import MLPClassifier

from autoflow import Api, cards, versioned, workflow, workflow_input, workflow_output

TEAM = WORKSPACE = 1
PARAMETERS = {"hidden_layer_sizes": [128], "learning_rate_init": 0.005, "max_iter": 300, "tol": 1e-3, "random_state": 0}

api = Api.from_env()


@versioned(title="Train {project.name}", description="Saved before task {task_id}")
@workflow_input("project")
def load(project):
    """Return the images of dataset train, one row of 64 values in 0..1 per image, and their digits."""
    dataset = api.dataset.get_info_by_name(project.id, "train")
    images = api.image.get_list(dataset.id)
    pictures = [Image.open(io.BytesIO(api.image.download_bytes(image.id))) for image in images]
    pixels = np.array([np.asarray(picture).ravel() for picture in pictures]) / 255
    return pixels, np.array([int(image.tags[0]["value"]) for image in images])


@workflow_output("file", model_weight=True, card=cards.checkpoints)
def upload_weights(network, remote_path):
    """Upload the layers of a network as one .npz file."""
    with TemporaryDirectory() as folder:
        local = Path(folder) / "weights.npz"
        layers = {"w0": network.coefs_[0], "b0": network.intercepts_[0]}
        np.savez(local, **layers, w1=network.coefs_[1], b1=network.intercepts_[1])
        return api.file.upload(TEAM, str(local), remote_path)


def newest_project():
    """Return the digits project that was imported last."""
    projects = [project for project in api.project.get_list(WORKSPACE) if project.name.startswith("digits")]
    return max(projects, key=lambda project: project.id)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project-id", type=int)
    project_id = parser.parse_args().project_id
    project = api.project.get_info_by_id(project_id) if project_id else newest_project()
    with workflow("Train digits", parameters={**PARAMETERS, "project_id": project.id}):
        pixels, digits = load(project)
        network = MLPClassifier(**PARAMETERS).fit(pixels, digits)
        weights = upload_weights(network, f"/{project.name}/weights.npz")
        print(f"{network.n_iter_} epochs over {len(digits)} images; the weights are {weights.path}")
