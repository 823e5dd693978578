"""``autoflow webhooks`` and `api.webhook` on the embedded server, which stores events for one that delivers them."""

from __future__ import annotations

import json

from autoflow import Api


def test_webhooks_are_added_tested_and_removed(command, monkeypatch):
    """The secret is printed once, and an event waits until a server delivers it."""
    monkeypatch.setenv("AUTOFLOW_SERVER", "embedded")
    assert "There are no webhooks" in command("webhooks", "list")[2]
    code, secret, errors = command("webhooks", "add", "run.failed", "https://example.com/")
    assert (code, len(secret), errors[:9]) == (0, 65, "webhook:1")
    assert command("webhooks", "list")[1] == "webhook:1  run.failed  https://example.com/\n"
    assert "secret" not in json.loads(command("webhooks", "list", "--json")[1])[0]
    assert command("webhooks", "test", "1")[0] == 0
    assert (
        command("webhooks", "deliveries", "1")[1].rstrip().partition("  run.failed")[2][:21] == "  waiting  0 attempts"
    )
    (delivery,) = json.loads(command("webhooks", "deliveries", "1", "--json")[1])
    assert (delivery["state"], delivery["error"]) == ("waiting", None)
    api = Api()
    assert api.webhook.get_info_by_id(1) == api.webhook.get_list(1)[0]
    assert command("webhooks", "remove", "1")[:2] == (0, "webhook:1 was removed.\n")
    assert api.webhook.get_list(1) == []
    code, _, errors = command("webhooks", "add", "run.started", "https://example.com/")
    assert (code, errors.startswith('autoflow: "action" must be one of run.failed')) == (1, True)
