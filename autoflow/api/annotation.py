"""`api.annotation`: annotations of images, as JSON documents in Supervisely's format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow.api.pagination import batches
from autoflow.transport.base import Transport

MAX_IMAGES = 50  # of one request


class AnnotationApi:
    """Annotations of the images of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def download_json(self, image_id: int) -> dict[str, Any]:
        """Return the annotation of an image.

        Raises:
            ServerRefused: there is no such image (404).
        """
        dataset_id = self._transport.call("images.info", {"id": image_id})["datasetId"]
        return self.download_json_batch(dataset_id, [image_id])[0]

    def download_json_batch(self, dataset_id: int, image_ids: Sequence[int]) -> list[dict[str, Any]]:
        """Return the annotations of images of a dataset, in the order of the ids."""
        annotations: dict[int, dict[str, Any]] = {}
        for batch in batches(image_ids, MAX_IMAGES):
            payload = {"datasetId": dataset_id, "imageIds": list(batch), "integerCoords": False}
            for entry in self._transport.call("annotations.bulk.info", payload):
                annotations[entry["imageId"]] = entry["annotation"]
        return [annotations[image_id] for image_id in image_ids]

    def upload_json(self, img_id: int, ann_json: Mapping[str, Any]) -> None:
        """Replace the annotation of an image."""
        self.upload_jsons([img_id], [ann_json])

    def upload_path(self, img_id: int, ann_path: str) -> None:
        """Replace the annotation of an image by that in a JSON file."""
        with open(ann_path, encoding="utf-8") as file:
            self.upload_json(img_id, json.load(file))

    def upload_jsons(self, img_ids: Sequence[int], ann_jsons: Sequence[Mapping[str, Any]]) -> None:
        """Replace the annotations of images of one dataset.

        Raises:
            ValueError: the numbers of images and annotations differ.
        """
        if len(img_ids) != len(ann_jsons):
            raise ValueError(f"got {len(ann_jsons)} annotations for {len(img_ids)} images")
        if not img_ids:
            return
        dataset_id = self._transport.call("images.info", {"id": img_ids[0]})["datasetId"]
        for batch in batches(list(_entries(img_ids, ann_jsons)), MAX_IMAGES):
            self._transport.call("annotations.bulk.add", {"datasetId": dataset_id, "annotations": list(batch)})


def _entries(img_ids: Sequence[int], ann_jsons: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for image_id, annotation in zip(img_ids, ann_jsons, strict=True):
        yield {"imageId": image_id, "annotation": dict(annotation)}
