"""Import: scikit-learn's 1,797 handwritten digits as PNG files, in an image project with two datasets and tags."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from autoflow import Api, workflow, workflow_output

WORKSPACE = 1
MAX_GRAY = 16  # the scans have gray levels from 0 to 16

api = Api.from_env()


@workflow_output("project")
def import_project(folder: Path):
    """Create a project from ``<folder>/<dataset>/<digit>_<number>.png``, named digits, digits_001 …."""
    project = api.project.create(WORKSPACE, "digits", change_name_if_conflict=True)
    kinds = {"name": "digit", "value_type": "oneof_string", "values": [str(digit) for digit in range(10)]}
    tag = api.project.update_meta(project.id, {"classes": [], "tags": [kinds]})["tags"][0]
    for name in ("train", "test"):
        dataset = api.dataset.create(project.id, name)
        files = sorted((folder / name).iterdir())
        images = api.image.upload_paths(dataset.id, [file.name for file in files], [str(file) for file in files])
        for digit in kinds["values"]:
            api.image.add_tag_batch([image.id for image in images if image.name[0] == digit], tag["id"], digit)
        print(f"{len(images)} images in dataset {name}")
    return api.project.get_info_by_id(project.id)


def write_images(folder: Path):
    """Write all digits as PNG files, a quarter of them to ``test`` and the rest to ``train``."""
    pixels, digits = load_digits(return_X_y=True)
    pictures = (pixels.reshape(-1, 8, 8) * (255 // MAX_GRAY)).astype(np.uint8)
    train, test = train_test_split(np.arange(len(digits)), test_size=0.25, random_state=0, stratify=digits)
    for name, numbers in {"train": train, "test": test}.items():
        (folder / name).mkdir()
        for number in numbers:
            Image.fromarray(pictures[number]).save(folder / name / f"{digits[number]}_{number:04d}.png")


if __name__ == "__main__":
    with workflow("Import digits"), TemporaryDirectory() as folder:
        write_images(Path(folder))
        print(f'Project "{import_project(Path(folder)).name}" was created.')
