"""The page's server, served for a module's tests, and a browser that looks at it."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
from urllib.parse import urlsplit

import pytest
import requests

from autoflow.server.server import Server
from tests.server.ui.meadow import Meadow
from tests.server.ui.orchard import Orchard
from tests.serving import served

REQUIRED = os.environ.get("CI") == "true" or "browser" in os.environ.get("AUTOFLOW_REQUIRE", "")
MISSING = "no Chromium here: `apt-get install chromium`, and `pip install playwright`"
WIDE = {"width": 1440, "height": 900}
LARGE = {"width": 2400, "height": 1300}  # the whole of the meadow's graph can be read
PATIENCE = 30_000  # milliseconds: of a busy machine, whatever a page is waited for


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Tests that look at the page are marked so, and a module's stay together."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))


class Site:
    """A served server: its address, and what it answers with."""

    def __init__(self, url, server):
        self.url = url
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path, **request):
        return self._session.get(self.url + path, timeout=30, **request)

    def raw(self, path):
        """The answer to a path that is sent exactly as it is written."""
        where = urlsplit(self.url)
        with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {where.netloc}\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def close(self):
        self._session.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server that all tests of a module look at."""
    server = Server.open(tmp_path_factory.mktemp("site"))
    with served(server) as url:
        made = Site(url, server)
        yield made
        made.close()
    server.close()


@pytest.fixture(scope="module")
def filled(site, fill):
    """Short ways to fill it."""
    return fill(site.server)


@pytest.fixture(scope="module")
def chromium():
    """One browser a module: while one is driven, the thread has a running event loop, which other tests must not."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        found = None
    if found is None:
        (pytest.fail if REQUIRED else pytest.skip)(MISSING)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def looking(chromium, site):
    """A function that opens an address in a window of its own; whatever the page says is wrong fails the test."""
    contexts, wrong = [], []

    def look(path, *, viewport=WIDE, **options):
        context = chromium.new_context(viewport=viewport, base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: wrong.append(f"{said.text} {said.location}") if said.type == "error" else None)
        page.goto(path)
        page.wait_for_selector("#main:not([aria-busy])")
        return page

    look.wrong = wrong
    yield look
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="module")
def expect(chromium):
    """Playwright's `expect`: waits for what a person would see."""
    from playwright.sync_api import expect as waiting

    waiting.set_options(timeout=PATIENCE)
    return waiting


@pytest.fixture(scope="module")
def orchard(filled):
    """A server filled with a project, its versions, files, runs and a job."""
    return Orchard(filled)


@pytest.fixture
def violations():
    """A function that gives the rules of axe that a page breaks, in the theme it is shown in.

    To be opened with ``bypass_csp=True``: axe tries inline styles, which the page's policy forbids.
    """
    source = (pathlib.Path(__file__).parents[2] / "data" / "axe-core" / "axe.min.js").read_text()

    def broken(page):
        page.evaluate(source)
        found = page.evaluate("axe.run().then((told) => told.violations)")
        return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]

    return broken


@pytest.fixture(scope="module")
def meadow(filled):
    """A server filled with a lineage."""
    return Meadow(filled)


@pytest.fixture
def see(looking, meadow):
    """A function that opens the graph around the meadow's project, or at an address; `{name}` is a number of it."""

    def look(path="/project/{project}", **options):
        return looking(path.format_map(vars(meadow)), **{"viewport": LARGE, **options})

    look.wrong = looking.wrong
    return look
