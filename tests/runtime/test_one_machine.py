"""This machine goes by several names, and is one server."""

from __future__ import annotations

import pytest

from autoflow.runtime.destination import parse_address, same_server, token_for
from autoflow.runtime.inference import origin_of

pytestmark = pytest.mark.core


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]"])
def test_the_names_of_this_machine_are_one_server(name, monkeypatch):
    """Entities of the instance at localhost are its own, and its token is its own, by any of its names."""
    monkeypatch.setenv("SERVER_ADDRESS", f"http://{name}:8000")
    monkeypatch.setenv("API_TOKEN", "t")
    destination = parse_address("http://localhost:8000")
    assert origin_of(destination) == ""
    assert token_for(destination.origin) == "t"


@pytest.mark.parametrize("other", ["http://localhost:8001", "https://localhost:8000", "http://localhost.example:8000"])
def test_origins_with_another_port_scheme_or_name_are_different_servers(other):
    """Only the name of the machine itself has synonyms."""
    assert not same_server("http://127.0.0.1:8000", parse_address(other).origin)
