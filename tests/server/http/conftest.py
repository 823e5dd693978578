"""A served server, and how tests ask it."""

from __future__ import annotations

import pytest
import requests

from tests.serving import served


class Client:
    """Asks a server as an SDK does: a POST a method."""

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
        answer = self.post(method, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refused(self, status, method, **request):
        """The details of an error that must come."""
        answer = self.post(method, **request)
        assert answer.status_code == status, (answer.status_code, answer.text)
        form = answer.json()
        assert set(form) == {"error", "details"}
        assert form["details"]["message"]
        return form["details"]

    def put(self, path="/models/best.pt", data=b"weights", team=1):
        folder, _, name = path.rpartition("/")
        fields = [("name", (None, name)), ("path", (None, folder + "/")), ("file", (name, data))]
        answer = self.post(f"file-storage.bulk.upload?teamId={team}", files=fields)
        assert answer.status_code == 200, answer.text
        return answer.json()[0]

    def as_(self, token):
        return Client(self.url, self.server, token)

    def close(self):
        self.session.close()


def _clients(server, *, auth):
    with served(server, auth=auth) as url:
        made = Client(url, server)
        yield made
        made.close()


@pytest.fixture
def client(server):
    """A server on loopback without tokens."""
    yield from _clients(server, auth=False)


@pytest.fixture
def guarded(server):
    """A server that asks for tokens."""
    yield from _clients(server, auth=True)
