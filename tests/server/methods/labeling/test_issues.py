"""Issues, with their comments and sub-issues."""

from __future__ import annotations

import pytest

from autoflow.errors import ServerRefused
from autoflow.server import limits
from tests.postgres import on_sqlite


@on_sqlite
def test_what_is_sent_with_an_issue_is_bounded(filled, monkeypatch):
    """Comments and sub-issues have a largest number, and a comment a largest length."""
    monkeypatch.setattr(limits, "OF_ISSUE", 2)
    project = filled.project()
    issue = filled.call("issues.add", teamId=1, name="boxes", comment="first")["id"]
    filled.call("issues.comments.add", issueId=issue, comment="second")
    with pytest.raises(ServerRefused, match="3 comments"):
        filled.call("issues.comments.add", issueId=issue, comment="third")
    with pytest.raises(ServerRefused, match="10000 characters"):
        filled.call("issues.add", teamId=1, name="long", comment="x" * 10_001)
    bindings = [{"field": "projectId", "value": project}]
    filled.call("issues.sub-issue.add", issueId=issue, bindings=bindings * 2)
    with pytest.raises(ServerRefused, match="3 sub-issues"):
        filled.call("issues.sub-issue.add", issueId=issue, bindings=bindings)
    assert len(filled.call("issues.info", id=issue, withSubIssues=True)["subIssues"]) == 2
