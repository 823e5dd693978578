"""Requests against their declarations: what is accepted, and what the errors say."""

from __future__ import annotations

import pytest

from autoflow.server.errors import Invalid
from autoflow.server.validation import struct, validate
from autoflow.wire.contract.catalog import METHODS
from autoflow.wire.contract.folders import FolderImage, FolderLookRequest, FolderPutRequest
from autoflow.wire.contract.lineage import GraphRequest, SceneRequest
from autoflow.wire.contract.method import descriptions, to_wire
from autoflow.wire.contract.records import EnsureRunRequest
from autoflow.wire.contract.versions import VersionDiffRequest


def test_numbers_may_be_text_null_is_absent_and_unknown_members_are_ignored():
    """As the SDK sends them."""
    body = {"from": "3", "to": None, "limit": 5.0, "bogus": 1}
    assert validate(VersionDiffRequest, body) == VersionDiffRequest(from_=3, limit=5)


@pytest.mark.parametrize(
    ("request_type", "body", "message", "field"),
    [
        (VersionDiffRequest, {}, '"from" is missing', "from"),
        (VersionDiffRequest, {"from": "x"}, '"from" must be a whole number', "from"),
        (VersionDiffRequest, {"from": True}, '"from" must be a whole number', "from"),
        (VersionDiffRequest, {"from": 0}, '"from" must be a whole number, at least 1', "from"),
        (VersionDiffRequest, {"from": 1, "labels": []}, '"labels" must be true or false', "labels"),
        (GraphRequest, {"file": []}, '"file" must be a whole number or text', "file"),
        (FolderPutRequest, {"datasetId": 1, "images": 3}, '"images" must be a list', "images"),
        (
            FolderPutRequest,
            {"datasetId": 1, "images": [{"hash": "h"}]},
            '"images[0].name" is missing',
            "images[0].name",
        ),
        (EnsureRunRequest, {"run": " "}, '"run" must be text that is not blank', "run"),
        (EnsureRunRequest, {"run": "x" * 2001}, '"run" must be at most 2000 bytes long', "run"),
        (EnsureRunRequest, {"run": "r", "origin": "\0"}, '"origin" must be text', "origin"),
        (FolderLookRequest, {"hashes": ["h"] * 10_001}, '"hashes" has more than 10000 entries', "hashes"),
        (
            SceneRequest,
            {"expand": [{"card": "task:1", "side": "left"}]},
            '"expand[0].side" must be one of upstream, downstream, both',
            "expand[0].side",
        ),
    ],
)
def test_an_error_names_the_member_and_what_it_must_be(request_type, body, message, field):
    """The message begins with the member's path, which the details have too."""
    with pytest.raises(Invalid) as error:
        validate(request_type, body)
    assert str(error.value).startswith(message)
    assert error.value.details["field"] == field


def test_text_that_the_server_replaces_is_accepted():
    """The name of an app may hold what no database can store."""
    assert validate(EnsureRunRequest, {"run": "r", "name": "a\0"}).name == "a\0"


def test_a_request_is_sent_with_the_keys_that_the_server_reads():
    """What the client writes, the server reads back."""
    image = FolderImage(name="a.png", hash="h", meta={"a_b": None})
    request = FolderPutRequest(dataset_id=7, images=[image])
    assert to_wire(request) == {"datasetId": 7, "images": [{"name": "a.png", "hash": "h", "meta": {"a_b": None}}]}
    assert validate(FolderPutRequest, to_wire(request)) == request
    assert to_wire(VersionDiffRequest(from_=1, to=2)) == {"from": 1, "to": 2, "after": 0, "labels": False}


@pytest.mark.parametrize("method", METHODS.values(), ids=lambda method: method.name)
def test_every_declaration_describes_itself_and_its_fields(method):
    """Each request has a sentence for the document, and its docstring names only fields that it has."""
    summary, fields = descriptions(method.request)
    assert summary.endswith(".")
    assert set(fields) <= set(struct(method.request).__struct_fields__)
