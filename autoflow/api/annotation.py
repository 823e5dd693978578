"""`api.annotation`: annotations as Supervisely-format JSON documents, one an image."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from autoflow.api.pagination import batches
from autoflow.transport.base import Transport

IMAGES = 50


class AnnotationApi:
    """Annotations of the images of one server."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def download_json(self, image_id: int) -> dict[str, Any]:
        """An image's annotation.

        Raises:
            ServerRefused: 404, there is no such image.
        """
        dataset_id = self._transport.call("images.info", {"id": image_id})["datasetId"]
        return self.download_json_batch(dataset_id, [image_id])[0]

    def download_json_batch(self, dataset_id: int, image_ids: Sequence[int]) -> list[dict[str, Any]]:
        """The annotations of images of a dataset, in the order given."""
        found: dict[int, dict[str, Any]] = {}
        for batch in batches(image_ids, IMAGES):
            body = {"datasetId": dataset_id, "imageIds": list(batch), "integerCoords": False}
            for told in self._transport.call("annotations.bulk.info", body):
                found[told["imageId"]] = told["annotation"]
        return [found[number] for number in image_ids]

    def upload_json(self, img_id: int, ann_json: Mapping[str, Any]) -> None:
        """Put an annotation in place of an image's."""
        self.upload_jsons([img_id], [ann_json])

    def upload_path(self, img_id: int, ann_path: str) -> None:
        """Put an annotation, read from a JSON file, in place of an image's."""
        with open(ann_path, encoding="utf-8") as file:
            self.upload_json(img_id, json.load(file))

    def upload_jsons(self, img_ids: Sequence[int], ann_jsons: Sequence[Mapping[str, Any]]) -> None:
        """Put annotations in place of those of images of one dataset.

        Raises:
            ValueError: there are not as many images as annotations.
        """
        if len(img_ids) != len(ann_jsons):
            raise ValueError(f"{len(img_ids)} images for {len(ann_jsons)} annotations")
        if not img_ids:
            return
        dataset_id = self._transport.call("images.info", {"id": img_ids[0]})["datasetId"]
        for batch in batches(list(_entries(img_ids, ann_jsons)), IMAGES):
            self._transport.call("annotations.bulk.add", {"datasetId": dataset_id, "annotations": list(batch)})


def _entries(img_ids: Sequence[int], ann_jsons: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, annotation in zip(img_ids, ann_jsons, strict=True):
        yield {"imageId": number, "annotation": dict(annotation)}
