"""Images that are ranges of a team file, by the SDK: functions of its Api that return plain values."""

from __future__ import annotations

import os
import tarfile
import tempfile
from typing import Any

import numpy as np
import supervisely as sly

from tests.sdk.sdk_scenarios import picture

NAMES = ["a.png", "b.png", "c.png"]


def file_ranges(api: sly.Api) -> dict[str, Any]:
    """Upload images in one file, add them by their offsets, and download the project with that file, twice."""
    project = api.project.create(1, "ranges")
    dataset = api.dataset.create(project.id, "ds")
    with tempfile.TemporaryDirectory() as folder:
        archive = os.path.join(folder, "images.tar")
        with tarfile.open(archive, "w") as tar:
            for number, name in enumerate(NAMES):
                sly.image.write(os.path.join(folder, name), picture(number))
                tar.add(os.path.join(folder, name), name)
        offsets = sly.fs.save_blob_offsets_pkl(archive, folder)
        file, _ = api.file.upload_bulk(1, [archive, offsets], ["/in/images.tar", "/in/" + os.path.basename(offsets)])
        added = [
            info
            for infos in api.image.upload_blob_images(dataset, file, return_image_infos_generator=True)
            for info in infos
        ]
        with open(archive, "rb") as stored:
            whole = api.image.download_blob_file(project.id, added[0].download_id) == stored.read()
        api.image.update_meta(added[0].id, {"k": 1})
        api.file.remove(1, "/in/images.tar")
        work = os.path.join(folder, "project")
        sly.download_project(api, project.id, work, download_blob_files=True, log_progress=True)
        again, _ = sly.upload_project(work, api, 1, "again", log_progress=False)
        copied = api.image.get_list(api.dataset.get_list(again)[0].id)
        refused = []
        for first, last in ((0, 10**9), (5, 5), (0, 512)):
            try:
                bounds = [{"offsetStart": first, "offsetEnd": last}]
                api.image.upload_by_offsets(dataset.id, file.id, ["x.png"], bounds)
            except Exception as error:
                refused.append(getattr(getattr(error, "response", None), "status_code", repr(error)))
    return {
        "names": [info.name for info in added],
        "fields": [added[0].related_data_id == file.id, added[0].width, added[0].mime, added[0].meta],
        "whole": whole,
        "pixels": all(
            np.array_equal(pixels, picture(number))
            for infos in (added, copied)
            for number, pixels in enumerate(
                api.image.download_nps(infos[0].dataset_id, [info.id for info in sorted(infos, key=lambda i: i.name)])
            )
        ),
        "again": [[info.name, info.offset_end - info.offset_start == info.size] for info in copied],
        "meta": api.image.get_info_by_id(added[0].id).meta,
        "refused": refused,
        "left": len(api.image.get_list(dataset.id)),
    }
