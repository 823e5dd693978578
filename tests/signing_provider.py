"""A provider whose tokens a test makes up: what a provider that is not honest, or not the right one, could send."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

jwk, jws = pytest.importorskip("joserfc.jwk"), pytest.importorskip("joserfc.jws")
_KEY = jwk.RSAKey.generate_key(2048, {"kid": "own", "use": "sig"})
_STRANGE_KEY = jwk.RSAKey.generate_key(2048, {"kid": "own", "use": "sig"})


class SigningProvider:
    """The documents that the provider serves; a test changes them.

    Args:
        url: its address, which is its issuer until it is changed.
        secret: of the client.
    """

    def __init__(self, url: str, secret: str) -> None:
        self.issuer = url
        self.secret = secret
        self.claims: dict[str, Any] = {}
        self.user_info: dict[str, Any] = {}
        self.signature = "own"

    def document(self, path: str) -> dict[str, Any]:
        """Return the document at a path."""
        if path == "/jwks":
            return {"keys": [_KEY.as_dict(private=False)]}
        if path == "/token":
            return {"access_token": "a", "token_type": "Bearer", "id_token": self._id_token()}
        if path == "/me":
            return self.user_info
        urls = {"authorization_endpoint": "/auth", "token_endpoint": "/token", "userinfo_endpoint": "/me"}
        algorithms = ["RS256", "HS256", "none"]
        return {
            "issuer": self.issuer,
            "id_token_signing_alg_values_supported": algorithms,
            "jwks_uri": self.issuer + "/jwks",
            **{name: self.issuer + path for name, path in urls.items()},
        }

    def _id_token(self) -> str:
        payload = json.dumps(self.claims)
        if self.signature == "secret":
            return jws.serialize_compact({"alg": "HS256"}, payload, jwk.OctKey.import_key(self.secret))
        key = _KEY if self.signature == "own" else _STRANGE_KEY
        token = jws.serialize_compact({"alg": "RS256", "kid": "own"}, payload, key)
        if self.signature == "none":
            return f"eyJhbGciOiJub25lIn0.{token.split('.')[1]}."
        return token

    def valid_claims(self, nonce: str) -> dict[str, Any]:
        """Return the claims of a valid token."""
        now = int(time.time())
        own = {"iss": self.issuer, "aud": "autoflow", "sub": "1", "nonce": nonce, "iat": now, "exp": now + 60}
        return {**own, "email": "zoe@example.org", "email_verified": True, "groups": []}


@contextlib.contextmanager
def signing_provider(secret: str) -> Iterator[SigningProvider]:
    """The provider on a socket."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(provider.document(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        provider = SigningProvider(f"http://127.0.0.1:{listening.server_port}", secret)
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield provider
        finally:
            listening.shutdown()
            thread.join()
