"""The public door: what `import autoflow` promises, and what it does not do."""

from __future__ import annotations

import subprocess
import sys

import pytest

import autoflow

pytestmark = pytest.mark.core

DESIGNED = {
    "Api",
    "DatasetInfo",
    "FileInfo",
    "ProjectInfo",
    "ProjectType",
    "VersionInfo",
    "WorkflowMeta",
    "WorkflowSettings",
    "cards",
    "current_run",
    "flush",
    "is_community",
    "is_debug_with_sly_net",
    "is_development",
    "is_production",
    "logger",
    "propagate",
    "select",
    "status",
    "versioned",
    "workflow",
    "workflow_input",
    "workflow_output",
}


def run(text):
    """Run a program in a bare interpreter; what it printed."""
    process = subprocess.run([sys.executable, "-W", "error", "-c", text], capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout.strip()


def test_all_designed_names_are_public():
    """`__all__` is sorted, and holds what the design names."""
    assert sorted(DESIGNED) == autoflow.__all__
    for name in autoflow.__all__:
        assert getattr(autoflow, name) is not None
        assert name in dir(autoflow)


def test_there_are_no_other_public_names():
    """Rooms are reached by their own names; everything else is promised or underscored."""
    import types

    bound = {
        name
        for name, value in vars(autoflow).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert bound - set(autoflow.__all__) <= {"annotations", "TYPE_CHECKING", "Any"}


def test_a_star_import_binds_the_public_names_only():
    """`from autoflow import *` in a fresh process gives the public names."""
    shown = run("from autoflow import *; print(*sorted(name for name in dir() if not name.startswith('__')))")
    assert set(shown.split()) == DESIGNED


def test_the_version_is_available():
    """The same from the import, the command and `python -m autoflow`, whether or not it is installed."""
    from autoflow.distribution import VERSION

    assert autoflow.__version__ == VERSION
    printed = subprocess.run(
        [sys.executable, "-m", "autoflow", "--version"], capture_output=True, text=True, check=True
    )
    assert printed.stdout == f"autoflow {VERSION}\n"


def test_a_name_that_is_not_there_is_an_attribute_error():
    """And says which."""
    with pytest.raises(AttributeError, match="nothing_such"):
        autoflow.nothing_such  # noqa: B018


def test_importing_it_loads_nothing_heavy():
    """No HTTP client, no server, no SDK, no asyncio of ours: an app that imports us starts as fast as before."""
    heavy = [
        "requests",
        "urllib3",
        "sqlalchemy",
        "starlette",
        "uvicorn",
        "PIL",
        "numpy",
        "supervisely",
        "pytest",
        "hypothesis",
        "alembic",
    ]
    shown = run(f"import sys, autoflow; print([name for name in {heavy!r} if name in sys.modules])")
    assert shown == "[]"


def test_importing_it_starts_and_opens_nothing(tmp_path):
    """No thread, no file, no folder, no signal handler, no log handler."""
    shown = run(
        "import os, signal, sys, threading, logging\n"
        f"os.environ['AUTOFLOW_HOME'] = {str(tmp_path / 'home')!r}\n"
        "before = [signal.getsignal(one) for one in signal.valid_signals()], len(os.listdir('/proc/self/fd'))\n"
        "import autoflow\n"
        "@autoflow.workflow_input('project')\n"
        "def load(project_id): ...\n"
        "after = [signal.getsignal(one) for one in signal.valid_signals()], len(os.listdir('/proc/self/fd'))\n"
        "print(before == after, threading.active_count(), os.path.exists(os.environ['AUTOFLOW_HOME']),\n"
        "      logging.getLogger('autoflow').handlers, logging.getLogger().handlers)"
    )
    assert shown == "True 1 False [] []"


def test_the_sdks_names_are_here():
    """Replacing `import supervisely as sly` keeps the guide's code working."""
    sly = autoflow
    settings = sly.WorkflowSettings(title="T")
    assert sly.WorkflowMeta(relation_settings=settings).as_dict == {"customRelationSettings": {"title": "<h4>T</h4>"}}
    assert callable(sly.Api.from_env)
    assert sly.logger.name == "autoflow"
