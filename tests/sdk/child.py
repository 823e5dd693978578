"""Runs in the SDK's process: imports it once, and makes an Api for each thing that is done."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from typing import Any


def load(columnar: bool) -> str | None:
    """Import the SDK, with pyarrow or as if there were none; gives why not, None when it is there."""
    os.environ["SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK"] = "1"
    if not columnar:
        sys.modules["pyarrow"] = None  # type: ignore[assignment]
    elif importlib.util.find_spec("pyarrow") is None:
        return "the package pyarrow is not installed for this interpreter: pip install 'supervisely[versioning]'"
    try:
        import supervisely
    except ImportError as error:
        return f"supervisely cannot be imported: {error}"
    supervisely.logger.setLevel("ERROR")
    return None


def leave() -> None:
    """End the process: apps with a page leave threads behind that would keep it."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def run(scenario: str, url: str, token: str, task: int | None, arguments: dict[str, Any], ignore_task_id: bool) -> Any:
    """Do one thing as an app in production; with `ignore_task_id`, its Api sends no ``x-task-id``.

    Raises:
        AssertionError: whatever went wrong, with its traceback: the SDK's own errors do not travel.
    """
    import supervisely as sly

    from tests.sdk import (
        cases,
        sdk_administration,
        sdk_apps,
        sdk_file_ranges,
        sdk_infos,
        sdk_labeling,
        sdk_media,
        sdk_removals,
        sdk_reproduction,
        sdk_scenarios,
        sdk_walkthroughs,
    )

    os.environ.update(ENV="production", SERVER_ADDRESS=url, API_TOKEN=token, TEAM_ID="1")
    os.environ.pop("SUPERVISELY_TASK_ID", None)
    if task is not None:
        os.environ["SUPERVISELY_TASK_ID"] = str(task)
    try:
        named = {"walk": sdk_walkthroughs.walk, "replay": cases.replay}
        modules = (
            sdk_scenarios,
            sdk_removals,
            sdk_reproduction,
            sdk_infos,
            sdk_labeling,
            sdk_media,
            sdk_file_ranges,
            sdk_administration,
            sdk_apps,
        )
        done = named.get(scenario) or next(vars(module)[scenario] for module in modules if scenario in vars(module))
        api = sly.Api(url, token, retry_count=3, retry_sleep_sec=0, ignore_task_id=ignore_task_id)
        return done(api, **arguments)
    except Exception:
        raise AssertionError(traceback.format_exc()) from None
