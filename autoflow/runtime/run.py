"""`Run`: one execution of an app, as authors and other processes see it; its records are written by `Recorder`."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

from autoflow.errors import DecorationError
from autoflow.model.card import SETTING_NAMES
from autoflow.model.entity_types import Direction
from autoflow.outbox import open_runs
from autoflow.outbox.outbox import Outbox
from autoflow.runtime import masking
from autoflow.runtime.call import Call
from autoflow.runtime.card_options import CardOptions
from autoflow.runtime.destination import OFF
from autoflow.runtime.edge_spec import EdgeSpec
from autoflow.runtime.entity_resolution import warn_once
from autoflow.runtime.facts import FactsGatherer
from autoflow.runtime.observation import Observation
from autoflow.runtime.recorder import LONGEST_NAME, Recorder

logger = logging.getLogger("autoflow")

VARIABLE = "AUTOFLOW_RUN"


class Run(Recorder):
    """One execution of an app.

    Args:
        outbox, key, name, task, team, workspace, origin: see `Recorder`.
        open_file: for a run that another process opened, the file that exists while it is open (`outbox.open_runs`).
        active: whether this process opened it.

    Attributes:
        active: this process opened the run, and it is not over. A plain attribute, because every call reads it.
        open_file: the run's file in ``AUTOFLOW_HOME``; None when there is none.
        gatherer: gathers its facts; None for a run that another process opened.
        observation: the files it opened; None if it is not observed.
        api: the SDK's or our own Api passed to ``workflow(api=...)``.
    """

    def __init__(
        self,
        outbox: Outbox | None,
        key: str,
        name: str | None,
        *,
        task: int | None = None,
        team: int | None = None,
        workspace: int | None = None,
        origin: str = "",
        open_file: str | None = None,
        active: bool = True,
    ) -> None:
        super().__init__(outbox, key, name, task=task, team=team, workspace=workspace, origin=origin)
        self.active = active
        self.open_file = open_file
        self.api: Any = None
        self.gatherer: FactsGatherer | None = None
        self.observation: Observation | None = None
        self._over = False

    def __repr__(self) -> str:
        return f"<autoflow run {self.name or ''} {self.key}>"

    # -- for authors; also `task_id` and `failures` of `Recorder`

    def input(self, kind: str, value: Any = None, **options: Any) -> None:
        """Record something the run reads; the options are those of `workflow_input`."""
        self._record("input", kind, value, options)

    def output(self, kind: str, value: Any = None, **options: Any) -> None:
        """Record something the run wrote; the options are those of `workflow_output`."""
        self._record("output", kind, value, options)

    def node(self, **settings: Any) -> None:
        """Set the look of the run's own card: the properties of WorkflowSettings; texts may be templates."""
        with self.guard:
            for name in settings:
                if name not in SETTING_NAMES:
                    logger.warning("autoflow: a card has no %r; it has %s", name, ", ".join(SETTING_NAMES))
            self.set_node(None, settings)

    def result(self, **numbers: float) -> None:
        """Record final numbers of the run, such as scores; recorded again, a number replaces the earlier one.

        Runs are searched and compared by them: ``autoflow runs --where "result.mAP > 0.6"``. Their history over time
        belongs in an experiment tracker, see `link`.
        """
        for name, number in numbers.items():
            with self.guard:
                value = float(number)
                if not math.isfinite(value):
                    raise ValueError(f"result {name!r} is {value}: a result must be a finite number")
                self.write_record("facts", facts={f"result.{name[:LONGEST_NAME]}": value})

    def link(self, title: str, url: str) -> None:
        """Record a link of the run to a page elsewhere, such as its experiment tracker's; by title, the last one wins.

        Args:
            title: text of the link.
            url: its address, which begins with http:// or https://.
        """
        with self.guard:
            parts = urlsplit(url)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise ValueError(f"link {title!r}: {url!r} does not begin with http:// or https:// and a host")
            self.write_record("facts", facts={f"link.{title[:LONGEST_NAME]}": masking.text(url)})

    def env(self) -> dict[str, str]:
        """Return an environment for a child process that records in this run: ``subprocess.run(args, env=run.env())``.

        Returns:
            A copy of `os.environ` in which ``AUTOFLOW_RUN`` names this run.
        """
        return {**os.environ, VARIABLE: self.to_text()}

    # -- for autoflow

    def to_text(self) -> str:
        """Return the text by which another process joins the run: the value of ``AUTOFLOW_RUN``."""
        if not self.key:
            return urlencode({"without": self.name})
        fields = {"key": self.key, "name": self.name, "task": self._task, "origin": self.origin, "file": self.open_file}
        fields["server"] = self.outbox.address if self.outbox is not None else OFF
        return urlencode({name: value for name, value in fields.items() if value}, errors="backslashreplace")

    @property
    def is_over(self) -> bool:
        """Whether the run is known to be over; for a run of another process, its file is checked each time."""
        if not (self.active or self._over) and self.open_file is not None:
            self._over = open_runs.is_over(self.open_file)
        return self._over

    def close(self) -> None:
        """Mark the run as over: inference no longer picks it. Its file stays for now."""
        self.active, self._over = False, True

    def release_to_parent(self) -> None:
        """Mark the run as the parent's, in a forked child: it may end without this process noticing."""
        self.active = False

    def set_node(self, base: Any, settings: Mapping[str, Any]) -> None:
        """Record settings of the run's own card; equal ones are recorded once.

        Args:
            base: a WorkflowSettings or None.
            settings: single properties, each overriding the base's.
        """
        self.record_node(CardOptions(base, settings, frozenset()).fill(self._call()))

    def _record(self, direction: Direction, kind: Any, value: Any, options: Mapping[str, Any]) -> None:
        with self.guard:
            try:
                spec = EdgeSpec(direction, kind, options, frozenset(), lambda call: value)
            except DecorationError as error:
                warn_once(f"run.{direction}: {error}")
                raise
            spec.record(self, self._call())

    def _call(self) -> Call:
        """Return a call without parameters whose result is None."""
        call = Call(self, {})
        call.result = None
        return call
