"""The page's modules: typed, short, and free of markup made from text; the module of entity types."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
from pathlib import Path

import pytest

import autoflow.server.ui
from autoflow.model.entity_types import ENTITY_TYPES
from autoflow.server.ui.entity_types import module_source
from tests.server.ui.tools import npm_tool

PAGE = Path(autoflow.server.ui.__file__).parent
ASSETS = PAGE / "assets"
MODULES = sorted(ASSETS.rglob("*.js"))


@pytest.mark.xdist_group("npm")
def test_the_modules_are_typed(request):
    """`tsc --checkJs` in strict mode reports nothing."""
    compiler = npm_tool("tsc", request.config.cache.mkdir("npm"))
    result = subprocess.run([compiler, "-p", PAGE / "tsconfig.json"], capture_output=True, text=True)
    assert result.stdout == ""
    assert result.returncode == 0


WRONG = """\
// @ts-check
import { call } from "%s/api.js";
await call("autoflow.no_such_method", {});
await call("autoflow.overview.run", { id: "text" });
(await call("autoflow.overview.run", { id: 1 })).noSuchMember;
(await call("autoflow.overview.run", { id: 1 })).error.length;
"""


@pytest.mark.xdist_group("npm")
def test_calls_of_the_server_are_typed(request, tmp_path):
    """A method that the contract lacks, a wrong body, an unknown member and a null that is not expected are errors."""
    compiler = npm_tool("tsc", request.config.cache.mkdir("npm"))
    (tmp_path / "wrong.js").write_text(WRONG % ASSETS, encoding="utf-8")
    settings = {"extends": str(PAGE / "tsconfig.json"), "include": [], "files": ["wrong.js"]}
    (tmp_path / "tsconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    result = subprocess.run([compiler, "-p", tmp_path], capture_output=True, text=True)
    assert re.findall(r"wrong\.js\((\d+),", result.stdout) == ["3", "4", "5", "6"]


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ASSETS).as_posix())
def test_a_module_is_checked_short_and_inserts_text_only_as_text(module):
    """Each opts into the type check, has at most 500 lines of 120 characters, and makes no markup of text."""
    source = module.read_text(encoding="utf-8")
    assert source.startswith("// @ts-check\n")
    assert "@ts-ignore" not in source
    assert "@ts-nocheck" not in source
    lines = source.splitlines()
    assert len(lines) <= 500
    assert max(map(len, lines)) <= 120
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", source)


def test_entity_types_are_served_as_a_module(site):
    """The rows have the order of the indices that `autoflow.scene` sends, and the declared properties."""
    response = site.get("/assets/entity-types-data.js")
    assert response.headers["Content-Type"].startswith("text/javascript")
    assert response.text == module_source()
    rows = json.loads(re.search(r"ENTITY_TYPES = (.*);", response.text)[1])
    assert [row["name"] for row in rows] == list(ENTITY_TYPES)
    declared = (ASSETS / "entity-types-data.d.ts").read_text(encoding="utf-8")
    interface = re.search(r"interface EntityType \{(.*?)\n\}", declared, re.DOTALL)[1]
    assert set(re.findall(r"^  (\w+):", interface, re.MULTILINE)) == set(rows[0])


def test_the_types_of_the_methods_are_those_of_the_contract():
    """`contract.d.ts` is what `.ci/page_types.py` makes of the declarations now."""
    generator = runpy.run_path(str(PAGE.parents[2] / ".ci" / "page_types.py"))
    assert (ASSETS / "contract.d.ts").read_text(encoding="utf-8") == generator["declarations"]()
