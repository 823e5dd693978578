"""Projects of videos: annotations of objects with figures, their versions, and what other methods make of them."""

from __future__ import annotations

import io

import pytest

from autoflow.errors import ServerRefused
from autoflow.server.project_types.images import FIGURES
from autoflow.wire.parts import Part

META = {
    "classes": [{"title": "lemon", "shape": "any"}, {"title": "lime", "shape": "any"}],
    "tags": [{"name": "ripe", "value_type": "none"}],
}


class Clips:
    """A project of videos that are links, with classes and a tag."""

    def __init__(self, filled):
        self.call = filled.call
        self.filled = filled
        self.project = filled.project("clips", type="videos")
        meta = self.call("projects.meta.update", id=self.project, meta=META)
        self.lemon, self.lime = (entry["id"] for entry in meta["classes"])
        self.ripe = meta["tags"][0]["id"]
        self.dataset = filled.dataset(self.project)
        self.first, self.second = self.add("a.mp4", "b.mp4")

    def add(self, *names):
        videos = [{"title": name, "link": f"https://x/{name}"} for name in names]
        return [video["id"] for video in self.call("videos.bulk.add", datasetId=self.dataset, videos=videos)]

    def track(self, video, class_id, *frames):
        """Add an object with a figure in each of some frames; return its number and those of the figures."""
        objects = [{"entityId": video, "classId": class_id}]
        (added,) = self.call("annotation-objects.bulk.add", datasetId=self.dataset, annotationObjects=objects)
        figures = [
            {"objectId": added["id"], "geometryType": "point", "geometry": {"points": {}}, "meta": {"frame": frame}}
            for frame in frames
        ]
        return added["id"], [entry["id"] for entry in self.call("figures.bulk.add", entityId=video, figures=figures)]

    def read(self, video):
        return self.call("videos.annotations.bulk.info", datasetId=self.dataset, videoIds=[video])[0]

    def frames(self, video):
        return [(frame["index"], len(frame["figures"])) for frame in self.read(video)["frames"]]

    def version(self):
        return self.filled.snapshot(self.project)["id"]


@pytest.fixture
def clips(filled):
    return Clips(filled)


def test_a_version_compares_figures_and_is_restored(clips):
    """Without a change there is no new version; figures are the labels that are compared, and frames of tags count."""
    clips.track(clips.first, clips.lemon, 1, 4)
    clips.call("videos.tags.add", videoId=clips.first, tagId=clips.ripe, frameRange=[0, 2])
    version = clips.version()
    assert clips.version() == version
    tag = clips.call("videos.info", id=clips.first)["tags"][0]["id"]
    clips.call("videos.tags.update", id=tag, frameRange=[0, 3])
    assert clips.version() != version
    clips.track(clips.first, clips.lime, 4)
    comparison = clips.call("autoflow.versions.diff", **{"from": version, "labels": True})
    assert comparison["counts"]["labels"] == {"before": 2, "after": 3, "added": 1, "removed": 0, "changed": 0}
    restored = clips.call("autoflow.versions.restore", id=version)["id"]
    (dataset,) = clips.call("datasets.list", projectId=restored)["entities"]
    copied = clips.call("videos.list", datasetId=dataset["id"])["entities"][0]
    annotation = clips.call("videos.annotations.bulk.info", datasetId=dataset["id"], videoIds=[copied["id"]])[0]
    assert [frame["index"] for frame in annotation["frames"]] == [1, 4]
    assert annotation["objects"][0]["id"] // FIGURES == copied["id"]
    assert copied["tags"][0]["frameRange"] == [0, 2]
    digest = clips.call("autoflow.versions.meta", id=version)["version"]["digest"]
    assert clips.call("autoflow.folders.state", projectId=restored)["digest"] == digest
    assert clips.call("autoflow.upkeep.verify", level=3)["problems"] == []


def test_figures_leave_with_their_object_and_its_class(clips):
    """Removing an object or a class removes the figures, and the number of labels follows."""
    lemon, _ = clips.track(clips.first, clips.lemon, 1, 2)
    clips.track(clips.first, clips.lime, 2)
    assert clips.frames(clips.first) == [(1, 1), (2, 2)]
    assert clips.call("figures.list", datasetId=clips.dataset)["total"] == 3
    clips.call("annotation-objects.bulk.remove", items=[lemon])
    assert clips.frames(clips.first) == [(2, 1)]
    clips.call("projects.classes.remove", projectId=clips.project, id=clips.lime)
    assert (clips.frames(clips.first), clips.read(clips.first)["objects"]) == ([], [])
    assert clips.call("videos.info", id=clips.first)["figuresCount"] == 0


def test_a_figure_needs_an_object_of_its_video(clips):
    """An object of another video, and one that is not there, are refused; nothing is added."""
    other, _ = clips.track(clips.second, clips.lemon)
    for number in (other, clips.first * FIGURES + 7):
        figure = {"objectId": number, "geometryType": "point", "geometry": {}}
        with pytest.raises(ServerRefused) as refusal:
            clips.call("figures.bulk.add", entityId=clips.first, figures=[figure])
        assert refusal.value.status == 404
    assert clips.frames(clips.first) == []


def test_methods_of_another_type_say_so(clips):
    """Images are not read as videos, nor videos as images; the message has the type of the project."""
    images = clips.filled.dataset(clips.filled.project("lemons"))
    image = clips.filled.image(images)["id"]
    of_images = [
        ("images.info", {"id": clips.first}),
        ("images.list", {"datasetId": clips.dataset}),
        ("annotations.info", {"imageId": clips.first}),
        ("images.bulk.add", {"datasetId": clips.dataset, "images": [{"title": "a", "link": "https://x"}]}),
    ]
    for method, body in of_images:
        with pytest.raises(ServerRefused, match="'videos'") as refusal:
            clips.call(method, **body)
        assert refusal.value.status == 400
    for method, body in (("videos.info", {"id": image}), ("videos.list", {"datasetId": images})):
        with pytest.raises(ServerRefused, match="'images'"):
            clips.call(method, **body)
    for name in ("meshes", "audio"):
        with pytest.raises(ServerRefused, match=f"{name!r} are not supported"):
            clips.filled.project("x", type=name)


def test_what_a_client_says_of_a_file_is_its_own(clips):
    """The number of frames that is sent for a file is that of the video that is made of it, also after renaming it."""
    name = clips.filled.content(clips.filled.picture())
    info = {"streams": [{"index": 0, "codecType": "video", "width": 8, "height": 6, "framesCount": 3}], "duration": 1.5}
    clips.call("videos.bulk.upsert_file_meta", items=[{"hash": name, "meta": info}])
    assert clips.call("import-storage.internal.meta.list", hashes=[name]) == [{"hash": name, "meta": info}]
    videos = [{"title": "c.mp4", "hash": name, "meta": {"k": 1}}]
    (video,) = clips.call("videos.bulk.add", datasetId=clips.dataset, videos=videos)
    clips.call("images.editInfo", id=video["id"], name="d.mp4", meta={"k": 2})
    after = clips.call("videos.info", id=video["id"])
    assert (after["name"], after["meta"], after["fileMeta"]["framesCount"]) == ("d.mp4", {"k": 2}, 3)
    assert (after["width"], after["height"], after["fileMeta"]["duration"]) == (8, 6, 1.5)


def test_odd_descriptions_and_metas_are_refused_or_left_out(clips):
    """A size that no column holds is left out; a meta of a figure that is no object changes nothing."""
    name = clips.filled.content(clips.filled.picture())
    info = {"streams": [5, {"codecType": "video", "width": 2**70, "height": True, "framesCount": []}]}
    clips.call("videos.bulk.upsert_file_meta", items=[{"hash": name, "meta": info}])
    videos = [{"title": "c.mp4", "hash": name}]
    (video,) = clips.call("videos.bulk.add", datasetId=clips.dataset, videos=videos)
    assert clips.read(video["id"])["framesCount"] == 0
    _, (figure,) = clips.track(clips.first, clips.lemon, 1)
    with pytest.raises(ServerRefused, match='"meta" must be an object'):
        clips.call("figures.editInfo", id=figure, meta=[1])
    clips.call("figures.custom-data.update", id=figure, customData={"a": 1})
    clips.call("figures.custom-data.update", id=figure, customData={"b": 2})
    clips.call("figures.editInfo", id=figure, meta={"frame": 3})
    assert clips.frames(clips.first) == [(3, 1)]
    (listed,) = clips.call("figures.list", datasetId=clips.dataset)["entities"]
    assert (listed["customData"], listed["meta"]) == ({"a": 1, "b": 2}, {"frame": 3})


def test_bytes_that_are_no_video_are_refused(clips):
    """The upload names the part; a file that only starts like a video is refused where PyAV can tell."""
    part = Part("0-file", io.BytesIO(clips.filled.picture()), "0", "video/*")
    (answer,) = clips.filled.server.upload("videos.bulk.upload", [part], {})
    assert "is not a video that can be read" in answer["errors"][0]["message"]
    pytest.importorskip("av")
    part = Part("0-file", io.BytesIO(b"\0\0\0\x18ftypisom" + b"\0" * 100), "0", "video/*")
    assert "errors" in clips.filled.server.upload("videos.bulk.upload", [part], {})[0]


def test_the_preview_is_the_first_frame(clips):
    """A thumbnail of a video, in the proportions of its frames."""
    av = pytest.importorskip("av")
    from PIL import Image

    stream = io.BytesIO()
    with av.open(stream, "w", format="avi") as container:
        video = container.add_stream("mpeg4", rate=5)
        video.width, video.height, video.pix_fmt = 64, 32, "yuv420p"
        for shade in (200, 10):
            container.mux(video.encode(av.VideoFrame.from_image(Image.new("RGB", (64, 32), (shade, 0, 0)))))
        container.mux(video.encode())
    part = Part("0-file", io.BytesIO(stream.getvalue()), "0", "video/*")
    (uploaded,) = clips.filled.server.upload("videos.bulk.upload", [part], {})
    assert (uploaded["mime"], uploaded["width"], uploaded["height"]) == ("video/x-msvideo", 64, 32)
    videos = [{"title": "c.avi", "hash": uploaded["hash"]}]
    (added,) = clips.call("videos.bulk.add", datasetId=clips.dataset, videos=videos)
    assert added["fileMeta"]["framesCount"] == 2
    picture = b"".join(clips.filled.server.download("autoflow.previews", {"id": added["id"], "width": 32}))
    with Image.open(io.BytesIO(picture)) as image:
        assert image.size == (32, 16)
        assert image.getpixel((5, 5))[0] > 150
