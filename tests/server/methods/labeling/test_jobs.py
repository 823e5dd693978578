"""Labeling jobs: made for members of the team, of images of one dataset."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


@pytest.fixture
def dataset(filled):
    number = filled.dataset(filled.project())
    for name in "abcd":
        filled.image(number, f"{name}.png")
    return number


def refused(code, call, *args, **more):
    with pytest.raises(ServerRefused) as refusal:
        call(*args, **more)
    assert refusal.value.status == code


def make(filled, dataset, **more):
    return filled.call("jobs.add", **{"name": "Label", "datasetId": dataset, "userIds": [1], **more})[0]


def test_a_job_has_what_the_sdk_reads_unasked(filled, dataset):
    """Names of classes and tags are objects, the range has both ends, and the images are told."""
    meta = {"classes": ["lemon"], "projectTags": ["split"], "imageTags": [{"name": "split", "positive": False}]}
    job = make(filled, dataset, meta={**meta, "range": {"start": 2, "end": 3}})
    response = filled.call("jobs.info", id=job["id"])
    assert (response["meta"]["classes"], response["meta"]["projectTags"]) == ([{"name": "lemon"}], [{"name": "split"}])
    assert response["meta"]["imageTags"] == meta["imageTags"]
    assert response["meta"]["range"] == {"start": 2, "end": 3}
    assert [entry["name"] for entry in response["entities"]] == ["b.png", "c.png"]
    assert (response["imagesCount"], response["labelerLogin"], response["status"]) == (2, "admin", "pending")
    assert filled.call("jobs.info", id=make(filled, dataset)["id"])["meta"]["range"] == {"start": None, "end": None}


def test_lists_leave_out_what_was_asked_to(filled, dataset):
    """Jobs are listed by team, without the ones put away, and by filters, those of what a job may lack included."""
    first, second = make(filled, dataset), make(filled, dataset, reviewerId=1)
    names = lambda **body: [job["id"] for job in filled.call("jobs.list", teamId=1, **body)["entities"]]  # noqa: E731
    assert names() == [first["id"], second["id"]]
    filled.call("jobs.set-status", id=first["id"], status="completed")
    assert names(filter=[{"field": "status", "operator": "!in", "value": ["completed"]}]) == [second["id"]]
    assert names(filter=[{"field": "reviewerId", "operator": "=", "value": None}]) == [first["id"]]
    assert len(names(filter=[{"field": "labelingQueueId", "operator": "=", "value": None}])) == 2
    filled.call("jobs.archive", id=second["id"])
    assert names() == [first["id"]]
    assert len(names(showDisabled=True)) == 2
    refused(404, filled.call, "jobs.bulk.remove", ids=[first["id"], 999])
    assert names() == [first["id"]]
    filled.call("jobs.bulk.remove", ids=[first["id"]])
    assert names() == []
    assert len(names(showDisabled=True)) == 2


def test_a_jobs_times_follow_its_status(filled, dataset):
    """It begins with the first status that is not pending, and is over while it is completed or stopped."""
    number = make(filled, dataset)["id"]
    filled.call("jobs.stop", id=number)
    response = filled.call("jobs.info", id=number)
    assert (response["status"], response["startedAt"]) == ("stopped", response["finishedAt"])
    filled.call("jobs.set-status", id=number, status="in_progress")
    assert filled.call("jobs.info", id=number)["finishedAt"] is None
    refused(400, filled.call, "jobs.set-status", id=number, status="done")


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        (400, {"userIds": []}),
        (404, {"userIds": [99]}),
        (404, {"reviewerId": 99}),
        (404, {"datasetId": 99}),
        (404, {"meta": {"entityIds": [99]}}),
        (400, {"meta": {"classes": [7]}}),
        (400, {"meta": {"range": {"start": "x"}}}),
        (400, {"meta": []}),
    ],
)
def test_a_wrong_job_is_refused(filled, dataset, status, wrong):
    """Unknown people, images and datasets are refused, and no job is made."""
    refused(status, make, filled, dataset, **wrong)
    assert filled.call("jobs.list", teamId=1)["total"] == 0


def test_images_of_another_dataset_are_refused(filled, dataset):
    """A job is of one dataset."""
    other = filled.image(filled.dataset(filled.project("other")))["id"]
    refused(400, make, filled, dataset, meta={"entityIds": [other]})


def test_a_job_is_changed(filled, dataset):
    """Its name, custom data, and who labels and reviews, who must be of the team."""
    number = make(filled, dataset)["id"]
    response = filled.call("jobs.editInfo", id=number, name="Other", customData={"a": 1}, reviewerId=1)
    assert (response["name"], response["customData"], response["reviewerId"]) == ("Other", {"a": 1}, 1)
    refused(404, filled.call, "jobs.editInfo", id=number, userId=99)
    assert filled.call("jobs.info", id=number)["userId"] == 1


def test_what_was_said_of_images_is_counted(filled, dataset):
    """Each image of a job is accepted, rejected or done; said anew, or taken back, it counts as said last."""
    number = make(filled, dataset)["id"]
    images = [entry["id"] for entry in filled.call("jobs.info", id=number)["entities"]]
    for image, status in zip((*images[:3], images[2]), ("accepted", "rejected", "done", "none"), strict=True):
        filled.call("jobs.entities.update-review-status", jobId=number, entityId=image, status=status)
    response = filled.call("jobs.info", id=number)
    assert [entry["reviewStatus"] for entry in response["entities"]] == ["accepted", "rejected", "none", "none"]
    assert (response["finishedImagesCount"], response["acceptedImagesCount"], response["rejectedImagesCount"]) == (
        2,
        1,
        1,
    )
    assert filled.call("jobs.stats", id=number)["job"]["progress"] == {"images": 50}
    wrong = {"jobId": number, "entityId": images[0]}
    refused(400, filled.call, "jobs.entities.update-review-status", **wrong, status="well")
    refused(404, filled.call, "jobs.entities.update-review-status", **{**wrong, "entityId": 999}, status="done")
