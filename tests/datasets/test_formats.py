"""Dataset formats: the projects they result in, and the errors that name invalid files."""

from __future__ import annotations

import base64
import io
import json
import math
import sys
import zlib

import pytest

from autoflow.datasets import formats, tree
from autoflow.datasets.formats import class_names, masks
from autoflow.errors import FolderError, ServerExtraMissing
from tests.datasets.conftest import box, hash_of, png, write


def detect(folder):
    """Return the folder read in the detected format."""
    return formats.detect_format(tree.walk(str(folder)), formats.BUILT_IN)


def shapes(content, key):
    """Return title, geometry type and points or mask of each object of an image."""
    return [
        (label["classTitle"], label["geometryType"], label.get("points", label.get("bitmap")))
        for label in content[key][1]
    ]


def titles(api, project):
    return [entry["title"] for entry in api.project.get_meta(project)["classes"]]


# -- Supervisely


def test_supervisely(sync, labelled, projects, api):
    """Nested datasets, annotations, tags and image metadata are imported; ids of the source project are not."""
    assert detect(labelled).name == "supervisely"
    project = sync()
    content = projects.content(project.id)
    assert set(content) == {"a:0.png", "a:1.png", "a:2.png", "a/b:deep.png"}
    assert content["a:1.png"][2:] == ([{"name": "kind", "value": "x"}], {"camera": 3})
    assert shapes(content, "a:1.png") == [("car", "rectangle", {"exterior": [[0, 0], [4, 3]], "interior": []})]
    assert len(content["a/b:deep.png"][1]) == 2
    meta = api.project.get_meta(project.id)
    assert [(entry["title"], entry["color"]) for entry in meta["classes"]] == [("car", "#112233")]
    assert meta["classes"][0]["id"] != 77


def test_the_meta_is_merged_into_the_project(sync, labelled, projects, api, later):
    """A class that changes in the folder changes in the project; one that the folder lacks is kept."""
    project = sync()
    later()
    own = api.project.get_meta(project.id)
    api.project.update_meta(project.id, {**own, "classes": [*own["classes"], {"title": "own", "shape": "any"}]})
    meta = json.loads((labelled / "meta.json").read_text())
    meta["classes"] = [{"title": "car", "shape": "any", "color": "#FFFFFF"}, {"title": "van", "shape": "any"}]
    write(labelled / "meta.json", meta)
    sync()
    entries = api.project.get_meta(project.id)["classes"]
    assert [(entry["title"], entry["color"]) for entry in entries] == [
        *(("car", "#FFFFFF"), ("own", "#00A0FF"), ("van", "#00A0FF")),
    ]
    assert entries[0]["id"] == own["classes"][0]["id"]


@pytest.mark.parametrize(
    ("path", "content", "message"),
    [
        ("meta.json", "{", "not valid JSON"),
        ("meta.json", "[]", "must be a JSON object"),
        ("meta.json", {"projectType": "videos"}, "project of videos"),
        ("meta.json", {"classes": [{"shape": "any"}]}, '"classes" must be a list'),
        ("a/ann/0.png.json", "nonsense", "not valid JSON"),
        ("a/ann/0.png.json", {"objects": {}}, '"objects" must be a list'),
        ("a/ann/0.png.json", {"objects": [{"points": {}}]}, "name its class"),
        ("a/ann/0.png.json", {"tags": [{"tagId": 3}]}, "a tag has no"),
        ("a/meta/0.png.json", "x", "not valid JSON"),
    ],
)
def test_an_invalid_supervisely_file_is_an_error(sync, labelled, api, path, content, message):
    """The error names the file, and no project is created."""
    write(labelled / path, content)
    with pytest.raises(FolderError, match=message) as error:
        sync()
    assert path in str(error.value)
    assert api.project.get_list() == []


def test_an_object_may_refer_to_its_class_by_id(sync, labelled, projects):
    """As exports of older tools do."""
    label = {**box(), "classId": 77}
    del label["classTitle"]
    write(labelled / "a" / "ann" / "0.png.json", {"objects": [label]})
    assert shapes(projects.content(sync().id), "a:0.png")[0][0] == "car"


# -- YOLO


@pytest.fixture(params=["images/train", "train/images", "train"])
def yolo(request, folder):
    split = request.param
    labels = {"images/train": "labels/train", "train/images": "train/labels", "train": "train"}[split]
    write(folder / "data.yaml", "train: ../x\nnc: 2\nnames:\n  0: cat  # the first\n  1: 'big dog'\n")
    write(folder / split / "1.png", png((1, 0, 0), (100, 50)))
    write(folder / split / "2.png", png((2, 0, 0), (100, 50)))
    write(folder / labels / "1.txt", "0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.2 0.1 0.2 0.2\n\n")
    return folder


def test_yolo(sync, yolo, projects, api):
    """Boxes and polygons are converted to pixels, splits are datasets, an image without label file has no labels."""
    assert detect(yolo).name == "yolo"
    project = sync()
    content = projects.content(project.id)
    assert shapes(content, "train:1.png") == [
        ("cat", "rectangle", {"exterior": [[40, 15], [60, 35]], "interior": []}),
        ("big dog", "polygon", {"exterior": [[10, 5], [20, 5], [20, 10]], "interior": []}),
    ]
    assert content["train:2.png"][1] == []
    assert titles(api, project.id) == ["cat", "big dog"]


def test_changed_class_names_change_all_labels(sync, yolo, projects, later):
    """Label files have class numbers only, so that other names result in other labels."""
    project = sync()
    later()
    write(yolo / "data.yaml", "names: [hen, cow]")
    sync()
    assert [title for title, *_ in shapes(projects.content(project.id), "train:1.png")] == ["hen", "cow"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2 0.5 0.5 0.2 0.4", "no class 2; there are 2"),
        ("0.5 0.5 0.5 0.2 0.4", "no class 0.5"),
        ("0 0.5 0.5 0.2", "3 numbers after the class"),
        ("0 a 0.5 0.2 0.1", "could not convert"),
        ("0 nan 0.5 0.2 0.1", "not finite"),
    ],
)
def test_an_invalid_yolo_line_is_an_error(sync, folder, line, message):
    """The error names the file and the line."""
    write(folder / "classes.txt", "cat\ndog\n")
    write(folder / "images" / "1.png", png())
    write(folder / "labels" / "1.txt", f"1 0.5 0.5 1 1\n{line}\n")
    with pytest.raises(FolderError, match=message) as error:
        sync()
    assert "labels/1.txt', line 2" in str(error.value)


def names(text):
    return class_names.names_of("data.yaml", class_names.parse_yaml("data.yaml", text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("names: ['a', \"b c\", d-e]", ["a", "b c", "d-e"]),
        ("names: [a,\n  b, # more\n  c]\nnc: 3", ["a", "b", "c"]),
        ("names: {0: a, 1: 'b:c'}", ["a", "b:c"]),
        ('names:\n- a\n- "b # no comment"\n# c\n- c\nother: 1', ["a", "b # no comment", "c"]),
        ("names:\n  1: b\n  0: it's\ndownload: |\n  names: x", ["it's", "b"]),
        ("names:\n  - it''s\n  - 'it''s'\n  - 12", ["it''s", "it's", "12"]),
        ("names: [no, 1.0, null, 2024-01-01]", ["no", "1.0", "null", "2024-01-01"]),
        ("base: &x [a, b]\nnames: *x", ["a", "b"]),
        ('"names": ["\\u0041"]', ["A"]),
    ],
)
def test_class_names_in_yaml(text, expected):
    """They are a list or a mapping from 0; all scalars are text."""
    assert class_names.has_names(text)
    assert names(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("names: [a, [b]]", "names:\n  0: a\n  2: b", "names: [a b: c]", "names: |\n  a", "names:\n  a: 0"),
        *("names:\n", "names: {a: 1}", "names: []", "names: ['']", "[names: a]"),
    ],
)
def test_invalid_class_names_in_yaml(text):
    """Names of another structure are an error that states the expected one."""
    with pytest.raises(FolderError, match="write the names as a list"):
        names(text)


@pytest.mark.parametrize("text", ["names: [a", "names: *x", "names: a: b", "names: [a]\n---\nnames: [b]", "names: '"])
def test_invalid_yaml(text):
    """The error names the file, the line and the remedy."""
    with pytest.raises(FolderError, match=r"'data.yaml' is not valid YAML \(.*line \d.*\): correct it"):
        names(text)


def test_deeply_nested_yaml():
    """It is an error, not a RecursionError."""
    with pytest.raises(FolderError, match="not valid YAML"):
        names("names: " + "[" * 5000)


def test_a_large_yaml_file_is_an_error(sync, yolo):
    """It is not read into memory."""
    write(yolo / "data.yaml", "names: [a]\n#" + "x" * class_names.MAX_YAML_BYTES)
    with pytest.raises(FolderError, match=r"data.yaml' has \d+ bytes, too many"):
        sync()


def test_yaml_without_class_names_is_not_parsed(sync, yolo):
    """Files of other tools may have any content."""
    write(yolo / "a.yaml", "{{ template }}: !custom [")
    assert detect(yolo).name == "yolo"


def test_yaml_needs_the_server_extra(sync, yolo, monkeypatch):
    """Without PyYAML the error names the extra to install."""
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ServerExtraMissing, match=r"data.yaml' needs PyYAML: .*autoflow-lineage\[server\]"):
        sync()


def test_duplicate_names_are_errors(sync, folder):
    """Two classes of one name, two images of one name, and an unknown shape of key points are rejected."""
    write(folder / "images" / "1.png", png())
    write(folder / "labels" / "1.txt", "")
    write(folder / "data.yaml", "names: [a]\nkpt_shape: [17, 5]")
    with pytest.raises(FolderError, match="kpt_shape"):
        sync()
    write(folder / "data.yaml", "names: [a, a]")
    with pytest.raises(FolderError, match="two classes are named 'a'"):
        sync()
    write(folder / "data.yaml", "names: [a]")
    write(folder / "images" / "images" / "1.png", png())
    with pytest.raises(FolderError, match="rename one of them"):
        sync()


def test_yolo_keeps_key_points_and_confidences(sync, folder, projects, api, caplog):
    """A label with key points is a box and a graph of one instance; labels are clipped to their images with a word."""
    write(folder / "data.yaml", "train: images\nnc: 2\nkpt_shape: [2, 3]\nkpt_names:\n  1: [nose, tail]\n")
    write(folder / "images" / "1.png", png(size=(100, 50)))
    lines = ["1 0.5 0.5 0.2 0.4 0.45 0.4 2 0.55 0.6 1", "0 0.5 0.5 1.2 0.4 0 0 0 0 0 0 0.75"]
    write(folder / "labels" / "1.txt", "\n".join(lines))
    project = sync()
    box, graph, plain = projects.content(project.id)["ds0:1.png"][1]
    assert box["points"]["exterior"] == [[40, 15], [60, 35]]
    assert graph["nodes"] == {"nose": {"loc": [45, 20]}, "tail": {"loc": [55, 30], "disabled": True}}
    assert [part["instance"] for part in (box, graph)] == ["1", "1"]
    assert plain["points"]["exterior"] == [[0, 15], [100, 35]]
    assert plain["customData"] == {"yolo": {"confidence": 0.75}}
    assert titles(api, project.id) == ["class_0", "class_1"]
    assert "1 labels clipped to their images" in caplog.text
    with pytest.raises(FolderError, match="labels clipped"):
        sync(strict=True, rehash=True)


def test_yolo_keeps_oriented_boxes(sync, folder, projects):
    """The corners of an oriented box are a polygon, with or without a confidence after them."""
    write(folder / "data.yaml", "names: [a]")
    write(folder / "images" / "1.png", png(size=(100, 50)))
    write(folder / "labels" / "1.txt", "0 0.1 0.1 0.3 0.2 0.2 0.4 0.0 0.3 0.5")
    (label,) = projects.content(sync().id)["ds0:1.png"][1]
    assert label["points"]["exterior"] == [[10, 5], [30, 10], [20, 20], [0, 15]]
    assert label["customData"]["yolo"]["confidence"] == 0.5


# -- Pascal VOC


def test_voc(sync, folder, projects, api, caplog):
    """Boxes, polygons, oriented boxes, flags, poses and attributes are kept; what is not is said."""
    box = "<bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>4</xmax><ymax>5</ymax></bndbox>"
    ring = "<polygon><x1>1</x1><y1>1</y1><x2>4</x2><y2>1</y2><x3>4</x3><y3>3</y3></polygon>"
    oriented = "<robndbox><cx>4</cx><cy>3</cy><w>4</w><h>2</h><angle>0.5</angle></robndbox>"
    color = "<attributes><attribute><name>color</name><value>red</value></attribute></attributes>"
    entries = [
        f"<object><name>cat</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>{box}{color}</object>",
        f"<object><name>dog</name><pose>Unspecified</pose>{box}{ring}</object>",
        f"<object><name>cat</name>{oriented}<part>{box}</part></object>",
    ]
    document = f"<annotation><filename>x.png</filename><source><database>D</database></source>{''.join(entries)}"
    write(folder / "JPEGImages" / "1.png", png())
    write(folder / "JPEGImages" / "2.png", png((1, 0, 0)))
    write(folder / "SegmentationClass" / "1.png", png((2, 0, 0)))
    write(folder / "Annotations" / "1.xml", f"{document}</annotation>")
    assert detect(folder).name == "voc"
    project = sync()
    content = projects.content(project.id)
    assert set(content) == {"ds0:1.png", "ds0:2.png"}
    _, objects, _, meta = content["ds0:1.png"]
    assert [label["geometryType"] for label in objects] == ["rectangle", "polygon", "oriented_bbox"]
    assert objects[0]["points"]["exterior"] == [[1, 2.5], [4, 5]]
    assert {tag["name"]: tag["value"] for tag in objects[0]["tags"]} == {
        "truncated": None,
        "pose": "Left",
        "color": "red",
    }
    assert (objects[2]["points"]["exterior"], objects[2]["angle"]) == ([[2, 2], [6, 4]], 0.5)
    assert meta == {"voc": {"source": {"database": "D"}}}
    assert titles(api, project.id) == ["cat", "dog"]
    assert "1 <part> of objects" in caplog.text
    write(folder / "Annotations" / "1.xml", document)
    with pytest.raises(FolderError, match=r"1\.xml' is not valid Pascal VOC"):
        sync()


# -- COCO


def coco(*annotations, images=(("1.png", 4, 4), ("2.png", 4, 4)), first=1):
    return {
        "images": [
            {"id": number, "file_name": name, "width": width, "height": height}
            for number, (name, width, height) in enumerate(images, 1)
        ],
        "categories": [{"id": 3, "name": "cat"}, {"id": 5, "name": "dog"}],
        "annotations": [
            {"id": number, "image_id": 1, "category_id": 3, **annotation}
            for number, annotation in enumerate(annotations, first)
        ],
    }


@pytest.fixture
def pictures(folder):
    for split in ("train", "val"):
        write(folder / "images" / split / "1.png", png((1, 0, len(split)), (4, 4)))
        write(folder / "images" / split / "2.png", png((2, 0, len(split)), (4, 4)))
    return folder


def pixels(data):
    """Return a mask of Supervisely's format as rows of text."""
    from PIL import Image

    image = Image.open(io.BytesIO(zlib.decompress(base64.b64decode(data)))).convert("RGBA")
    return ["".join("#" if image.getpixel((x, y))[3] else "." for x in range(image.width)) for y in range(image.height)]


def test_coco(sync, pictures, projects, api):
    """Boxes, polygons and masks in both encodings are read; each file of a split refers to the images of its split."""
    runs, compressed = [5, 2, 2, 1, 6], "522O4"  # down the columns
    train = coco(
        {"bbox": [1, 1, 2, 1.5]},
        {"bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 3, 0, 3, 3.25]], "category_id": 5},
        {"segmentation": [[0, 0, 1, 0, 1, 1], [2, 2, 3, 2, 3, 3]]},
        {"segmentation": {"size": [4, 4], "counts": runs}, "iscrowd": 1},
        {"segmentation": {"size": [4, 4], "counts": compressed}, "iscrowd": 1},
        {"image_id": 2, "bbox": [0, 0, 4, 4]},
    )
    write(pictures / "annotations" / "instances_train.json", train)
    write(pictures / "annotations" / "person_keypoints_train.json", coco({"bbox": [1, 1, 2, 1.5]}))
    write(pictures / "annotations" / "captions_train.json", {"images": [], "annotations": [{"caption": "x"}]})
    write(pictures / "annotations" / "instances_val.json", coco())
    assert detect(pictures).name == "coco"
    project = sync()
    content = projects.content(project.id)
    assert set(content) == {"train:1.png", "train:2.png", "val:1.png", "val:2.png"}
    entries = shapes(content, "train:1.png")
    box = entries.pop(2)  # which is not the bounding box of its polygon
    assert entries[:4] == [
        ("cat", "rectangle", {"exterior": [[1, 1], [3, 2.5]], "interior": []}),
        ("dog", "polygon", {"exterior": [[0, 0], [3, 0], [3, 3.25]], "interior": []}),
        ("cat", "polygon", {"exterior": [[0, 0], [1, 0], [1, 1]], "interior": []}),
        ("cat", "polygon", {"exterior": [[2, 2], [3, 2], [3, 3]], "interior": []}),
    ]
    assert box == ("dog", "rectangle", {"exterior": [[0, 0], [1, 1]], "interior": []})
    mask, compressed_mask = entries[4:]
    assert mask[2] == compressed_mask[2]
    assert (mask[1], mask[2]["origin"]) == ("bitmap", [1, 1])
    assert pixels(mask[2]["data"]) == ["##", "#."]
    instances = [label.get("instance") for label in content["train:1.png"][1]]
    assert instances == [None, "2", "2", "3", "3", None, None]
    assert content["train:1.png"][1][5]["tags"] == [{"name": "iscrowd", "value": None}]
    assert (content["val:1.png"][1], titles(api, project.id)) == ([], ["cat", "dog"])


def test_compressed_run_lengths():
    """The encoding of pycocotools is read; invalid text is an error."""
    assert masks.decode_runs("522O4") == [5, 2, 2, 1, 6]
    assert masks.decode_runs("0T3`[T2QMcdkM") == [0, 100, 70000, 5, 3]
    assert masks.decode_runs("52X1OPn0m0") == [5, 2, 40, 1, 1000, 30]
    for text in ("P", "5!", "\x7f"):
        with pytest.raises(ValueError, match="its run lengths"):
            masks.decode_runs(text)
    with pytest.raises(ValueError, match="do not add up to 2 x 2"):
        masks.decode_mask([1, 1], 2, 2)
    assert masks.bitmap(masks.decode_mask([4], 2, 2)) is None


def test_a_rewritten_coco_file_changes_only_images_with_new_annotations(sync, pictures, projects, later, opened):
    """Images with equal annotations are not uploaded again; an unchanged file is not read."""
    name = pictures / "annotations" / "instances_train.json"
    write(name, coco({"bbox": [0, 0, 1, 1]}, {"image_id": 2, "bbox": [0, 0, 2, 2]}))
    project = sync()
    later()
    opened.clear()
    sync()
    assert opened == []
    write(name, json.dumps(coco({"bbox": [0, 0, 1, 1]}, {"image_id": 2, "bbox": [0, 0, 3, 3]}), indent=1))
    reports = []
    sync(progress=lambda *report: reports.append(report))
    assert reports[-1] == ("images", 1, 1)
    assert shapes(projects.content(project.id), "train:2.png")[0][2]["exterior"][1] == [3, 3]
    later()
    write(pictures / "images" / "train" / "1.png", png((90, 0, 0), (4, 4)))
    opened.clear()
    sync()
    assert len(projects.content(project.id)["train:1.png"][1]) == 1


def masked(segmentation):
    """Return a document whose only annotation has this segmentation."""
    return {"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "segmentation": segmentation}]}


def test_the_size_of_a_mask_is_limited():
    """Also if the size of the image is not known."""
    with pytest.raises(ValueError, match="too large"):
        masks.decode_mask([10**18], 10**9, 10**9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": [{"id": 1, "file_name": "gone.png"}]}, "lists the image 'gone.png', but there is no such file"),
        ({"images": [{"id": 1, "file_name": "1.png"}]}, "2 files have that name"),
        ({"images": [{"id": 1}]}, "'file_name' is missing"),
        ({"categories": []}, "3 is missing"),
        ({"annotations": [{"image_id": 9, "category_id": 3}]}, "9 is missing"),
        ({"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "segmentation": [[1, 2]]}]}, "annotation 8"),
        ({"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "bbox": [1, 2]}]}, "annotation 8"),
        (
            {"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "segmentation": {"counts": [1]}}]},
            "do not add up to 4 x 4",
        ),
        (masked({"size": [10**9, 10**9], "counts": [10**18]}), "larger than the image, 4 x 4"),
        (masked({"size": [2, 5], "counts": [10]}), "larger than the image, 4 x 4"),
        (masked({"size": ["4", 4], "counts": [16]}), "must be a height and a width"),
        (masked({"size": [-4, -4], "counts": [16]}), "must be a height and a width"),
        (masked({"size": [4, 4], "counts": "o" * 100_000 + "0"}), "longer than any image"),
        (masked([[0, 0, 1] * 100_000]), "a polygon has 150000 points"),
        (masked([[0, 0, 1, 1, 2, math.nan]]), "not a coordinate"),
        (masked([[0, 0, 1, 1, 2, 1e300]]), "not a coordinate"),
        ({"annotations": [{"image_id": 1, "category_id": 3, "bbox": [0, 0, math.inf, 1]}]}, "not a coordinate"),
        ({"images": [{"id": 1, "file_name": "1.png", "width": math.inf}]}, "not valid COCO"),
        (
            {"categories": [{"id": 3, "name": "cat", "keypoints": ["a"], "skeleton": [[1]]}]},
            "not valid COCO",
        ),
        ({"images": [{"id": 1, "file_name": "1.png", "supervisely": {"meta": 3}}]}, "'supervisely' of an image"),
        ({"annotations": [{"id": 1, "image_id": 1, "category_id": 3, "attributes": [3]}]}, "not valid COCO"),
    ],
)
def test_an_invalid_coco_file_is_an_error(sync, pictures, api, change, message):
    """The error names the file, and no project is created."""
    file = "instances_elsewhere.json" if "2 files" in message else "instances_train.json"
    write(pictures / "annotations" / file, {**coco({"bbox": [0, 0, 1, 1]}), **change})
    with pytest.raises(FolderError, match=message):
        sync()
    assert api.project.get_list() == []


def test_other_json_files_are_ignored(sync, pictures, projects):
    """Valid JSON of another structure is ignored; invalid JSON is an error."""
    write(pictures / "info.json", {"images": 4})
    assert detect(pictures).name == "images"
    write(pictures / "info.json", "{")
    with pytest.raises(FolderError, match=r"info.json' is not valid JSON"):
        sync()


# -- images without labels


def test_labels_of_the_project_are_kept_if_the_folder_has_none(sync, folder, projects, api, later):
    """Also if an image changes."""
    write(folder / "1.png", png())
    write(folder / "ds0" / "2.png", png((4, 4, 4)))
    project = sync()
    assert projects.names(project.id) == ["ds0:2.png", "ds0_001:1.png"]
    api.project.update_meta(project.id, {"classes": [{"title": "car", "shape": "any"}], "tags": []})
    (image,) = [entry for entry in api.image.get_list(project_id=project.id) if entry.name == "1.png"]
    api.annotation.upload_json(image.id, {"objects": [box()]})
    later()
    write(folder / "1.png", png((5, 5, 5)))
    sync()
    content = projects.content(project.id)["ds0_001:1.png"]
    assert (content[0], len(content[1])) == (hash_of(png((5, 5, 5))), 1)
