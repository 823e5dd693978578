"""`teams.activity`: who made what, from the rows of the store."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused


def test_what_a_team_made_is_listed_newest_first(filled):
    """With user and names, by pages, of that team alone, and by every filter that the SDK sends."""
    project = filled.project()
    dataset = filled.dataset(project)
    filled.snapshot(project)
    filled.file("/models/best.pt")
    filled.call("autoflow.runs.ensure", run="r1", name="Train")
    filled.image(dataset)
    job = filled.call("jobs.add", name="j", datasetId=dataset, userIds=[1])[0]["id"]
    listed = filled.call("teams.activity", teamId=1)
    actions = [entry["action"] for entry in listed["entities"]]
    made = ["create_dataset", "create_job", "create_project", "create_version", "run_app", "upload_file"]
    assert (sorted(actions), listed["total"], listed["pagesCount"]) == (made, 6, 1)
    dates = [entry["date"] for entry in listed["entities"]]
    assert dates == sorted(dates, reverse=True)
    by_action = {entry["action"]: entry for entry in listed["entities"]}
    assert by_action["create_dataset"]["project"] == "lemons"
    assert (by_action["create_dataset"]["datasetId"], by_action["create_dataset"]["user"]) == (dataset, "admin")
    assert by_action["upload_file"]["meta"]["name"] == "/models/best.pt"
    assert by_action["create_version"]["meta"]["name"] == "V1"

    def count(field, value, operator="="):
        conditions = [{"field": field, "operator": operator, "value": value}]
        return filled.call("teams.activity", teamId=1, filter=conditions)["total"]

    assert (count("projectId", project), count("jobId", job), count("userId", 1), count("userId", 99)) == (4, 1, 6, 0)
    assert (count("type", ["run_app", "attach_tag"], "in"), count("date", dates[-1], ">=")) == (1, 6)
    assert (count("labelerId", 1), count("reviewStatus", "done")) == (0, 0)
    pages = [filled.call("teams.activity", teamId=1, page=page, per_page=4)["entities"] for page in (1, 2, 3)]
    assert [entry for page in pages for entry in page] == listed["entities"]
    other = filled.call("teams.add", name="Others")["id"]
    assert filled.call("teams.activity", teamId=other)["total"] == 0


def test_no_bucket_is_connected(filled):
    """There are no providers, nothing exists, and a list is refused with the option that connects a bucket."""
    for method in ("supported_providers", "available_providers"):
        assert filled.call(f"remote-storage.{method}", groupId=1) == []
    with pytest.raises(ServerRefused, match="AUTOFLOW_BUCKETS") as refusal:
        filled.call("remote-storage.list", path="s3://bucket/")
    assert refusal.value.status == 404
    assert filled.call("remote-storage.exists", path="s3://bucket/a") == {"exists": False}
