"""The scenarios of public apps in `tests/data/apps`: what an app is given, and what the SDK posted for it."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

import autoflow
from autoflow import FileInfo, ProjectInfo
from autoflow.api.models import file_info, project_info
from tests.recording import EDGES, Recording, Request, World

FOLDER = pathlib.Path(__file__).parents[1] / "data" / "apps"
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


def read(name: str) -> dict[str, Any]:
    """A case by its name."""
    case: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return case


class SdkApi:
    """What an app gets from ``sly.Api.from_env()``: it saves and restores versions, in place of the SDK's.

    It waits for what was recorded before, so that its calls stand among the posts where the app made them.
    """

    def __init__(self, case: Case, task_id: str) -> None:
        self.task_id = task_id
        self.server_address = case.recording.url
        self.project = SimpleNamespace(
            version=SimpleNamespace(create=self._create, restore=self._restore), get_info_by_id=case.project
        )
        self._case = case

    def _create(
        self,
        project_info: Any,
        version_title: str | None = None,
        version_description: str | None = None,
        enable_preview: bool = False,
    ) -> Any:
        body = {
            "project_id": getattr(project_info, "id", project_info),
            "version_title": version_title,
            "version_description": version_description,
            "enable_preview": enable_preview,
        }
        return self._made("create", body, 777)

    def _restore(
        self,
        project_info: Any,
        version_id: int | None = None,
        version_num: int | None = None,
        skip_missed_entities: bool = False,
    ) -> Any:
        body = {
            "project_id": getattr(project_info, "id", project_info),
            "version_id": version_id,
            "version_num": version_num,
            "skip_missed_entities": skip_missed_entities,
        }
        return self._case.project(self._made("restore", body, None))

    def _made(self, verb: str, body: Mapping[str, Any], usual: Any) -> Any:
        assert autoflow.flush(60)
        self._case.recording.add(f"sdk:project.version.{verb}", dict(body))
        made = self._case.world.get(f"version_{verb}", usual)
        if made == "raises":
            raise RuntimeError("the version could not be made")
        return made


class Case:
    """A case under way."""

    def __init__(self, inputs: Mapping[str, Any], recording: Recording) -> None:
        self.recording = recording
        self.world: Mapping[str, Any] = inputs.get("world", {})
        self.steps: list[dict[str, Any]] = inputs.get("steps", [])
        self.injected = SimpleNamespace(**inputs.get("injected", {}))
        self.api = SdkApi(self, inputs["task_id"])
        self.session = contextlib.ExitStack()

    def project(self, number: int | None) -> ProjectInfo | None:
        """A project of the world, as the SDK gives it."""
        row = self.recording.world.projects.get(number)  # type: ignore[arg-type]
        return project_info(row) if row else None

    def file(self, path: str) -> FileInfo:
        """A file of the world, as the SDK gives it."""
        return file_info(next(row for row in self.recording.world.files if row["path"] == path))

    def resolve(self, value: Any) -> Any:
        """What a step hands over: ``$file``, ``$project``, ``$checkpoint``, ``$ns`` and ``$job_layer`` made real."""
        if isinstance(value, list):
            return [self.resolve(entry) for entry in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and (made := next(iter(value.items())))[0].startswith("$"):
            word, inside = made
            return {
                "$file": lambda: self.file(inside),
                "$checkpoint": lambda: list(self.file(inside)),
                "$project": lambda: self.project(inside),
                "$ns": lambda: SimpleNamespace(**self.resolve(inside)),
                "$job_layer": lambda: SimpleNamespace(type="create_labeling_job", settings=inside),
            }[word]()
        return {name: self.resolve(entry) for name, entry in value.items()}

    def play(self, functions: Mapping[str, Any]) -> list[Request]:
        """Make the steps with the app's functions, and give what was posted."""
        with self.session:
            for step in self.steps:
                functions[step["fn"]](
                    *map(self.resolve, step["pos"]),
                    **{name: self.resolve(value) for name, value in step["args"].items()},
                )
        return self.posted()

    def posted(self) -> list[Request]:
        """What was posted so far, with the calls to the SDK's Api in their places."""
        assert autoflow.flush(60)
        posts = [
            entry for entry in self.recording.requests if entry.endpoint in EDGES or entry.endpoint.startswith("sdk:")
        ]
        return [by_value(entry.endpoint, entry.body) for entry in posts]


def by_value(endpoint: str, body: Mapping[str, Any]) -> Request:
    """A post with its task's number compared by value: the SDK writes it as it got it, text from the environment."""
    if "node" not in body:
        return Request(endpoint, dict(body))
    task = int(body["node"]["id"])
    numbered = {**body, "node": {**body["node"], "id": task}}
    if body["type"] == "app_session":
        numbered["id"] = int(body["id"])
    return Request(endpoint, numbered)


@contextlib.contextmanager
def opened(monkeypatch: pytest.MonkeyPatch, inputs: Mapping[str, Any]) -> Iterator[Case]:
    """A case's instance, running, and its environment."""
    world = World(inputs["team_id"], inputs.get("world", {}))
    with Recording(world).running() as recording:
        monkeypatch.setenv("AUTOFLOW_SERVER", recording.url)
        monkeypatch.setenv("SUPERVISELY_TASK_ID", inputs["task_id"])
        for name, value in inputs.get("env", {}).items():
            monkeypatch.setenv(name, value)
        yield Case(inputs, recording)
