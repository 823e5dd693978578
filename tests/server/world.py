"""A server with one of everything."""

from __future__ import annotations

from tests.server.bodies import valid_bodies


class World:
    """Data of every kind in a server (`Filled`)."""

    def __init__(self, filled):
        self.call = filled.call
        call = filled.call
        self.project = filled.project("world")
        classes = [{"title": "c", "shape": "any"}]
        tags = [{"name": "t", "value_type": "none"}, {"name": "s", "value_type": "any_string"}]
        meta = call("projects.meta.update", id=self.project, meta={"classes": classes, "tags": tags})
        self.klass = meta["classes"][0]["id"]
        self.tag = meta["tags"][0]["id"]
        self.outer = filled.dataset(self.project, "outer")
        self.dataset = filled.dataset(self.project, "inner", parentId=self.outer)
        self.hash = filled.content(filled.picture())
        named = [{"name": f"{name}.png", "hash": self.hash} for name in "ab"]
        self.images = [image["id"] for image in call("images.bulk.add", datasetId=self.dataset, images=named)]
        figure = {
            "entityId": self.images[0],
            "classId": self.klass,
            "geometryType": "point",
            "geometry": {"points": {}},
        }
        self.figure = call("figures.bulk.add", datasetId=self.dataset, figures=[figure])[0]["id"]
        call("image-tags.bulk.add-to-image", ids=self.images, tagId=self.tag)
        self.own_tag = call("images.info", id=self.images[0])["tags"][0]["id"]
        self.clips = filled.project("clips", type="videos")
        call("projects.meta.update", id=self.clips, meta={"classes": classes, "tags": tags})
        self.clip_meta = call("projects.meta", id=self.clips)
        self.scenes = filled.dataset(self.clips)
        (video,) = call(
            "videos.bulk.add", datasetId=self.scenes, videos=[{"title": "v.mp4", "link": "https://x/v.mp4"}]
        )
        self.video = video["id"]
        self.actor = {"entityId": self.video, "classId": self.clip_meta["classes"][0]["id"]}
        added = call("annotation-objects.bulk.add", datasetId=self.scenes, annotationObjects=[self.actor])
        self.object = added[0]["id"]
        self.clip_tag = {"tagId": self.clip_meta["tags"][0]["id"], "frameRange": [0, 1]}
        self.object_tag = call("annotation-objects.tags.add", objectId=self.object, **self.clip_tag)["id"]
        self.video_tag = call("videos.tags.add", videoId=self.video, **self.clip_tag)["id"]
        drawn = {"objectId": self.object, "geometryType": "point", "geometry": {"points": {}}, "meta": {"frame": 1}}
        call("figures.bulk.add", entityId=self.video, figures=[drawn])
        self.survey = filled.project("survey", type="point_cloud_episodes")
        self.drive = filled.dataset(self.survey)
        cloud = {"name": "c.pcd", "link": "https://x/c.pcd", "meta": {"frame": 0}}
        self.cloud = call("point-clouds.bulk.add", datasetId=self.drive, pointClouds=[cloud])[0]["id"]
        self.photo = {"entityId": self.cloud, "name": "cam.png", "hash": self.hash, "meta": {}}
        self.camera = call("point-clouds.images.add", images=[self.photo])[0]["id"]
        self.survey_meta = call("projects.meta.update", id=self.survey, meta={"classes": classes, "tags": tags})
        self.cloud_mark = {"tagId": self.survey_meta["tags"][0]["id"]}
        self.cloud_tag = call("point-clouds.tags.add", entityId=self.cloud, **self.cloud_mark)["id"]
        self.scans = filled.project("scans", type="volumes")
        self.study = filled.dataset(self.scans)
        scan = {"name": "s.nrrd", "link": "https://x/s.nrrd"}
        self.volume = call("volumes.bulk.add", datasetId=self.study, volumes=[scan])[0]["id"]
        scan_meta = call("projects.meta.update", id=self.scans, meta={"classes": classes, "tags": tags})
        self.volume_mark = {"tagId": scan_meta["tags"][0]["id"]}
        self.volume_tag = call("volumes.tags.add", entityId=self.volume, **self.volume_mark)["id"]
        self.axial = {"sliceIndex": 0, "normal": {"x": 0, "y": 0, "z": 1}}
        self.file = filled.file()["id"]
        hook = {"teamId": 1, "url": "https://example.com/", "action": "run.failed"}
        self.webhook = call("webhooks.add", **hook)["id"]
        call("webhooks.test", teamId=1, id=self.webhook)
        call("autoflow.models.register", name="world", ref=f"file:{self.file}")
        call("autoflow.models.alias", name="world", alias="best", version=1)
        self.collection = call("entities-collections.add", projectId=self.project, name="split")["id"]
        self.queue = call("labeling-queues.add", name="q", datasetId=self.dataset, userIds=[1])["id"]
        self.issue = call("issues.add", teamId=1, name="i", comment="c")["id"]
        self.report = call("reports.create", teamId=1, name="r", widgets=[{"id": "a"}])["id"]
        self.version = filled.snapshot(self.project)["id"]
        self.received = {
            "origins": [{"store": "other", "project": 1, "version": 1}],
            "version": {
                "number": 1,
                "digest": "1",
                "itemsCount": 1,
                "name": "n",
                "description": "d",
                "author": "ann",
                "createdAt": "2026-01-01T00:00:00.000Z",
                "projectUpdatedAt": "2026-01-01T00:00:00.000Z",
            },
            "project": {"name": "received", "type": "images"},
        }
        times = {"createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z"}
        self.folder = {"name": "a", "original": 1, "parent": None, **times}
        self.transfer = call("autoflow.transfers.begin", **self.received)["id"]
        call("autoflow.transfers.datasets", id=self.transfer, datasets=[self.folder])
        self.job = call("jobs.add", name="j", datasetId=self.dataset, userIds=[1], meta={"entityIds": self.images})[0][
            "id"
        ]
        filled.send(filled.record("run", run="world", name="app"))
        filled.edge("input", "project", self.project, run="world")
        self.task = call("autoflow.runs.ensure", run="world")["task"]
        self.app = call("tasks.info", id=self.task)["meta"]["app"]["id"]

    def bodies(self):
        """Return a valid body by method; methods that remove name missing ids, so that the data stays."""
        return valid_bodies(self)
