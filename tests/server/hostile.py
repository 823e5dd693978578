"""A server with one of everything, a valid body for each method, and values that honest clients never send."""

from __future__ import annotations

from autoflow.server.limits import LIST_ENTRIES


def nested(depth, kind=list):
    """Return lists or objects nested to a depth."""
    value = 1
    for _ in range(depth):
        value = [value] if kind is list else {"a": value}
    return value


VALUES = {
    "null": None,
    "true": True,
    "minus": -1,
    "zero": 0,
    "largest": 2**53 - 1,
    "beyond 64 bits": 2**70,
    "a part": 1.5,
    "nan": float("nan"),
    "infinity": float("inf"),
    "empty": "",
    "blank": " ",
    "nul": "a\0b",
    "surrogate": "\ud800",
    "long": "x" * 5000,
    "wildcards": "%_" * 200,
    "digits": "9" * 400,
    "empty list": [],
    "nulls": [None, None],
    "lists": [[[]]],
    "odd objects": [{"id": {}, "name": [], "value": {"from": []}}],
    "numbers": [1, 1, 2**70],
    "empty object": {},
    "odd object": {"a": [None], "objects": 5, "classes": 5, "tags": 5, "restored_from": 5, "phase": 1, "id": "x"},
    "deep": nested(900),
    "deep object": nested(900, dict),
    "too many": [1] * (LIST_ENTRIES + 1),
}


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
        image, figure, project, dataset = self.images[0], self.figure, self.project, self.dataset
        page = {"filter": [{"field": "name", "operator": "=", "value": "a"}], "sort": "id", "page": 1, "per_page": 10}
        token = {"pagination_mode": "token", "after": 0, "sort_order": "asc"}
        part = {"project": project, "depth": 2, "kinds": ["file"], "apps": ["a"], "since": "2020", "opened": ["x"]}
        filters = [{"type": "images_filename", "data": {"value": "a"}}, {"type": "images_tag", "data": {"tagId": 1}}]
        edge = {
            "node": {"type": "task", "id": self.task},
            "type": "project",
            "id": project,
            "meta": {"k": 1},
            "teamId": 1,
        }
        record = {"key": "h", "type": "facts", "run": "world", "facts": {"a": 1}, "at": 1}
        gone, plain = 99_999, {"id": project}
        scenes, video = self.scenes, self.video
        return {
            "GetTaskContext": {"id": self.task},
            "advanced.object_classes.info": {"id": self.klass},
            "advanced.object_classes.list": {"projectId": project, **page},
            "advanced.object_classes.editInfo": {"id": self.klass, "name": "c", "settings": {}, "color": "#000000"},
            "advanced.tags.editInfo": {"id": self.tag, "title": "t", "settings": {"type": "none", "classes": []}},
            "annotation-objects.bulk.add": {"datasetId": scenes, "annotationObjects": [self.actor]},
            "annotation-objects.bulk.remove": {"items": [gone * 2**20 + 1]},
            "annotation-objects.info": {"id": self.object},
            "annotation-objects.list": {"datasetId": scenes, **page, "filter": []},
            "annotation-objects.tags.add": {"objectId": self.object, **self.clip_tag},
            "annotation-objects.tags.bulk.add": {
                "projectId": self.clips,
                "tags": [{"objectId": self.object, **self.clip_tag, "isFinished": True, "nonFinalValue": False}],
            },
            "annotation-objects.tags.remove": {"id": gone * 2**20 + 1},
            "annotation-objects.tags.update": {"id": self.object_tag, "frameRange": [0, 1]},
            "annotation-objects.tags.update-value": {"id": self.object_tag, "value": None},
            "agents.available": {"teamId": 1, "needGPU": True},
            "agents.info": {"id": 1},
            "agents.list": {"teamId": 1, **page},
            "agents.storage.download": {"id": 1, "path": "/a.txt"},
            "agents.storage.list": {"id": 1, "teamId": 1, "path": "/"},
            "annotations.bulk.info": {"imageIds": self.images, "integerCoords": True},
            "annotations.info": {"imageId": image},
            "annotations.list": {"datasetId": dataset, **page, "filter": []},
            "annotations.bulk.add": {"datasetId": dataset, "annotations": [{"imageId": image, "annotation": {}}]},
            "annotations.bulk.copy": {"srcImageIds": [image], "destImageIds": [image]},
            "apps.info": {"id": self.app},
            "apps.list": {"teamId": 1, **page},
            "apps.tasks.list": {"appId": self.app, **page},
            "autoflow.changes": {},
            "autoflow.files.history": {"id": self.file, "path": "/models/best.pt", "teamId": 1},
            "autoflow.files.written": {"task": self.task, "folder": "/models"},
            "autoflow.items.table": {"id": image, "version": self.version, "rows": 5},
            "autoflow.folders.items": {"projectId": project, "after": 0},
            "autoflow.folders.state": {"projectId": project},
            "autoflow.folders.look": {"hashes": [self.hash], "links": []},
            "autoflow.folders.paths": {"id": self.version, "hashes": [self.hash]},
            "autoflow.folders.contents": {"id": self.version, "hashes": [self.hash]},
            "autoflow.folders.put": {
                "datasetId": dataset,
                "images": [{"name": "b.png", "hash": self.hash, "annotation": {}, "meta": {}, "link": "file:///x"}],
            },
            "autoflow.folders.remove": {"projectId": project, "images": [gone], "datasets": [gone]},
            "autoflow.folders.shape": {"projectId": project, "meta": {"classes": [], "tags": []}, "datasets": [["d"]]},
            "autoflow.graph": {"project": project, "task": None, "file": None, "workspace": None, "teamId": 1},
            "autoflow.erase.plan": {"refs": [f"image:{image}"], "teamId": 1},
            "autoflow.erase.run": {"refs": [], "teamId": 1, "reason": "asked"},
            "autoflow.erase.list": {"teamId": 1},
            "autoflow.retention": {"teamId": 1},
            "autoflow.retention.set": {"teamId": 1, "logs": 90, "versions": 0},
            "autoflow.retention.apply": {"teamId": 1},
            "autoflow.audit.list": {"teamId": 1, "action": "member.", "entity": "member:bob", "limit": 5},
            "autoflow.models.register": {"name": "lemons", "ref": "/models/best.pt", "teamId": 1},
            "autoflow.models.list": {"teamId": 1, "q": "lem", "limit": 5},
            "autoflow.models.show": {"name": "world", "teamId": 1, "before": 9, "limit": 5},
            "autoflow.models.resolve": {"ref": "model:world@best on 2100-01-01", "teamId": 1},
            "autoflow.models.alias": {"name": "world", "alias": "best", "version": 1, "reason": "a", "teamId": 1},
            "autoflow.models.history": {"name": "world", "alias": "best", "teamId": 1, "before": 9, "limit": 5},
            "webhooks.add": {
                "teamId": 1,
                "url": "https://example.com/",
                "action": "run.failed",
                "meta": {"retriesCount": 1, "retriesDelay": 1, "headers": {"X-A": "b"}, "followRedirect": True},
            },
            "webhooks.list": {"teamId": 1, "filter": []},
            "webhooks.info": {"id": self.webhook},
            "webhooks.update": {"id": self.webhook, "url": "https://example.org/", "action": "alias.moved", "meta": {}},
            "webhooks.bulk.remove": {"ids": [gone]},
            "webhooks.test": {"teamId": 1, "id": self.webhook, "action": "run.failed", "payload": {"a": 1}},
            "autoflow.webhooks.deliveries": {"id": self.webhook, "before": 9, "limit": 5},
            "autoflow.members.set": {"teamId": 1, "login": "bob", "role": "viewer"},
            "autoflow.members.remove": {"teamId": 1, "login": "nobody"},
            "autoflow.overview.counts": {"id": project, "after": 0},
            "autoflow.overview.drawn": {"images": self.images, "version": self.version},
            "autoflow.overview.file": {"id": self.file},
            "autoflow.overview.folder": {"path": "/models", "team": 1, "after": "", "limit": 5},
            "autoflow.overview.image": {"id": image},
            "autoflow.overview.images": {"dataset": dataset, "start": 0, "q": "a", "labeled": True, "limit": 5},
            "autoflow.overview.job": {"id": self.job},
            "autoflow.overview.log": {"id": self.task, "after": 0, "before": 1, "limit": 5},
            "autoflow.overview.project": plain,
            "autoflow.overview.projects": {"workspace": 1, "after": {"updatedAt": "2020", "id": 1}, "limit": 5},
            "autoflow.overview.recent": {"days": 7},
            "autoflow.overview.run": {"id": self.task},
            "autoflow.overview.runs": {"workspace": 1, "app": 1, "before": 9, "limit": 5},
            "autoflow.overview.start": {"limit": 5},
            "autoflow.overview.versions": {"id": project, "before": 9, "limit": 5},
            "autoflow.impact": {"ref": f"image:{image}", "teamId": 1},
            "autoflow.previews": {"id": image, "width": 10, "height": 10, "resize": "fit", "quality": 10},
            "autoflow.records.add": {"records": [record]},
            "autoflow.reproduction.token": {"task": self.task},
            "autoflow.reproduction.revoke": {"id": gone},
            "autoflow.reproduction.view": {"id": gone, "projects": [], "datasets": [], "files": []},
            "autoflow.reproduction.discard": {"id": gone},
            "autoflow.reproductions": {"task": self.task, "attempt": "a"},
            "autoflow.runs.ensure": {
                "run": "world",
                "name": "app",
                "task": None,
                "origin": "",
                "team": 1,
                "workspace": 1,
            },
            "autoflow.runs.contents": {"task": self.task, "pieces": ["unknown"]},
            "autoflow.runs.compare": {"first": self.task, "second": self.task},
            "autoflow.runs.search": {
                "where": "result.mAP > 0.6 or app = 'a'",
                "sort": "-started",
                "limit": 5,
                "offset": 0,
            },
            "autoflow.scene": {**part, "expand": [{"card": f"project:{project}", "side": "both"}], "have": ""},
            "autoflow.scene.cards": {"keys": [f"project:{project}"]},
            "autoflow.scene.export": {**part, "form": "json"},
            "autoflow.search": {"q": "a", "kinds": ["project"], "limit": 5},
            "autoflow.tasks.ensure": {"id": self.task, "teamId": 1},
            "autoflow.trace": {"ref": f"project:{project}", "every": True, "teamId": 1},
            "autoflow.unknown_methods": {},
            "autoflow.upkeep.collect": {"state": None},
            "autoflow.upkeep.verify": {"state": None, "level": 1, "id": self.version, "projectId": project},
            "autoflow.versions.delete": {"id": gone},
            "autoflow.versions.diff": {
                "from": self.version,
                "to": self.version,
                "limit": 5,
                "after": 0,
                "labels": True,
            },
            "autoflow.versions.items": {"id": self.version, "after": 0, "limit": 5, "datasetId": dataset},
            "autoflow.versions.map": plain,
            "autoflow.transfers.begin": {**self.received, "workspaceId": 1, "name": "r"},
            "autoflow.transfers.source": {"id": self.version},
            "autoflow.transfers.items": {"id": self.version, "after": 0},
            "autoflow.transfers.documents": {"id": self.version, "hashes": ["x"]},
            "autoflow.transfers.needs": {"blobs": [self.hash], "documents": ["x"]},
            "autoflow.transfers.datasets": {"id": self.transfer, "datasets": [self.folder], "meta": "{}"},
            "autoflow.transfers.put": {
                "id": self.transfer,
                "after": 0,
                "upto": 1,
                "items": [{**self.folder, "dataset": 1, "hash": self.hash}],
                "documents": ["{}"],
            },
            "autoflow.transfers.finish": {"id": gone},
            "autoflow.transfers.projects": {"after": 0},
            "autoflow.transfers.files": {"after": 0},
            "autoflow.transfers.runs": {"after": 0},
            "autoflow.transfers.log": {"task": self.task, "after": 0},
            "autoflow.transfers.known": {"store": "other", "type": "task", "ids": [1]},
            "autoflow.transfers.link": {
                "store": "other",
                "type": "task",
                "copies": [{"source": 1, "id": self.task, "state": "s"}],
            },
            "autoflow.versions.meta": {"id": self.version},
            "autoflow.versions.picture": {"id": image, "version": self.version},
            "autoflow.versions.restore": {"restoring": gone},
            "autoflow.versions.snapshot": {"projectId": project, "title": "t", "description": "d"},
            "datasets.add": {"projectId": project, "name": "outer", "parentId": dataset, "customData": {}},
            "datasets.archive": {"id": gone},
            "datasets.editInfo": {"id": dataset, "name": "inner", "description": "d", "customData": {}},
            "datasets.info": {"id": dataset},
            "datasets.list": {
                "projectId": project,
                "recursive": True,
                "parentId": None,
                "extraFields": ["customData"],
                **page,
            },
            "datasets.list.all": {**page, **token},
            "datasets.move": {"srcId": dataset, "destId": self.outer},
            "datasets.remove": {"id": gone},
            "datasets.remove.permanently": {"datasets": [{"id": gone}]},
            "ecosystem.info": {"id": self.app, "slug": "app"},
            "ecosystem.list": {"search": "a", "categories": [], **page},
            "entities-collections.add": {"projectId": project, "name": "c", "type": "default", "meta": {"a": 1}},
            "entities-collections.editInfo": {"id": self.collection, "name": "c", "description": "d"},
            "entities-collections.info": {"id": self.collection},
            "entities-collections.items.bulk.add": {
                "collectionId": self.collection,
                "entityIds": [image],
                "entityItems": [{"entityId": image, "meta": {"score": 1}}],
            },
            "entities-collections.items.bulk.remove": {"collectionId": self.collection, "entityIds": [gone]},
            "entities-collections.list": {"projectId": project, "type": "default", **page},
            "entities-collections.remove": {"id": gone},
            "figures.bulk.add": {"entityId": image, "figures": [{"classId": self.klass, "geometry": {}, "tags": []}]},
            "figures.bulk.download.geometry": {"ids": [figure]},
            "figures.bulk.remove": {"figureIds": [gone]},
            "figures.custom-data.update": {"id": figure, "customData": {"a": 1}, "updateStrategy": "merge"},
            "figures.editInfo": {"id": figure, "geometry": {"points": {}}, "tags": [], "meta": {}, "customData": {}},
            "figures.info": {"id": figure},
            "figures.list": {
                "datasetId": dataset,
                "filters": [],
                "fields": ["id"],
                "integerCoords": True,
                **page,
                "filter": [],
            },
            "figures.priority.update": {"id": figure, "priority": 1},
            "figures.tags.bulk.add": {"projectId": project, "tags": [{"figureId": figure, "tagId": self.tag}]},
            "figures.tags.list": {"id": figure},
            "file-storage.bulk.remove": {"teamId": 1, "paths": ["/gone"]},
            "file-storage.download": {"id": self.file, "teamId": 1, "path": "/models/"},
            "file-storage.info": {"id": self.file},
            "file-storage.list": {"teamId": 1, "path": "/", "recursive": False},
            "file-storage.remove": {"teamId": 1, "path": "/gone"},
            "file-storage.v2.list": {"teamId": 1, "path": "/", "limit": 5, "continuationToken": "", "files": True},
            "image-tags.bulk.add-to-image": {"ids": [image], "tagId": self.tag, "value": None},
            "image-tags.bulk.remove-from-images": {"ids": [image], "tagIds": [gone]},
            "image-tags.remove-from-image": {"imageId": image, "tagId": gone, "id": gone},
            "image-tags.update-tag-value": {"id": self.own_tag, "value": None},
            "images.bulk.add": {
                "datasetId": dataset,
                "images": [
                    {"title": "a.png", "hash": self.hash, "meta": {}, "imageId": 1},
                    {
                        "title": "b.png",
                        "teamFileId": self.file,
                        "sourceBlob": {"offsetStart": 0, "offsetEnd": 1},
                    },
                ],
            },
            "images.data.download": {"projectId": project, "downloadId": str(self.file)},
            "images.bulk.download": {"imageIds": [image]},
            "images.bulk.download-by-hash": {"hashes": [self.hash]},
            "images.bulk.remove": {"imageIds": [gone]},
            "images.bulk.set-custom-sort": {"images": [{"id": image, "customSort": "1"}]},
            "images.download": {"id": image},
            "images.editInfo": {"id": image, "name": "a.png", "description": "d", "meta": {}},
            "images.info": {"id": image},
            "images.internal.hashes.list": {"items": [self.hash]},
            "images.list": {"datasetId": dataset, "recursive": True, "filters": filters, **page, **token},
            "images.update.links": {"images": [{"id": gone, "link": "https://x"}]},
            "import-storage.internal.meta.list": {"hashes": [self.hash]},
            "instance.version": {},
            "jobs.add": {
                "name": "j",
                "datasetId": dataset,
                "userIds": [1],
                "reviewerId": 1,
                "meta": {"entityIds": [image]},
            },
            "jobs.archive": {"id": gone},
            "jobs.bulk.remove": {"ids": [gone]},
            "jobs.editInfo": {"id": self.job, "name": "j", "customData": {}, "userId": 1, "reviewerId": 1},
            "jobs.entities.update-review-status": {"jobId": self.job, "entityId": image, "status": "accepted"},
            "jobs.info": {"id": self.job},
            "jobs.list": {"teamId": 1, "showDisabled": True, **page},
            "jobs.set-status": {"id": self.job, "status": "pending"},
            "jobs.stats": {"id": self.job},
            "jobs.stop": {"id": gone},
            "members.add": {"teamId": 1, "login": "admin", "roleId": 1},
            "members.editInfo": {"teamId": 1, "id": 1, "roleId": 1},
            "members.remove": {"teamId": 1, "id": gone},
            "members.list": {"teamId": 1, **page, "filter": []},
            "object-tags.add-to-object": {"figureId": figure, "tagId": self.tag, "value": None},
            "object-tags.remove-from-figure": {"figureId": figure, "tagId": gone, "id": gone},
            "point-clouds.annotations.bulk.info": {"datasetId": self.drive, "pointCloudIds": [self.cloud]},
            "point-clouds.bulk.add": {
                "datasetId": self.drive,
                "pointClouds": [{"name": "d.pcd", "hash": self.hash, "teamFileId": self.file, "meta": {"frame": 1}}],
            },
            "point-clouds.download": {"id": self.cloud},
            "point-clouds.episodes.annotations.info": {"datasetId": self.drive},
            "point-clouds.episodes.frames.update-order": {"datasetId": self.drive, "ids": [self.cloud]},
            "point-clouds.episodes.notify-annotation-tool": {"type": "x", "data": {"datasetId": self.drive}},
            "point-clouds.images.add": {"images": [{**self.photo, "name": "dam.png"}]},
            "point-clouds.images.download": {"id": self.camera},
            "point-clouds.images.list": {
                "datasetId": self.drive,
                **page,
                "filter": [{"field": "entityId", "operator": "in", "value": [self.cloud]}],
            },
            "point-clouds.info": {"id": self.cloud},
            "point-clouds.list": {"datasetId": self.drive, **page, **token},
            "point-clouds.tags.add": {"entityId": self.cloud, **self.cloud_mark},
            "point-clouds.tags.bulk.add": {"entityId": self.cloud, "tags": [self.cloud_mark]},
            "point-clouds.tags.remove": {"id": gone},
            "point-clouds.tags.update": {"id": self.cloud_tag},
            "point-clouds.tags.update-value": {"id": self.cloud_tag, "value": None},
            "projects.add": {
                "workspaceId": 1,
                "name": "world",
                "description": "d",
                "settings": {},
                "customData": {},
                "type": "images",
            },
            "projects.archive": {"id": gone},
            "projects.classes.remove": {"projectId": project, "id": gone},
            "projects.clone": {"id": project, "workspaceId": 1, "name": "world", "include": {"images": False}},
            "projects.editInfo": {"id": project, "description": "d", "readme": "r", "customData": {}, "silent": True},
            "projects.info": plain,
            "projects.list": {"workspaceId": 1, "groupId": 1, **page},
            "projects.list.all": {**page, **token},
            "projects.meta": plain,
            "projects.meta.update": {"id": gone, "meta": {"classes": [{"title": "c"}], "tags": [{"name": "t"}]}},
            "projects.remove": {"id": gone},
            "projects.remove.permanently": {"projects": [{"id": gone}]},
            "projects.settings.update": {"id": project, "settings": {}},
            "projects.stats": plain,
            "projects.tags.remove": {"projectId": project, "id": gone},
            "projects.versions.cancel-reservation": {"id": self.version, "commitToken": "t"},
            "projects.versions.commit": {"id": self.version, "commitToken": "t", "teamFileId": self.file, "title": "t"},
            "projects.versions.info": {"id": self.version},
            "projects.versions.list": {"projectId": project, **page},
            "projects.versions.reserve": {"projectId": gone},
            "projects.versions.update": {
                "id": self.version,
                "name": "n",
                "description": "d",
                "previewProjectId": project,
            },
            "projects.workspace.set": {"id": project, "workspaceId": 1},
            "roles.list": page,
            "tags.bulk.add": {
                "projectId": project,
                "tags": [{"title": "t", "settings": {"type": "none"}, "color": "#000000"}],
            },
            "tags.entities.bulk.add": {"projectId": project, "tags": [{"entityId": image, "tagId": self.tag}]},
            "tags.list": {"projectId": project, **page},
            "remote-storage.available_providers": {"groupId": 1},
            "remote-storage.download": {"groupId": 1, "link": "s3://bucket/a"},
            "remote-storage.exists": {"groupId": 1, "path": "s3://bucket/a"},
            "remote-storage.list": {"groupId": 1, "path": "s3://bucket/", "recursive": True, "limit": 5},
            "remote-storage.stat": {"groupId": 1, "path": "s3://bucket/a"},
            "remote-storage.supported_providers": {"groupId": 1},
            "tasks.app-v2.data.set": {"taskId": self.task, "payload": {}},
            "tasks.data.get": {"taskId": self.task, "fields": ["a"]},
            "tasks.data.set": {
                "taskId": self.task,
                "fields": [{"field": "data.a", "payload": {"b": 1}, "append": True, "recursive": True}],
            },
            "tasks.info": {"id": self.task},
            "tasks.list": {"workspaceId": 1, **page},
            "tasks.log.download": {"id": self.task, "sinceTime": "2020", "limit": 5},
            "tasks.logs.add": {
                "logs": [{"task_id": self.task, "level": "error", "message": "m", "stack": ["line"]}],
            },
            "tasks.meta.update": {"id": self.task},
            "tasks.output.set": {"taskId": self.task, "output": {"a": 1}},
            "tasks.request.direct": {"taskId": self.task, "command": "c", "context": {}, "state": {}, "timeout": 1},
            "tasks.status.update": {"id": self.task, "status": "started"},
            "tasks.stop": {"id": gone},
            "teams.activity": {
                "teamId": 1,
                "filter": [{"field": "type", "operator": "in", "value": ["create_project"]}],
                "page": 1,
                "per_page": 10,
            },
            "teams.add": {"name": "Team", "description": "d"},
            "teams.info": {"id": 1},
            "teams.list": page,
            "users.add": {"login": "admin", "password": "p", "name": "n"},
            "users.info": {"id": 1},
            "users.list": page,
            "users.me": {},
            "videos.annotations.bulk.info": {"datasetId": scenes, "videoIds": [video]},
            "videos.bulk.add": {"datasetId": scenes, "videos": [{"title": "w.mp4", "hash": self.hash, "meta": {}}]},
            "videos.bulk.download-frame": {"videoId": video, "frames": [0]},
            "videos.bulk.upsert_file_meta": {"items": [{"hash": self.hash, "meta": {"streams": [{"index": 0}]}}]},
            "videos.custom-data.set": {"id": video, "customData": {"a": 1}},
            "videos.download": {"id": video},
            "videos.download-frame": {"videoId": video, "frame": 0},
            "videos.info": {"id": video},
            "videos.list": {"datasetId": scenes, "recursive": True, **page, **token},
            "videos.notify-annotation-tool": {"type": "videos:tracking-error", "data": {}},
            "videos.tags.add": {"videoId": video, **self.clip_tag},
            "videos.tags.bulk.add": {"videoId": video, "tags": [self.clip_tag]},
            "videos.tags.remove": {"id": gone},
            "videos.tags.update": {"id": self.video_tag, "frameRange": [0, 1]},
            "videos.tags.update-value": {"id": self.video_tag, "value": None},
            "videos.update.links": {"videos": [{"id": gone, "link": "https://x"}]},
            "volumes.annotations.bulk.info": {"datasetId": self.study, "volumeIds": [self.volume]},
            "volumes.bulk.add": {
                "datasetId": self.study,
                "volumes": [{"name": "t.nrrd", "hash": self.hash, "meta": {}}],
            },
            "volumes.download": {"id": self.volume},
            "volumes.info": {"id": self.volume},
            "volumes.list": {"datasetId": self.study, **page, **token},
            "volumes.slices.bulk.add": {"volumeId": self.volume, "volumeSlices": [{"hash": self.hash, **self.axial}]},
            "volumes.slices.images.download": {
                "volumeId": self.volume,
                **self.axial,
                "windowCenter": 1,
                "windowWidth": 2,
            },
            "volumes.tags.add": {"entityId": self.volume, **self.volume_mark},
            "volumes.tags.bulk.add": {"entityId": self.volume, "tags": [self.volume_mark]},
            "volumes.tags.remove": {"id": gone},
            "volumes.tags.update": {"id": self.volume_tag},
            "volumes.tags.update-value": {"id": self.volume_tag, "value": None},
            "workflow.node.add-input": edge,
            "workflow.node.add-output": {**edge, "type": "file", "id": "/models/best.pt"},
            "workspaces.add": {"teamId": 1, "name": "Workspace", "description": "d"},
            "workspaces.archive": {"id": gone},
            "workspaces.editInfo": {"id": 1, "name": "Workspace", "description": "d"},
            "workspaces.info": {"id": 1},
            "workspaces.list": {"teamId": 1, **page},
            "workspaces.visibility.set": {"id": 1, "hidden": False},
        }


def members(body, path=()):
    """Yield the paths of the values in a body; a list is represented by its first entry."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield (*path, name)
            yield from members(value, (*path, name))
    elif isinstance(body, list) and body:
        yield (*path, 0)
        yield from members(body[0], (*path, 0))


def put(body, path, value):
    """Return a copy of a body with another value at a path."""
    if not path:
        return value
    step, *rest = path
    copied = dict(body) if isinstance(body, dict) else list(body)
    copied[step] = put(copied[step], rest, value)
    return copied
