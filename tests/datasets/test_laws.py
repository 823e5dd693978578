"""The law of folders: whatever was done to a folder, afterwards the project is what the folder is, and stays so."""

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
    st.tuples(st.just("meddle"), DATASETS, NAMES, COLOURS),
)


def edit(root: Path, projects, project, what, dataset, name, colour):
    """Do one thing to the folder (or to the project, which others may edit)."""
    image, label = root / dataset / "img" / name, root / dataset / "ann" / f"{name}.json"
    if what == "image":
        write(image, png((colour, colour, colour)))
    elif what == "label":
        write(label, {"objects": [box(corners=((0, 0), (colour, 2)))] * colour, "tags": []})
    elif what == "unlabel":
        label.unlink(missing_ok=True)
    elif what == "remove":
        image.unlink(missing_ok=True)
    elif what == "rename" and image.exists():
        os.rename(image, image.with_name(f"{colour}.png"))
    elif what == "drop" and (root / dataset).exists():
        os.rename(root / dataset, root / f"dropped-{dataset.replace('/', '-')}-{colour}-{len(os.listdir(root))}")
    elif what == "touch" and image.exists():
        os.utime(image)
    elif what == "meddle" and (found := projects.api.image.get_list(project_id=project)):
        projects.api.annotation.upload_json(found[colour % len(found)].id, {"objects": [box()] * 3})


def expected(root: Path):
    """What the folder says."""
    found = {}
    for folder, _, names in os.walk(root):
        if os.path.basename(folder) == "img":
            place = Path(folder).parent
            dataset = str(place.relative_to(root)).replace("/datasets/", "/")
            for name in names:
                label = place / "ann" / f"{name}.json"
                objects = tree_of(label) if label.exists() else []
                found[f"{dataset}:{name}"] = (hash_of((place / "img" / name).read_bytes()), objects)
    return found


def tree_of(label: Path):
    import json

    return json.loads(label.read_text())["objects"]


@settings(max_examples=12)
@given(rounds=st.lists(st.lists(EDITS, max_size=6), min_size=1, max_size=4), young=st.booleans())
def test_the_project_is_what_the_folder_is(rounds, young):
    """After any edits of the folder, and of the project by others, and again after none: then no file is opened."""
    real_clock, real_open, batch = tree.clock, os.open, image_uploader.IMAGES
    opened = []
    ahead = [0]

    def watch(path, *arguments, **options):
        opened.append(os.fspath(path))
        return real_open(path, *arguments, **options)

    with tempfile.TemporaryDirectory() as place:
        root = Path(place, "folder")
        os.environ["AUTOFLOW_HOME"] = os.path.join(place, "state")  # an example has its own
        write(root / "meta.json", {"classes": [{"title": "car", "shape": "any"}], "tags": []})
        write(root / "x" / "img" / "first.png", png())
        try:
            tree.clock = lambda: real_clock() + ahead[0]
            image_uploader.IMAGES = 2
            os.open = watch
            with data_api(os.path.join(place, "home"), served=False) as api:
                projects = Projects(api)
                project = from_folder(api.transport, root).id
                for edits in rounds:
                    ahead[0] += 0 if young else 60_000_000_000
                    for one in edits:
                        edit(root, projects, project, *one)
                    assert from_folder(api.transport, root).id == project
                    found = {key: value[:2] for key, value in projects.content(project).items()}
                    assert found == expected(root)
                before = projects.digest(project)
                ahead[0] += 60_000_000_000
                from_folder(api.transport, root)  # reads what was too young
                opened.clear()
                from_folder(api.transport, root)
                assert [path for path in opened if path.startswith(str(root))] == []
                assert projects.digest(project) == before
        finally:
            tree.clock, os.open, image_uploader.IMAGES = real_clock, real_open, batch
