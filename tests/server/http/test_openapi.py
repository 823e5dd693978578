"""The OpenAPI document of autoflow's own methods: complete, and true of the server."""

from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import HealthCheck, settings

from autoflow.server import server as dispatcher
from autoflow.server.http import openapi
from autoflow.wire import methods
from tests.server.http.conftest import Client
from tests.serving import served

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of what it imports
    import schemathesis


def without_tuples(schema):
    """Return a schema with lists in place of tuples, which schemathesis rewrites to a form that it then refuses.

    `tests/server/test_responses.py` holds tuples to their declarations.
    """
    if isinstance(schema, list):
        return [without_tuples(element) for element in schema]
    if not isinstance(schema, dict):
        return schema
    if "prefixItems" in schema:
        return {"type": "array", "minItems": schema["minItems"], "maxItems": schema["maxItems"]}
    return {name: without_tuples(member) for name, member in schema.items()}


schema = schemathesis.openapi.from_dict(without_tuples(openapi.document()))


def test_the_document_names_every_method_of_our_own(client):
    """The document has exactly the methods that the server answers under ``autoflow.``."""
    response = client.send("GET", "/openapi.json").json()
    documented = {path.removeprefix(methods.PATH) for path in response["paths"]}
    assert documented == {name for name in dispatcher.METHODS if name.startswith("autoflow.")}
    assert response["openapi"].startswith("3.1")
    assert json.loads(json.dumps(response)) == openapi.document()


@pytest.fixture(scope="module")
def populated_client(module_server):
    """A client of a server with a project, a version and a run."""
    with served(module_server) as url:
        client = Client(url, module_server)
        project = client.call("projects.add", workspaceId=1, name="p")["id"]
        client.call("autoflow.versions.snapshot", projectId=project)
        client.call("autoflow.runs.ensure", run="r")
        yield client
        client.close()


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_server_does_as_the_document_says(populated_client, case):
    """Whatever a client sends, right or wrong by the document: never a 5xx, and every answer is of a form described."""
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
    case.call_and_validate(base_url=populated_client.url, checks=checks, headers={"x-api-key": "any"})
