"""Labels in other formats: what an export writes, an import reads; what the format cannot hold is counted."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from autoflow.datasets import formats, tree
from autoflow.datasets.export import restore_to_folder
from autoflow.datasets.exporters import EXPORTERS
from autoflow.datasets.formats import masks
from autoflow.datasets.formats.base import coordinate
from autoflow.datasets.sync import from_folder
from autoflow.errors import FolderError
from tests.datasets.conftest import box, png, without_ids, write

WIDTH, HEIGHT = 97, 61
TAGS = [
    {"name": "note", "value_type": "any_string", "color": "#A0A0A0"},
    {"name": "score", "value_type": "any_number", "color": "#A0A0A0"},
    {"name": "seen", "value_type": "none", "color": "#A0A0A0"},
]
CLASSES = [
    {"title": "cat", "shape": "any", "color": "#112233"},
    {
        "title": "big dog: 'x'",
        "shape": "any",
        "color": "#445566",
        "geometry_config": {"nodes": {"nose": {"label": "nose"}, "tail": {"label": "tail"}}, "edges": []},
    },
]
TITLES = st.sampled_from([entry["title"] for entry in CLASSES])


def numbers(limit, digits=6):
    return st.floats(0, limit).map(lambda value: coordinate(round(value, digits)))


def points(digits=17, **size):
    return st.lists(st.tuples(numbers(WIDTH, digits), numbers(HEIGHT, digits)).map(list), **size)


def boxes(digits=6):
    corners = points(digits, min_size=2, max_size=2)
    return corners.map(
        lambda pair: {
            "geometryType": "rectangle",
            "points": {"exterior": [list(map(min, *pair)), list(map(max, *pair))], "interior": []},
        }
    )


def polygons(digits=17):
    rings = points(digits, min_size=3, max_size=6)
    return rings.map(lambda ring: {"geometryType": "polygon", "points": {"exterior": ring, "interior": []}})


def mask(rows, left, top):
    """Return a mask whose first row and column are not empty."""
    geometry = masks.bitmap([bytes([1, *rows[0][1:]]), *map(bytes, rows[1:])])
    return {**geometry, "bitmap": {**geometry["bitmap"], "origin": [left, top]}}


BITMAPS = st.builds(
    mask,
    st.lists(st.lists(st.integers(0, 1), min_size=5, max_size=5), min_size=1, max_size=4),
    st.integers(0, WIDTH - 5),
    st.integers(0, HEIGHT - 4),
)
NODES = st.tuples(numbers(WIDTH), numbers(HEIGHT), st.booleans()).map(
    lambda node: {"loc": [node[0], node[1]], **({"disabled": True} if node[2] else {})}
)
GRAPHS = st.dictionaries(st.sampled_from(["nose", "tail"]), NODES, min_size=1).map(
    lambda nodes: {"geometryType": "graph", "nodes": nodes}
)
ORIENTED = st.tuples(boxes(), st.floats(-3, 3).map(coordinate)).map(
    lambda pair: {**pair[0], "geometryType": "oriented_bbox", "angle": pair[1]}
)
TEXT_TAGS = st.sampled_from([[], [{"name": "seen", "value": None}], [{"name": "note", "value": "a<b"}]])
ALL_TAGS = st.one_of(TEXT_TAGS, st.just([{"name": "score", "value": 0.25}, {"name": "seen", "value": None}]))
EXTRAS = st.sampled_from([{}, {"instance": "i"}, {"instance": "i", "customData": {"a": 1}}, {"customData": {"b": [2]}}])


NOTHING, NO_TAGS = st.just({}), st.just([])


def labels(geometry, tags=NO_TAGS, extras=NOTHING):
    return st.lists(
        st.tuples(TITLES, geometry, tags, extras).map(
            lambda part: {"classTitle": part[0], **part[1], **part[3], "tags": part[2]}
        ),
        max_size=5,
    )


def yolo_labels():
    """Return labels with boxes, or all of one class with a box and key points."""
    posed = st.lists(st.tuples(boxes(), GRAPHS), max_size=3).map(
        lambda pairs: [
            {"classTitle": CLASSES[1]["title"], "tags": [], **geometry, "instance": str(number)}
            for number, pair in enumerate(pairs, 1)
            for geometry in pair
        ]
    )
    plain = labels(st.one_of(boxes(), polygons(6)))
    return st.one_of(posed.map(lambda entries: (True, entries)), plain.map(lambda entries: (False, entries)))


def exported(root, name, objects, classes=None, tags=(), image=b"", file_name="1.png"):
    """Write one image with an annotation; return the exporter."""
    dataset = {"id": 1, "parentId": None, "name": "train", "path": ["train"], "itemsCount": 1}
    meta = {"project": {"type": "images"}, "meta": {"classes": classes or CLASSES, "tags": TAGS}}
    exporter = EXPORTERS[name](root, meta, [dataset])
    item = {"datasetId": 1, "name": file_name, "width": WIDTH, "height": HEIGHT, "meta": {}, "tags": list(tags)}
    path = exporter.path(item)
    Path(path).write_bytes(image)
    exporter.add({**item, "annotation": {"objects": objects, "tags": list(tags)}}, path)
    exporter.finish()
    exporter.close()
    return exporter


def imported(root):
    """Return the name of the detected format, the annotation of the only image, and the folder's meta."""
    folder = formats.detect_format(tree.walk(root), formats.BUILT_IN)
    (item,) = folder.listing()["train"].values()
    contents = [None if label is None else Path(root, label).read_bytes() for label in item.labels]
    return folder.name, folder.labels(item, contents, WIDTH, HEIGHT).annotation, folder.meta()


def unordered(objects):
    return sorted(json.dumps(label, sort_keys=True) for label in objects)


def check(name, objects, **options):
    """Check that labels are read as they were written, and that nothing is lost."""
    with tempfile.TemporaryDirectory() as root:
        assert not exported(root, name, objects, **options).lost
        detected, annotation, meta = imported(root)
    assert detected == name
    assert unordered(annotation["objects"]) == unordered(objects)
    return annotation, meta


@settings(max_examples=30)
@given(
    objects=labels(st.one_of(boxes(), polygons(), BITMAPS, GRAPHS), ALL_TAGS, EXTRAS),
    tags=st.one_of(st.just([]), st.just([{"name": "note", "value": "ü"}])),
)
def test_coco_holds_all_but_rare_geometries(objects, tags):
    """Boxes, polygons, masks, key points, tags, instances, custom data, and the classes and tags themselves."""
    objects = [
        {**label, "classTitle": CLASSES[1]["title"]} if label["geometryType"] == "graph" else label for label in objects
    ]
    annotation, meta = check("coco", objects, tags=tags)
    assert annotation["tags"] == tags
    assert meta["classes"] == CLASSES
    assert meta["tags"] == TAGS


@settings(max_examples=30)
@given(case=yolo_labels())
def test_yolo_holds_boxes_polygons_and_key_points(case):
    """Boxes and polygons; or boxes with key points, if a class has a template of them."""
    has_key_points, objects = case
    classes = CLASSES if has_key_points else [{**entry, "geometry_config": {}} for entry in CLASSES]
    _, meta = check("yolo", objects, classes=classes)
    assert [entry["title"] for entry in meta["classes"]] == [entry["title"] for entry in CLASSES]


@settings(max_examples=30)
@given(objects=labels(st.one_of(boxes(), polygons(), ORIENTED), TEXT_TAGS))
def test_voc_holds_boxes_polygons_and_texts(objects):
    """Boxes, polygons, oriented boxes, and tags with texts."""
    check("voc", objects)


def jpeg(code):
    """Return a JPEG that is turned when it is shown."""
    exif = Image.Exif()
    exif[0x0112] = code
    stream = io.BytesIO()
    Image.new("RGB", (WIDTH, HEIGHT)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("code", range(1, 9))
def test_labels_of_turned_images_are_those_of_the_shown_image(code, tmp_path):
    """A project has the coordinates of the stored pixels, YOLO and COCO those of the image as its EXIF turns it."""
    tall = [[1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1]]
    nodes = {"geometryType": "graph", "nodes": {"nose": {"loc": [90, 1.5]}}}
    square = {"geometryType": "polygon", "points": {"exterior": [[3, 5], [20, 5], [20, 9.25]], "interior": []}}
    objects = [
        box("cat", ((10, 20), (40, 25))),
        *({"classTitle": "cat", "tags": [], **part} for part in (square, mask(tall, 7, 11), nodes)),
    ]
    options = {"image": jpeg(code), "file_name": "1.jpg"}
    check("coco", objects, **options)
    check("yolo", objects[:2], classes=[CLASSES[0]], **options)
    exported(tmp_path, "yolo", objects[:1], classes=[CLASSES[0]], **options)
    _, x, y, width, height = map(float, (tmp_path / "labels/train/1.txt").read_text().split())
    with Image.open(io.BytesIO(options["image"])) as image:
        shown = ImageOps.exif_transpose(image)
    marked = Image.new("L", (WIDTH, HEIGHT))
    marked.paste(255, (10, 20, 40, 25))
    marked.getexif()[0x0112] = code
    left, top, right, bottom = ImageOps.exif_transpose(marked).getbbox()
    assert [round(value, 6) for value in (x * shown.width, y * shown.height)] == [
        (left + right) / 2,
        (top + bottom) / 2,
    ]
    assert (round(width * shown.width), round(height * shown.height)) == (right - left, bottom - top)


# -- folders


@pytest.fixture
def people(folder):
    """A COCO folder with key points, attributes, scores, crowds, ids of categories, and two files for an image."""
    write(folder / "images" / "1.png", png(size=(40, 30)))
    write(folder / "images" / "2.png", png((5, 5, 5), (40, 30)))
    person = {
        "id": 18,
        "name": "person",
        "supercategory": "animal",
        "keypoints": ["nose", "tail"],
        "skeleton": [[1, 2]],
    }
    images = [
        {"id": number, "file_name": f"images/{number}.png", "width": 40, "height": 30, "license": 4}
        for number in (1, 2)
    ]
    outline = [1.123456789, 2, 20, 2.5, 20, 20.25]
    first = {
        "id": 7,
        "image_id": 1,
        "category_id": 18,
        "bbox": [1.123456789, 2, 18.876543211, 18.25],
        "segmentation": [outline],
        "attributes": {"occluded": False, "color": "red", "odd": {"x": 1}},
        "score": 0.0,
        "mood": "good",
    }
    posed = {**first, "keypoints": [2, 3, 2, 4.5, 6, 1], "num_keypoints": 2}
    crowd = {"id": 8, "image_id": 1, "category_id": 18, "iscrowd": 1}
    crowd["segmentation"] = {"size": [30, 40], "counts": [31, 2, 28, 2, 1137]}
    write(
        folder / "annotations" / "instances.json",
        {"images": images, "annotations": [first, crowd], "categories": [{"id": 18, "name": "person"}]},
    )
    write(
        folder / "annotations" / "person_keypoints.json",
        {"images": images, "annotations": [posed], "categories": [person]},
    )
    return folder


def test_coco_is_written_as_it_was_read(sync, people, projects, api, tmp_path):
    """Nothing of a COCO folder is lost, its images are equal byte by byte, and it is read as the same labels again."""
    project = sync()
    content = projects.content(project.id)
    polygon, graph, mask = content["ds0:1.png"][1]
    assert polygon["points"]["exterior"][0] == [1.123456789, 2]
    assert graph["nodes"] == {"nose": {"loc": [2, 3]}, "tail": {"loc": [4.5, 6], "disabled": True}}
    assert polygon["instance"] == graph["instance"] == "7"
    assert {tag["name"]: tag["value"] for tag in graph["tags"]} == {"occluded": "false", "color": "red", "score": 0}
    assert graph["customData"] == {"coco": {"mood": "good", "attributes": {"odd": {"x": 1}}}}
    assert mask["tags"] == [{"name": "iscrowd", "value": None}]
    version = api.project.version.create(project.id)
    restored = restore_to_folder(api.transport, version, tmp_path / "out", folder_format="coco", strict=True)
    assert restored.lost == {}
    for number in (1, 2):
        assert (tmp_path / "out/images/ds0" / f"{number}.png").read_bytes() == (
            people / "images" / f"{number}.png"
        ).read_bytes()
    document = json.loads((tmp_path / "out/annotations/instances_ds0.json").read_text())
    source = json.loads((people / "annotations/person_keypoints.json").read_text())
    assert document["categories"] == source["categories"]
    assert document["images"][0]["license"] == 4
    ids = {"id", "image_id"}
    members = {name: value for name, value in document["annotations"][0].items() if name not in {*ids, "supervisely"}}
    expected = {name: value for name, value in source["annotations"][0].items() if name not in ids}
    assert members == {**expected, "area": pytest.approx(167.5, abs=1), "iscrowd": 0}
    assert document["annotations"][1]["segmentation"] == {"size": [30, 40], "counts": [31, 2, 28, 2, 1137]}
    again = from_folder(api.transport, tmp_path / "out")
    assert projects.content(again.id) == content
    assert without_ids(api.project.get_meta(again.id)) == without_ids(api.project.get_meta(project.id))


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("yolo", {"masks": 1, "instances of several labels": 1}),
        ("voc", {"masks": 1, "labels with key points": 1}),
        ("files", {"labels": 3}),
    ],
)
def test_what_a_format_cannot_hold_is_counted(sync, people, api, tmp_path, caplog, name, lost):
    """By what it is; with `strict` nothing is written."""
    version = api.project.version.create(sync().id)
    with pytest.raises(FolderError, match=f"the format {name} cannot hold .*{next(iter(lost))}"):
        restore_to_folder(api.transport, version, tmp_path / "out", folder_format=name, strict=True)
    assert {entry.name for entry in tmp_path.iterdir()} <= {"home", "autoflow-home", people.name}
    restored = restore_to_folder(api.transport, version, tmp_path / "out", folder_format=name)
    assert {kind: restored.lost[kind] for kind in lost} == lost
    assert f"the format {name} cannot hold" in caplog.text
