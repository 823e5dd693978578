"""The clients measured, each as its own documentation sets it up, behind the same four verbs.

A record carries a number, and the sink counts by it (`sink`). A client's defaults are left as they are: queue sizes,
delays and retries are what its users get. Libraries are imported when a client is set up, never before.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
from typing import Any, ClassVar


def body(number: int) -> int:
    """The decorated function; it is empty, so that only the cost of recording is measured."""
    return number


def read_folder(path: str) -> str:
    """The decorated function for a server that checks what numbers name."""
    return path


class Peer:
    """One client.

    `title` is how tables show it, `module` what must be importable, `sink` the protocol it speaks, `durable` whether
    what it has not sent waits on disk for a later process.
    """

    title: ClassVar[str]
    module: ClassVar[str]
    sink: ClassVar[str]
    durable: ClassVar[bool] = False

    def set_up(self, address: str) -> None:
        """Get ready to send to an address."""
        raise NotImplementedError

    def record(self, number: int) -> None:
        """Record one thing."""
        raise NotImplementedError

    def flush(self, seconds: float) -> None:
        """Wait for what is recorded to be sent, as long as the client lets itself be told."""

    def close(self) -> None:
        """Call what its documentation requires before exit, if anything."""


class AutoflowServer(Peer):
    """autoflow towards our server: batches with a key a record."""

    title = "autoflow, server"
    module = "autoflow"
    sink = "server"
    durable = True

    def set_up(self, address: str) -> None:
        os.environ.update(AUTOFLOW_SERVER=address, AUTOFLOW_TOKEN="t")
        import autoflow

        autoflow.workflow("bench", task_id=55, log=False).__enter__()
        self.record = autoflow.workflow_input("job")(body)  # type: ignore[method-assign]
        if address == "embedded":  # the real server, which refuses a job that it has not
            read = autoflow.workflow_input("folder")(read_folder)
            self.record = lambda number: read(f"/{number}")  # type: ignore[method-assign]

    def flush(self, seconds: float) -> None:
        import autoflow

        autoflow.flush(seconds)


class AutoflowInstance(AutoflowServer):
    """autoflow towards a Supervisely instance: one edge a request."""

    title = "autoflow, instance"
    sink = "instance"


class OpenTelemetry(Peer):
    """Spans through BatchSpanProcessor and OTLP over HTTP."""

    title = "OpenTelemetry, OTLP"
    module = "opentelemetry.exporter.otlp.proto.http"
    sink = "otlp"

    def set_up(self, address: str) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        self._provider = TracerProvider()
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{address}/v1/traces")))
        self._tracer = self._provider.get_tracer("bench")

    def record(self, number: int) -> None:
        with self._tracer.start_as_current_span("load", attributes={"number": number}):
            body(number)

    def flush(self, seconds: float) -> None:
        self._provider.force_flush(int(seconds * 1000))


class Sentry(Peer):
    """One event a record."""

    title = "sentry-sdk"
    module = "sentry_sdk"
    sink = "sentry"

    def set_up(self, address: str) -> None:
        import sentry_sdk

        sentry_sdk.init(dsn=address.replace("://", "://public@") + "/1")
        self._sdk = sentry_sdk

    def record(self, number: int) -> None:
        self._sdk.capture_message(f"record {number}")

    def flush(self, seconds: float) -> None:
        self._sdk.flush(seconds)


class OpenLineage(Peer):
    """One run event a record, sent before the call returns."""

    title = "OpenLineage, http"
    module = "openlineage.client"
    sink = "openlineage"
    kind = "http"

    def set_up(self, address: str) -> None:
        from openlineage.client import OpenLineageClient, event_v2
        from openlineage.client.uuid import generate_new_uuid

        self._events = event_v2
        self._uuid = generate_new_uuid
        self._client = OpenLineageClient(config={"transport": {"type": self.kind, "url": address}})

    def record(self, number: int) -> None:
        self._client.emit(self._event(number))

    def _event(self, number: int) -> Any:
        from datetime import datetime, timezone

        events = self._events
        return events.RunEvent(
            eventTime=datetime.now(timezone.utc).isoformat(),
            producer="https://example.org/bench",
            run=events.Run(runId=str(self._uuid())),
            job=events.Job(namespace="bench", name="load"),
            eventType=events.RunState.COMPLETE,
            inputs=[events.InputDataset(namespace="projects", name=str(number))],
        )


class OpenLineageAsync(OpenLineage):
    """The same from a thread of the client's; it must be closed, or what waits is gone."""

    title = "OpenLineage, async"
    kind = "async_http"

    def flush(self, seconds: float) -> None:
        self._client.transport.wait_for_completion(seconds)


class Mlflow(Peer):
    """One trace a record, exported from a queue."""

    title = "mlflow-tracing"
    module = "mlflow"
    sink = "mlflow"

    def set_up(self, address: str) -> None:
        os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
        import mlflow
        from mlflow.entities.trace_location import MlflowExperimentLocation

        mlflow.set_tracking_uri(address)
        mlflow.tracing.set_destination(MlflowExperimentLocation(experiment_id="1"))
        self._mlflow = mlflow
        self.record = mlflow.trace(name="load")(body)  # type: ignore[method-assign]

    def flush(self, seconds: float) -> None:
        self._mlflow.flush_trace_async_logging()


PEERS: tuple[type[Peer], ...] = (
    AutoflowServer,
    AutoflowInstance,
    OpenTelemetry,
    Sentry,
    OpenLineage,
    OpenLineageAsync,
    Mlflow,
)


def installed(peer: type[Peer]) -> bool:
    """Return whether a client can be imported."""
    with contextlib.suppress(ImportError):
        return importlib.util.find_spec(peer.module) is not None
    return False


def version(peer: type[Peer]) -> str:
    """Return the installed version of a client with its name on the package index."""
    from importlib.metadata import packages_distributions
    from importlib.metadata import version as of

    names = packages_distributions().get(peer.module.split(".")[0], [])
    distribution = {"opentelemetry": "opentelemetry-sdk"}.get(peer.module.split(".")[0], "")
    name = distribution or (sorted(names)[0] if names else peer.module)
    return f"{name} {of(name)}"
