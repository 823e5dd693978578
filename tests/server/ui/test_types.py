"""The page's modules are typed: checked strictly by TypeScript, and drawn icons are the package's own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import autoflow.server.ui
from autoflow.graph.render import icons
from autoflow.graph.render.labels import KINDS
from autoflow.model.entity import WIRE_TYPES
from tests.server.ui.tools import package, without

PAGE = Path(autoflow.server.ui.__file__).parent
ASSETS = PAGE / "assets"
MODULES = sorted(ASSETS.rglob("*.js"))


@pytest.mark.xdist_group("npm")
def test_the_modules_are_typed(request):
    """`tsc --checkJs`, strict, finds nothing."""
    node = shutil.which("node")
    if node is None:
        without("no node here: `apt-get install nodejs`")
    compiler = package(request.config.cache.mkdir("npm"), "typescript") / "bin" / "tsc"
    checked = subprocess.run([node, compiler, "-p", PAGE / "tsconfig.json"], capture_output=True, text=True)
    assert checked.stdout == ""
    assert checked.returncode == 0


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(ASSETS).as_posix())
def test_a_module_is_checked_short_and_makes_text_only_of_text(module):
    """Each says that it is checked, is read at one sitting, and never makes markup of a text."""
    text = module.read_text(encoding="utf-8")
    assert text.startswith("// @ts-check\n")
    assert "@ts-ignore" not in text
    assert "@ts-nocheck" not in text
    assert len(text.splitlines()) <= 500
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", text)


def test_kinds_look_alike_on_the_page_and_in_pictures():
    """Words, colours and drawings of `graph/` and of the page are the same."""
    text = (ASSETS / "graph" / "entity-types.js").read_text(encoding="utf-8")
    for kind, name in KINDS.items():
        assert f'{kind}: "{name}"' in text
        assert f"{kind}: {json.dumps(list(icons.COLORS[kind]))}" in text
    for drawing in icons.DRAWN.values():
        assert f'"{drawing}"' in text
    scene = (ASSETS / "graph" / "graph-view.js").read_text(encoding="utf-8")
    listed = re.search(r"TYPES = .*?\[(.*?)\]", scene, re.DOTALL)
    assert listed
    assert re.findall(r'"(\w+)"', listed[1]) == list(WIRE_TYPES)
