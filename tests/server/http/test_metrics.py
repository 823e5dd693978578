"""Metrics: what Prometheus reads is true, bounded, and of nobody's data."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from autoflow.server.http import metrics


def scrape(client):
    response = client.send("GET", "/metrics")
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(response.text)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value for family in families for sample in family.samples
    }


def test_requests_are_counted_by_method_and_status(client):
    """Each has its latency in a histogram; the scrape itself is the only request in progress."""
    client.call("projects.add", workspaceId=1, name="lemons")
    client.refused(409, "projects.add", json={"workspaceId": 1, "name": "lemons"})
    samples = scrape(client)
    method = ("method", "projects.add")
    assert samples["autoflow_requests_total", method, ("status", "200")] == 1
    assert samples["autoflow_requests_total", method, ("status", "409")] == 1
    assert samples["autoflow_request_seconds_count", method] == 2
    assert samples["autoflow_request_seconds_bucket", ("le", "+Inf"), method] == 2
    assert samples["autoflow_request_seconds_sum", method] > 0
    assert samples["autoflow_requests_in_progress",] == 1
    assert samples["autoflow_body_bytes_total", ("way", "received")] > 0


def test_waits_and_the_store_are_measured(client):
    """Waits for threads and for the store's lock, and how much the store holds."""
    project = client.call("projects.add", workspaceId=1, name="lemons")["id"]
    client.put(data=b"weights")
    client.call("autoflow.versions.snapshot", projectId=project)
    samples = scrape(client)
    assert samples["autoflow_queue_seconds_count", ("pool", "writes")] == 2
    assert samples["autoflow_threads_in_use", ("pool", "writes")] == 0
    assert samples["autoflow_lock_seconds_count", ("lock", "write")] >= 3
    assert (samples["autoflow_versions",], samples["autoflow_blobs",]) == (1, 1)
    assert samples["autoflow_blob_bytes",] == len(b"weights")
    assert samples["autoflow_database_bytes",] > 0
    assert samples["autoflow_ready", ("part", "database")] == 1
    assert samples["process_resident_memory_bytes",] > 0


def test_labels_are_not_what_clients_choose(client):
    """Neither methods that do not exist, nor paths, nor names of data become labels."""
    client.call("projects.add", workspaceId=1, name="lemons")
    for number in range(3):
        client.refused(404, f"no.such.method{number}", json={})
        client.send("GET", f"/nothing/{number}")
    client.send("GET", "/storage/files/7")
    text = client.send("GET", "/metrics").text
    assert "lemons" not in text
    assert "no.such" not in text
    methods = {line.split('method="')[1].split('"')[0] for line in text.splitlines() if 'method="' in line}
    assert methods == {"projects.add", "unsupported", "page", "/storage"}


def test_the_store_is_measured_for_a_hundredth_of_the_time_at_most(client, monkeypatch):
    """Counting blobs takes longer the more there are; scrapes in between repeat the last result."""
    monkeypatch.setattr(metrics, "USAGE_SHARE", 1e-9)
    assert scrape(client)["autoflow_blobs",] == 0
    client.put()
    assert scrape(client)["autoflow_blobs",] == 0


@pytest.mark.parametrize("scheme", ["x-api-key", "Bearer"])
def test_metrics_need_a_token_where_all_requests_do(guarded, scheme):
    """Prometheus sends it as `authorization`, or as the password of `basic_auth`."""
    assert guarded.send("GET", "/metrics").status_code == 401
    token = guarded.server.tokens.create("prometheus", ["Team"])
    headers = {"x-api-key": token} if scheme == "x-api-key" else {"Authorization": f"Bearer {token}"}
    response = guarded.send("GET", "/metrics", headers=headers)
    assert response.status_code == 200
    assert 'autoflow_requests_total{method="/metrics",status="401"} 1.0' in response.text
    assert token[:6] not in response.text
