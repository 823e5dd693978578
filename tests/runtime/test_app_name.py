"""A run that nobody named has the app's name, not that of the program which serves it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from autoflow.runtime.app_name import app_name

pytestmark = pytest.mark.core


@pytest.fixture
def main(monkeypatch):
    """A function that makes this process look as if it ran a command."""

    def run(program, *arguments, module=None, **attributes):
        spec = SimpleNamespace(name=module) if module else None
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace(__file__=program, __spec__=spec, **attributes))
        return app_name()

    return run


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("/usr/bin/uvicorn app:app", "app:app"),
        ("uvicorn --host 0.0.0.0 --port 80 shop.web:create_app --factory", "shop.web:create_app"),
        ("uvicorn --reload app:app", "app:app"),
        (
            "gunicorn -w 2 -b 127.0.0.1:8000 -k uvicorn.workers.UvicornWorker proj.asgi:application",
            "proj.asgi:application",
        ),
        ("gunicorn -b unix:app.sock proj:app", "proj:app"),
        ("gunicorn proj.wsgi", "proj.wsgi"),
        ("hypercorn app:app", "app:app"),
        ("celery -A proj worker --pool solo", "proj"),
        ("celery --app=proj.tasks worker", "proj.tasks"),
        ("celery --app proj.tasks worker", "proj.tasks"),
        ("celery worker", "celery"),
        ("flask --app hello run", "hello"),
        ("streamlit run pages/board.py", "board"),
        ("/home/me/train.py --epochs 3", "train"),
        ("/lib/uvicorn/__main__.py app:app --workers 2", "app:app"),
        ("/src/pkg/__main__.py", "pkg"),
        ("", "python"),
    ],
)
def test_the_name_is_the_apps(main, command, name):
    """As the command line says it."""
    words = command.split(" ")
    assert main(*words) == name


@pytest.mark.parametrize(
    ("module", "arguments", "name"),
    [
        ("pkg.mod", [], "pkg.mod"),
        ("pkg.__main__", [], "pkg"),
        ("uvicorn.__main__", ["app:app"], "app:app"),
        ("celery.__main__", ["-A", "proj", "worker"], "proj"),
    ],
)
def test_a_module_that_is_run_is_the_name(main, module, arguments, name):
    """With ``python -m``, of a server too."""
    assert main("/somewhere/__main__.py", *arguments, module=module) == name


def test_a_notebook_is_named_after_its_file(main, monkeypatch):
    """As Jupyter or VS Code tells it, else it is a notebook."""
    kernel = ("/x/ipykernel_launcher.py", "-f", "kernel-1.json")
    assert main(*kernel, module="ipykernel_launcher") == "notebook"
    monkeypatch.setenv("JPY_SESSION_NAME", "work/lemons.ipynb")
    assert main(*kernel, module="ipykernel_launcher") == "lemons"
    assert main(*kernel, module="ipykernel_launcher", __vsc_ipynb_file__="/a/kiwis.ipynb") == "kiwis"
