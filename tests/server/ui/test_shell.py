"""The HTML shell and the assets: no inline code, and no path outside the folder."""

from __future__ import annotations

import re

import pytest

from autoflow.server.ui.assets import Assets, assets
from autoflow.server.ui.routes import PAGES
from autoflow.server.ui.shell import shell

ADDRESSES = [re.sub(r"\{\w+(:int)?\}", "7", path) for path in PAGES]


@pytest.mark.parametrize("path", ADDRESSES)
def test_every_address_serves_a_page(site, path):
    """Each is HTML with a strict content security policy and no inline script or style."""
    response = site.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("text/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|style=", response.text)
    for url in re.findall(r'(?:src|href)="(/assets/[^"]+)"', response.text):
        assert site.get(url).status_code == 200, url


def test_facts_are_attributes_of_the_root_element(site):
    """The entry and the numbers in the address are passed as data attributes."""
    text = site.get("/project/12").text
    assert re.search(r'<html lang="en" data-page="graph"[^>]* data-entry="project" data-project="12"', text)
    assert 'data-x="&quot;&gt;&lt;b&gt;"' in shell("graph", "t", {"x": '"><b>'})


def test_assets_are_cached(site):
    """Addresses with the digest are immutable; plain addresses are revalidated by their ETag."""
    immutable = site.get(assets().url("base.css"))
    assert "immutable" in immutable.headers["Cache-Control"]
    plain = site.get("/assets/base.css")
    assert plain.content == immutable.content
    assert plain.headers["Cache-Control"] == "no-cache"
    assert plain.headers["Content-Encoding"] == "gzip"
    again = site.get("/assets/base.css", headers={"If-None-Match": plain.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["../shell.py", "..%2fshell.py", "%2e%2e/routes.py", "nothing.js", "", "pages", "0000000000000000/base.css"]
)
def test_no_other_path_is_served(site, path):
    """No path leads out of the folder, and no folder is listed."""
    assert site.raw(f"/assets/{path}").startswith(b"HTTP/1.1 404")


def test_imports_are_collected(tmp_path):
    """The transitive imports of modules and style sheets are returned, also for a cycle."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "a.js").write_text('import { b } from "../b.js";\nimport "../missing.js";\n')
    (tmp_path / "b.js").write_text('import {\n  c,\n} from "./c.js";\n')
    (tmp_path / "a.css").write_text('@import "./b.css";\n')
    (tmp_path / "b.css").write_text("p { margin: 0 }\n")
    (tmp_path / "c.js").write_text('export { a } from "./pages/a.js";\n')
    assert Assets(tmp_path).with_imports("pages/a.js") == ("pages/a.js", "b.js", "c.js")
    assert Assets(tmp_path).with_imports("a.css") == ("a.css", "b.css")
