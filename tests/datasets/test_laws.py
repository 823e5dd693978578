"""Property of imports: after any edits of a folder and its project, the project equals the folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from autoflow.datasets import image_uploader, tree
from autoflow.datasets.sync import from_folder
from tests.datasets.conftest import Projects, box, data_api, hash_of, png, write

NAMES = st.sampled_from(["a.png", "b.png", "c.png"])
DATASETS = st.sampled_from(["x", "y", "x/datasets/z"])
COLOURS = st.integers(0, 3)
EDITS = st.one_of(
    st.tuples(st.just("image"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("label"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("unlabel"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("remove"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("rename"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("drop"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("touch"), DATASETS, NAMES, COLOURS),
    st.tuples(st.just("relabel"), DATASETS, NAMES, COLOURS),
)


def edit(root: Path, projects, project, action, dataset, name, colour):
    """Apply one edit to the folder, or to the project, which others may edit."""
    image, label = root / dataset / "img" / name, root / dataset / "ann" / f"{name}.json"
    if action == "image":
        write(image, png((colour, colour, colour)))
    elif action == "label":
        write(label, {"objects": [box(corners=((0, 0), (colour, 2)))] * colour, "tags": []})
    elif action == "unlabel":
        label.unlink(missing_ok=True)
    elif action == "remove":
        image.unlink(missing_ok=True)
    elif action == "rename" and image.exists():
        os.rename(image, image.with_name(f"{colour}.png"))
    elif action == "drop" and (root / dataset).exists():
        os.rename(root / dataset, root / f"dropped-{dataset.replace('/', '-')}-{colour}-{len(os.listdir(root))}")
    elif action == "touch" and image.exists():
        os.utime(image)
    elif action == "relabel" and (images := projects.api.image.get_list(project_id=project)):
        projects.api.annotation.upload_json(images[colour % len(images)].id, {"objects": [box()] * 3})


def expected(root: Path):
    """Return the hashes and objects of the folder's images."""
    images = {}
    for folder, _, names in os.walk(root):
        if os.path.basename(folder) == "img":
            parent = Path(folder).parent
            dataset = str(parent.relative_to(root)).replace("/datasets/", "/")
            for name in names:
                label = parent / "ann" / f"{name}.json"
                objects = objects_of(label) if label.exists() else []
                images[f"{dataset}:{name}"] = (hash_of((parent / "img" / name).read_bytes()), objects)
    return images


def objects_of(label: Path):
    import json

    return json.loads(label.read_text())["objects"]


@settings(max_examples=12)
@given(rounds=st.lists(st.lists(EDITS, max_size=6), min_size=1, max_size=4), young=st.booleans())
def test_the_project_equals_the_folder(rounds, young):
    """After any edits of both; a further import without edits opens no file."""
    real_clock, real_open, batch = tree.clock, os.open, image_uploader.MAX_IMAGES
    opened = []
    clock_offset = [0]

    def watch(path, *arguments, **options):
        opened.append(os.fspath(path))
        return real_open(path, *arguments, **options)

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "folder")
        os.environ["AUTOFLOW_HOME"] = os.path.join(directory, "state")  # an example has its own
        write(root / "meta.json", {"classes": [{"title": "car", "shape": "any"}], "tags": []})
        write(root / "x" / "img" / "first.png", png())
        try:
            tree.clock = lambda: real_clock() + clock_offset[0]
            image_uploader.MAX_IMAGES = 2
            os.open = watch
            with data_api(os.path.join(directory, "home"), served=False) as api:
                projects = Projects(api)
                project = from_folder(api.transport, root).id
                for edits in rounds:
                    clock_offset[0] += 0 if young else 60_000_000_000
                    for arguments in edits:
                        edit(root, projects, project, *arguments)
                    assert from_folder(api.transport, root).id == project
                    content = {key: value[:2] for key, value in projects.content(project).items()}
                    assert content == expected(root)
                before = projects.digest(project)
                clock_offset[0] += 60_000_000_000
                from_folder(api.transport, root)  # reads files whose stamps were too young
                opened.clear()
                from_folder(api.transport, root)
                assert [path for path in opened if path.startswith(str(root))] == []
                assert projects.digest(project) == before
        finally:
            tree.clock, os.open, image_uploader.MAX_IMAGES = real_clock, real_open, batch
