"""The data as the command of a reproduction sees it: the recorded state for the present one, by its token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ReproductionView:
    """The state that a reproduction's token sees, and where what it writes goes.

    Args:
        task: the reproduced task.
        before: when the recorded run began; later projects are not listed.
        since: when the token was issued; what is newer is the reproduction's own.
        projects: ids of the restored projects, by those of the recorded ones.
        datasets: the same for datasets.
        names: recorded names of the restored projects, by the recorded ids.
        replaced_names: ids of the restored projects by the recorded names that no such project has any more.
        files: ids of the recorded files by their paths.
        publish: whether files and projects get the paths and names that the command asks for.
    """

    task: int
    before: str
    since: str = ""
    projects: Mapping[int, int] = field(default_factory=dict)
    datasets: Mapping[int, int] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    replaced_names: Mapping[str, int] = field(default_factory=dict)
    files: Mapping[str, int] = field(default_factory=dict)
    publish: bool = False

    @property
    def namespace(self) -> str:
        """The folder that takes the files that the command writes."""
        return "" if self.publish else namespace(self.task)

    @property
    def suffix(self) -> str:
        """The text appended to the names of projects that the command creates."""
        return "" if self.publish else f" (reproduced task-{self.task})"

    def to_text(self) -> str:
        """Return the view as JSON."""
        return json.dumps(asdict(self))


def namespace(task: int) -> str:
    """Return the folder of the files that reproductions of a task write."""
    return f"/reproduced/task-{task}"


def from_text(text: str | None, task: int, since: str) -> ReproductionView | None:
    """Return the view that is stored with a token, None if there is none."""
    if text is None:
        return None
    stored: dict[str, Any] = json.loads(text)
    for name in ("projects", "datasets", "names"):
        stored[name] = {int(number): value for number, value in stored[name].items()}
    return ReproductionView(**{**stored, "task": task, "since": since})
