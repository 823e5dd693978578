"""npm's oidc-provider as a process, and a browser without scripts that signs in at it."""

from __future__ import annotations

import contextlib
import html
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests

SECRET = "a secret of the tests"
_SCRIPT = Path(__file__).parent / "data" / "oidc_provider.mjs"
_MODULE = Path(__file__).parents[1] / "node_modules" / "oidc-provider"


@contextlib.contextmanager
def provider(redirect_uri: str) -> Iterator[str]:
    """A provider that any login may sign in at; gives its issuer."""
    if shutil.which("node") is None or not _MODULE.exists():
        pytest.skip("oidc-provider is not installed here: make node_modules/ready")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["node", str(_SCRIPT), str(port), redirect_uri], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


class Browser(requests.Session):
    """A browser of one user: it has cookies, and follows redirections step by step."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.trust_env = False
        self.url = url

    def open(self, path: str, **request: object) -> requests.Response:
        """Open an address of the server, without following its redirection."""
        return self.get(urljoin(self.url, path), allow_redirects=False, timeout=30, **request)

    def callback_of(self, login: str, path: str = "/", change: Callable[[str], str] = str) -> str:
        """Sign in at the provider; return the address that it sends the browser back to.

        Args:
            login: typed at the provider.
            path: where to go afterwards.
            change: of the address that the server sends the browser to.
        """
        start = self.open(f"/login/start?next={path}")
        assert start.status_code == 302, start.text
        address = change(start.headers["Location"])
        for _ in range(12):
            if address.startswith(self.url):
                return address
            response = self.get(address, allow_redirects=False, timeout=30)
            if response.is_redirect:
                address = urljoin(address, response.headers["Location"])
                continue
            action = re.search(r'action="([^"]+)"', response.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', response.text)
            assert action, response.text
            assert prompt, response.text
            form = {"prompt": prompt[1], "login": login, "password": "any"}
            response = self.post(html.unescape(action[1]), data=form, allow_redirects=False, timeout=30)
            address = urljoin(address, response.headers["Location"])
        raise AssertionError(f"the provider does not let {login} in")

    def sign_in(self, login: str, path: str = "/", change: Callable[[str], str] = str) -> requests.Response:
        """Sign in, and return the server's response to the browser that comes back."""
        return self.open(self.callback_of(login, path, change))
