"""Fixtures: a server on a socket, and a client of it."""

from __future__ import annotations

import pytest
import requests

from tests.serving import served


class Client:
    """Calls methods as an SDK does, by POST requests."""

    def __init__(self, url, server, token=None):
        self.url = url
        self.server = server
        self.token = token
        self.session = requests.Session()
        self.session.trust_env = False

    def send(self, verb, path, **request):
        headers = {**({"x-api-key": self.token} if self.token else {}), **request.pop("headers", {})}
        return self.session.request(verb, self.url + path, headers=headers, timeout=30, **request)

    def post(self, method, **request):
        return self.send("POST", f"/public/api/v3/{method}", **request)

    def call(self, method, **body):
        response = self.post(method, json=body)
        assert response.status_code == 200, response.text
        return response.json()

    def refused(self, status, method, **request):
        """Return the details of the error that the request must get."""
        response = self.post(method, **request)
        assert response.status_code == status, (response.status_code, response.text)
        error = response.json()
        assert set(error) == {"error", "details"}
        assert error["details"]["message"]
        return error["details"]

    def put(self, path="/models/best.pt", data=b"weights", team=1):
        folder, _, name = path.rpartition("/")
        fields = [("name", (None, name)), ("path", (None, folder + "/")), ("file", (name, data))]
        response = self.post(f"file-storage.bulk.upload?teamId={team}", files=fields)
        assert response.status_code == 200, response.text
        return response.json()[0]

    def as_(self, token):
        return Client(self.url, self.server, token)

    def close(self):
        self.session.close()


def _clients(server, *, auth):
    with served(server, auth=auth) as url:
        client = Client(url, server)
        yield client
        client.close()


@pytest.fixture
def client(server):
    """A server on loopback without tokens."""
    yield from _clients(server, auth=False)


@pytest.fixture
def guarded(server):
    """A server that asks for tokens."""
    yield from _clients(server, auth=True)
