"""Each format becomes the same kind of project, and says which file cannot be understood."""

from __future__ import annotations

import base64
import io
import json
import math
import zlib

import pytest

from autoflow.datasets import formats, tree
from autoflow.datasets.formats import masks
from autoflow.errors import FolderError
from tests.datasets.conftest import box, hash_of, png, write


def read(folder):
    """The format of a folder, as it is told by looking at it."""
    return formats.read(tree.walk(str(folder)))


def shapes(content, key):
    """Title, kind and points or mask of each object of an image."""
    return [(one["classTitle"], one["geometryType"], one.get("points", one.get("bitmap"))) for one in content[key][1]]


def titles(api, project):
    return [one["title"] for one in api.project.get_meta(project)["classes"]]


# -- Supervisely's


def test_supervisely(sync, labelled, projects, api):
    """Datasets stand in one another; annotations, tags and metas of images come along, numbers of elsewhere do not."""
    assert read(labelled).word == "supervisely"
    made = sync()
    content = projects.content(made.id)
    assert set(content) == {"a:0.png", "a:1.png", "a:2.png", "a/b:deep.png"}
    assert content["a:1.png"][2:] == ([{"name": "kind", "value": "x"}], {"camera": 3})
    assert shapes(content, "a:1.png") == [("car", "rectangle", {"exterior": [[0, 0], [4, 3]], "interior": []})]
    assert len(content["a/b:deep.png"][1]) == 2
    meta = api.project.get_meta(made.id)
    assert [(one["title"], one["color"]) for one in meta["classes"]] == [("car", "#112233")]
    assert meta["classes"][0]["id"] != 77


def test_the_meta_is_added_to_the_projects(sync, labelled, projects, api, later):
    """A class that changes in the folder changes in the project; one the folder does not know stays."""
    made = sync()
    later()
    own = api.project.get_meta(made.id)
    api.project.update_meta(made.id, {**own, "classes": [*own["classes"], {"title": "own", "shape": "any"}]})
    meta = json.loads((labelled / "meta.json").read_text())
    meta["classes"] = [{"title": "car", "shape": "any", "color": "#FFFFFF"}, {"title": "van", "shape": "any"}]
    write(labelled / "meta.json", meta)
    sync()
    found = api.project.get_meta(made.id)["classes"]
    assert [(one["title"], one["color"]) for one in found] == [
        *(("car", "#FFFFFF"), ("own", "#00A0FF"), ("van", "#00A0FF")),
    ]
    assert found[0]["id"] == own["classes"][0]["id"]


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        ("meta.json", "{", "no JSON"),
        ("meta.json", "[]", "must be a JSON object"),
        ("meta.json", {"projectType": "videos"}, "project of videos"),
        ("meta.json", {"classes": [{"shape": "any"}]}, '"classes" must be a list'),
        ("a/ann/0.png.json", "nonsense", "no JSON"),
        ("a/ann/0.png.json", {"objects": {}}, '"objects" must be a list'),
        ("a/ann/0.png.json", {"objects": [{"points": {}}]}, "name its class"),
        ("a/ann/0.png.json", {"tags": [{"tagId": 3}]}, "a tag has no"),
        ("a/meta/0.png.json", "x", "no JSON"),
    ],
)
def test_a_supervisely_file_that_cannot_be_read_is_named(sync, labelled, api, path, content, words):
    """Nothing is made of a folder with such a file."""
    write(labelled / path, content)
    with pytest.raises(FolderError, match=words) as error:
        sync()
    assert path in str(error.value)
    assert api.project.get_list() == []


def test_an_object_may_name_its_class_by_the_number_in_the_meta(sync, labelled, projects):
    """As in folders of older tools."""
    thing = {**box(), "classId": 77}
    del thing["classTitle"]
    write(labelled / "a" / "ann" / "0.png.json", {"objects": [thing]})
    assert shapes(projects.content(sync().id), "a:0.png")[0][0] == "car"


# -- YOLO


@pytest.fixture(params=["images/train", "train/images", "train"])
def yolo(request, folder):
    place = request.param
    labels = {"images/train": "labels/train", "train/images": "train/labels", "train": "train"}[place]
    write(folder / "data.yaml", "train: ../x\nnc: 2\nnames:\n  0: cat  # the first\n  1: 'big dog'\n")
    write(folder / place / "1.png", png((1, 0, 0), (100, 50)))
    write(folder / place / "2.png", png((2, 0, 0), (100, 50)))
    write(folder / labels / "1.txt", "0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.2 0.1 0.2 0.2\n\n")
    return folder


def test_yolo(sync, yolo, projects, api):
    """Boxes and polygons are told in pixels, splits are datasets, an image without a file of labels has none."""
    assert read(yolo).word == "yolo"
    made = sync()
    content = projects.content(made.id)
    assert shapes(content, "train:1.png") == [
        ("cat", "rectangle", {"exterior": [[40, 15], [60, 35]], "interior": []}),
        ("big dog", "polygon", {"exterior": [[10, 5], [20, 5], [20, 10]], "interior": []}),
    ]
    assert content["train:2.png"][1] == []
    assert titles(api, made.id) == ["cat", "big dog"]


def test_yolo_names_that_change_change_all_labels(sync, yolo, projects, later):
    """The files of labels have numbers only: another list of names makes other labels."""
    made = sync()
    later()
    write(yolo / "data.yaml", "names: [hen, cow]")
    sync()
    assert [one[0] for one in shapes(projects.content(made.id), "train:1.png")] == ["hen", "cow"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2 0.5 0.5 0.2 0.4", "no class 2; there are 2"),
        ("0.5 0.5 0.5 0.2 0.4", "no class 0.5"),
        ("0 0.5 0.5 0.2", "3 numbers after the class"),
        ("0 0.5 0.5 0.2 0.4 0.9", "5 numbers after the class"),
        ("0 a 0.5 0.2 0.1", "could not convert"),
        ("0 nan 0.5 0.2 0.1", "not finite"),
    ],
)
def test_a_yolo_line_that_is_none_is_named(sync, folder, line, words):
    """With its file and its number."""
    write(folder / "classes.txt", "cat\ndog\n")
    write(folder / "images" / "1.png", png())
    write(folder / "labels" / "1.txt", f"1 0.5 0.5 1 1\n{line}\n")
    with pytest.raises(FolderError, match=words) as error:
        sync()
    assert "labels/1.txt', line 2" in str(error.value)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("names: ['a', \"b c\", d-e]", ["a", "b c", "d-e"]),
        ("names: [a,\n  b, # more\n  c]\nnc: 3", ["a", "b", "c"]),
        ("names: {0: a, 1: 'b:c'}", ["a", "b:c"]),
        ('names:\n- a\n- "b # no comment"\n# c\n- c\nother: 1', ["a", "b # no comment", "c"]),
        ("names:\n  1: b\n  0: it's\ndownload: |\n  names: x", ["it's", "b"]),
        ("names:\n  - it''s\n  - 'it''s'\n  - 12", ["it''s", "it's", "12"]),
        ("nc: 2", None),
    ],
)
def test_names_in_yaml(text, wanted):
    """The forms in which tools write names are read."""
    assert formats.yolo.names.of_yaml("data.yaml", text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        *(
            "names: *anchor",
            "names: [a, [b]]",
            "names: [a",
            "names:\n  0: a\n  2: b",
            "names:\n  - &x a",
            "names: [a b: c]",
        ),
        *("names: |\n  a", "names:\n  a: 0", 'names: ["\\u0041"]', "names: !!seq [a]", "names:\n", "names: {a: 1}"),
    ],
)
def test_names_in_another_form_of_yaml_are_refused(text):
    """What is not understood is said, never guessed."""
    with pytest.raises(FolderError, match="write the names as a list"):
        formats.yolo.names.of_yaml("data.yaml", text)


def test_key_points_and_classes_of_one_name_are_refused(sync, folder):
    """What would be read wrongly is not read."""
    write(folder / "images" / "1.png", png())
    write(folder / "labels" / "1.txt", "")
    write(folder / "data.yaml", "names: [a]\nkpt_shape: [17, 3]")
    with pytest.raises(FolderError, match="key points"):
        sync()
    write(folder / "data.yaml", "names: [a, a]")
    with pytest.raises(FolderError, match="two classes are named 'a'"):
        sync()
    write(folder / "data.yaml", "names: [a]")
    write(folder / "images" / "images" / "1.png", png())
    with pytest.raises(FolderError, match="rename one of them"):
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
            {"id": number, "image_id": 1, "category_id": 3, **one} for number, one in enumerate(annotations, first)
        ],
    }


@pytest.fixture
def pictures(folder):
    for split in ("train", "val"):
        write(folder / "images" / split / "1.png", png((1, 0, len(split)), (4, 4)))
        write(folder / "images" / split / "2.png", png((2, 0, len(split)), (4, 4)))
    return folder


def pixels(data):
    """A mask of Supervisely's as rows of text."""
    from PIL import Image

    image = Image.open(io.BytesIO(zlib.decompress(base64.b64decode(data)))).convert("RGBA")
    return ["".join("#" if image.getpixel((x, y))[3] else "." for x in range(image.width)) for y in range(image.height)]


def test_coco(sync, pictures, projects, api):
    """Boxes, polygons and masks in both writings; each file of a split is about the images of its split."""
    runs, written = [5, 2, 2, 1, 6], "522O4"  # down the columns
    train = coco(
        {"bbox": [1, 1, 2, 1.5]},
        {"bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 3, 0, 3, 3.25]], "category_id": 5},
        {"segmentation": [[0, 0, 1, 0, 1, 1], [2, 2, 3, 2, 3, 3]]},
        {"segmentation": {"size": [4, 4], "counts": runs}, "iscrowd": 1},
        {"segmentation": {"size": [4, 4], "counts": written}, "iscrowd": 1},
        {"image_id": 2, "bbox": [0, 0, 4, 4]},
    )
    write(pictures / "annotations" / "instances_train.json", train)
    write(pictures / "annotations" / "person_keypoints_train.json", coco({"bbox": [1, 1, 2, 1.5]}))
    write(pictures / "annotations" / "captions_train.json", {"images": [], "annotations": [{"caption": "x"}]})
    write(pictures / "annotations" / "instances_val.json", coco())
    assert read(pictures).word == "coco"
    made = sync()
    content = projects.content(made.id)
    assert set(content) == {"train:1.png", "train:2.png", "val:1.png", "val:2.png"}
    found = shapes(content, "train:1.png")
    assert found[:4] == [
        ("cat", "rectangle", {"exterior": [[1, 1], [3, 2.5]], "interior": []}),
        ("dog", "polygon", {"exterior": [[0, 0], [3, 0], [3, 3.25]], "interior": []}),
        ("cat", "polygon", {"exterior": [[0, 0], [1, 0], [1, 1]], "interior": []}),
        ("cat", "polygon", {"exterior": [[2, 2], [3, 2], [3, 3]], "interior": []}),
    ]
    mask, again = found[4:]
    assert mask[2] == again[2]
    assert (mask[1], mask[2]["origin"]) == ("bitmap", [1, 1])
    assert pixels(mask[2]["data"]) == ["##", "#."]
    instances = [one.get("instance") for one in content["train:1.png"][1]]
    assert instances == [None, None, "3", "3", None, None]
    assert content["train:1.png"][1][4]["tags"] == [{"name": "iscrowd", "value": None}]
    assert (content["val:1.png"][1], titles(api, made.id)) == ([], ["cat", "dog"])


def test_run_lengths_as_text():
    """The text that pycocotools writes is read; what is none is refused."""
    assert masks.runs_of("522O4") == [5, 2, 2, 1, 6]
    assert masks.runs_of("0T3`[T2QMcdkM") == [0, 100, 70000, 5, 3]
    assert masks.runs_of("52X1OPn0m0") == [5, 2, 40, 1, 1000, 30]
    for text in ("P", "5!", "\x7f"):
        with pytest.raises(ValueError, match="it "):
            masks.runs_of(text)
    with pytest.raises(ValueError, match="do not make 2 x 2"):
        masks.rows_of([1, 1], 2, 2)
    assert masks.bitmap(masks.rows_of([4], 2, 2)) is None


def test_a_coco_file_written_anew_changes_only_what_it_says_anew(sync, pictures, projects, later, opened):
    """One JSON for many images: the images of which it says the same are not put again; unchanged it is not read."""
    name = pictures / "annotations" / "instances_train.json"
    write(name, coco({"bbox": [0, 0, 1, 1]}, {"image_id": 2, "bbox": [0, 0, 2, 2]}))
    made = sync()
    later()
    opened.clear()
    sync()
    assert opened == []
    write(name, json.dumps(coco({"bbox": [0, 0, 1, 1]}, {"image_id": 2, "bbox": [0, 0, 3, 3]}), indent=1))
    told = []
    sync(progress=lambda *one: told.append(one))
    assert told[-1] == ("images", 1, 1)
    assert shapes(projects.content(made.id), "train:2.png")[0][2]["exterior"][1] == [3, 3]
    later()
    write(pictures / "images" / "train" / "1.png", png((90, 0, 0), (4, 4)))
    opened.clear()
    sync()
    assert len(projects.content(made.id)["train:1.png"][1]) == 1


def masked(segmentation):
    """A file whose one annotation has this outline."""
    return {"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "segmentation": segmentation}]}


def test_a_mask_takes_no_more_memory_than_an_image():
    """Whatever its runs say, where the image was not looked at."""
    with pytest.raises(ValueError, match="too large"):
        masks.rows_of([10**18], 10**9, 10**9)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"images": [{"id": 1, "file_name": "gone.png"}]}, "names the image 'gone.png', but there is no such file"),
        ({"images": [{"id": 1, "file_name": "1.png"}]}, "2 files are called that"),
        ({"images": [{"id": 1}]}, "has no 'file_name'"),
        ({"categories": []}, "has no 3"),
        ({"annotations": [{"image_id": 9, "category_id": 3}]}, "has no 9"),
        ({"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "segmentation": [[1, 2]]}]}, "annotation 8"),
        ({"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "bbox": [1, 2]}]}, "annotation 8"),
        (
            {"annotations": [{"id": 8, "image_id": 1, "category_id": 3, "segmentation": {"counts": [1]}}]},
            "do not make 4 x 4",
        ),
        (masked({"size": [10**9, 10**9], "counts": [10**18]}), "larger than the image, 4 x 4"),
        (masked({"size": [2, 5], "counts": [10]}), "larger than the image, 4 x 4"),
        (masked({"size": ["4", 4], "counts": [16]}), "no height and width"),
        (masked({"size": [-4, -4], "counts": [16]}), "no height and width"),
        (masked({"size": [4, 4], "counts": "o" * 100_000 + "0"}), "no image is long enough for"),
        (masked([[0, 0, 1] * 100_000]), "a polygon has 150000 points"),
        (masked([[0, 0, 1, 1, 2, math.nan]]), "no coordinate"),
        (masked([[0, 0, 1, 1, 2, 1e300]]), "no coordinate"),
        ({"annotations": [{"image_id": 1, "category_id": 3, "bbox": [0, 0, math.inf, 1]}]}, "no coordinate"),
        ({"images": [{"id": 1, "file_name": "1.png", "width": math.inf}]}, "not as COCO has it"),
    ],
)
def test_a_coco_file_that_is_wrong_is_named(sync, pictures, api, change, words):
    """Nothing is made of a folder with such a file."""
    place = "instances_elsewhere.json" if "2 files" in words else "instances_train.json"
    write(pictures / "annotations" / place, {**coco({"bbox": [0, 0, 1, 1]}), **change})
    with pytest.raises(FolderError, match=words):
        sync()
    assert api.project.get_list() == []


def test_json_that_is_not_cocos_is_no_matter(sync, pictures, projects):
    """Other JSON files make a folder of images nothing else; one that is no JSON is told."""
    write(pictures / "info.json", {"images": 4})
    assert read(pictures).word == "images"
    write(pictures / "info.json", "{")
    with pytest.raises(FolderError, match=r"info.json' is no JSON"):
        sync()


# -- images alone


def test_labels_made_in_the_project_stay_when_the_folder_has_images_only(sync, folder, projects, api, later):
    """Of what is labelled such a folder says nothing."""
    write(folder / "1.png", png())
    write(folder / "ds0" / "2.png", png((4, 4, 4)))
    made = sync()
    assert projects.names(made.id) == ["ds0:2.png", "ds0_001:1.png"]
    api.project.update_meta(made.id, {"classes": [{"title": "car", "shape": "any"}], "tags": []})
    (image,) = [one for one in api.image.get_list(project_id=made.id) if one.name == "1.png"]
    api.annotation.upload_json(image.id, {"objects": [box()]})
    later()
    write(folder / "1.png", png((5, 5, 5)))
    sync()
    content = projects.content(made.id)["ds0_001:1.png"]
    assert (content[0], len(content[1])) == (hash_of(png((5, 5, 5))), 1)
