"""Fixtures of the page's tests: a served server with demo data, and a browser."""

from __future__ import annotations

import os
import pathlib
import shutil
import socket
from urllib.parse import urlsplit

import pytest
import requests

from autoflow.server.server import Server
from tests.server.ui.demo_lineage import DemoLineage
from tests.server.ui.demo_project import DemoProject
from tests.serving import served

REQUIRED = os.environ.get("CI") == "true" or "browser" in os.environ.get("AUTOFLOW_REQUIRE", "")
MISSING = "no Chromium here: `apt-get install chromium`, and `pip install playwright`"
WIDE = {"width": 1440, "height": 900}
LARGE = {"width": 2400, "height": 1300}  # the whole demo lineage can be read
TIMEOUT = 30_000  # milliseconds that a page may take on a busy machine


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark the tests that use a browser, and run those of a module in one process."""
    for item in items:
        if "chromium" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))


class Site:
    """A served server with a client."""

    def __init__(self, url, server):
        self.url = url
        self.server = server
        self._session = requests.Session()
        self._session.trust_env = False

    def get(self, path, **request):
        return self._session.get(self.url + path, timeout=30, **request)

    def raw(self, path):
        """Return the response to a path that is sent without normalisation."""
        url = urlsplit(self.url)
        with socket.create_connection((url.hostname, url.port), timeout=30) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def close(self):
        self._session.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A server shared by the tests of a module."""
    server = Server.open(tmp_path_factory.mktemp("site"))
    with served(server) as url:
        site = Site(url, server)
        yield site
        site.close()
    server.close()


@pytest.fixture(scope="module")
def filled(site, fill):
    """The helper that creates data on the server."""
    return fill(site.server)


@pytest.fixture(scope="module")
def chromium():
    """A browser for each module: its driver runs an event loop in the thread, which other tests must not have."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        (pytest.fail if REQUIRED else pytest.skip)(MISSING)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, site):
    """A function that opens an address in a new browser context; errors of the page fail the test."""
    contexts, errors = [], []

    def record_error(message):
        if message.type == "error":
            errors.append(f"{message.text} {message.location}")

    def open_page(path, *, viewport=WIDE, **options):
        context = chromium.new_context(viewport=viewport, base_url=site.url, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(TIMEOUT)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", record_error)
        page.goto(path)
        page.wait_for_selector("#main:not([aria-busy])")
        return page

    open_page.errors = errors
    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def expect(chromium):
    """Playwright's `expect`, which waits for its conditions."""
    from playwright.sync_api import expect as playwright_expect

    playwright_expect.set_options(timeout=TIMEOUT)
    return playwright_expect


@pytest.fixture(scope="module")
def demo_project(filled):
    """A server with the demo project: versions, files, runs and a labeling job."""
    return DemoProject(filled)


@pytest.fixture
def violations():
    """A function that returns the rules of axe that a page violates in its current theme.

    Open the page with ``bypass_csp=True``: axe tries inline styles, which the content security policy forbids.
    """
    source = (pathlib.Path(__file__).parents[2] / "data" / "axe-core" / "axe.min.js").read_text()

    def violations(page):
        page.evaluate(source)
        rules = page.evaluate("axe.run().then((results) => results.violations)")
        return [(rule["id"], [node["html"][:200] for node in rule["nodes"]]) for rule in rules]

    return violations


@pytest.fixture(scope="module")
def lineage(filled):
    """A server with the demo lineage."""
    return DemoLineage(filled)


@pytest.fixture
def open_graph(open_page, lineage):
    """A function that opens the graph of the demo lineage's project, or an address with `{name}` for one of its ids."""

    def open_graph(path="/project/{project}", **options):
        return open_page(path.format_map(vars(lineage)), **{"viewport": LARGE, **options})

    open_graph.errors = open_page.errors
    return open_graph
