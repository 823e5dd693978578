"""The shell every address answers with, and the assets: nothing inline, nothing beyond the folder."""

from __future__ import annotations

import re

import pytest

from autoflow.server.ui.assets import Assets, assets
from autoflow.server.ui.routes import PAGES
from autoflow.server.ui.shell import shell

ADDRESSES = [re.sub(r"\{\w+(:int)?\}", "7", path) for path in PAGES]


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_address_answers_with_a_page(site, path):
    """Each is HTML with its own module, a strict policy, and no script or style of its own."""
    answer = site.get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=", answer.text)
    for url in re.findall(r'(?:src|href)="(/assets/[^"]+)"', answer.text):
        assert site.get(url).status_code == 200, url


def test_facts_are_attributes_of_the_root(site):
    """Numbers of the address and what it is entered at are told to the page as data."""
    text = site.get("/project/12").text
    assert re.search(r'<html lang="en" data-page="graph"[^>]* data-entry="project" data-project="12"', text)
    assert 'data-x="&quot;&gt;&lt;b&gt;"' in shell("graph", "t", {"x": '"><b>'})


def test_assets_may_be_kept_and_are_asked_for_again_by_their_plain_address(site):
    """Below the digest for ever; by the plain address with a tag that is answered with 304."""
    lasting = site.get(assets().url("base.css"))
    assert "immutable" in lasting.headers["Cache-Control"]
    plain = site.get("/assets/base.css")
    assert plain.content == lasting.content
    assert plain.headers["Cache-Control"] == "no-cache"
    assert plain.headers["Content-Encoding"] == "gzip"
    again = site.get("/assets/base.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../shell.py", "..%2fshell.py", "%2e%2e/routes.py", "nothing.js", "", "pages", "0000000000000000/base.css"]
)
def test_what_is_no_asset_is_not_there(site, path):
    """No path leads out of the folder, and none lists it."""
    assert site.raw(f"/assets/{path}").startswith(b"HTTP/1.1 404")


def test_a_module_names_all_it_imports(tmp_path):
    """The closure of a module's imports is given, whatever circles they go in."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.js").write_text('import { b } from "../b.js";\nimport "../missing.js";\n')
    (tmp_path / "b.js").write_text('import {\n  c,\n} from "./c.js";\n')
    (tmp_path / "c.js").write_text('export { a } from "./pages/a.js";\n')
    assert Assets(tmp_path).modules("pages/a.js") == ("pages/a.js", "b.js", "c.js")
