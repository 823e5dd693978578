"""Cost of a decorated call for the caller's thread, compared with peers in the same run.

Goals (design, promise 1): at most 0.35 of OpenTelemetry's decorator with an in-memory exporter, p99 at most 25 µs, no
stall over 5 ms at p99.99, with the server up, away or hanging, and while a backlog drains.
"""

from __future__ import annotations

import os

from measure import Goal, Sample, interleaved, machine, median, micro, new_home, publish, table
from sink import Sink

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
CALLS = int(os.environ.get("BENCH_CALLS", "20000"))
PEER = "OpenTelemetry, in memory"
SDK = "supervisely SDK, local server"


def body(project_id: int) -> int:
    """The decorated function; it is empty, so that only the cost of recording is measured."""
    return project_id


def autoflow_call(address: str):
    """A decorated call whose record is durable, towards a server."""
    import autoflow

    recorded = autoflow.workflow_input("project")(body)
    entered = autoflow.workflow(f"bench {address}", server=address, task_id=55, log=False)
    run = entered.__enter__()
    from autoflow.runtime import context

    def call(number: int) -> None:
        recorded(number)

    def enter() -> None:
        context.current.set(run)

    return call, enter


def otel_call():
    """OpenTelemetry's decorator, spans batched into an in-memory exporter."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    return provider.get_tracer("bench").start_as_current_span("load")(body)


def sdk_call(address: str):
    """The real SDK's call, to a server on this machine; None where the SDK is not installed."""
    os.environ.update(
        ENV="production",
        SERVER_ADDRESS=address,
        API_TOKEN="t" * 128,
        SUPERVISELY_TASK_ID="55",
        SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK="1",
        LOG_LEVEL="FATAL",
    )
    try:
        import supervisely
    except ImportError:
        return None
    api = supervisely.Api(address, "t" * 128)
    return lambda number: api.app.workflow.add_input_project(number)


def row(name: str, samples: list[Sample], peer: list[Sample]) -> tuple[str, ...]:
    """One line of the table."""
    p50 = median(samples, "p50")
    return (
        name,
        micro(p50),
        micro(median(samples, "p99")),
        micro(median(samples, "p9999")),
        micro(max(sample.longest for sample in samples)),
        f"{p50 / median(peer, 'p50'):.2f}",
    )


def main() -> None:
    """Measure, and print the section."""
    from autoflow.testing import FaultyServer, hang

    with new_home() as home, Sink("server") as up, Sink("instance") as instance, FaultyServer() as hanging:
        os.environ.update(AUTOFLOW_HOME=home, AUTOFLOW_TOKEN="t", AUTOFLOW_EXIT_FLUSH="0")
        hanging.behave(hang)
        cases = {"bare call": body, PEER: otel_call()}
        for name, address in {
            "autoflow, server up": up.address,
            "autoflow, server away": "http://127.0.0.1:9",
            "autoflow, server hangs": hanging.address,
            "autoflow, off": "off",
        }.items():
            call, enter = autoflow_call(address)
            cases[name] = _entering(call, enter)
        samples = interleaved(cases, rounds=ROUNDS, calls=CALLS)
        sdk = sdk_call(instance.address)
        if sdk is not None:
            samples[SDK] = interleaved({SDK: sdk}, rounds=3, calls=100)[SDK]
    rows = [row(name, timings, samples[PEER]) for name, timings in samples.items()]
    rows += [(SDK, "not installed", "", "", "", "")] if sdk is None else []
    header = ("call", "p50 µs", "p99 µs", "p99.99 µs", "longest µs", "p50 of OpenTelemetry's")
    publish(
        f"## Cost of a call\n\n{machine()}; {ROUNDS} rounds of {CALLS} calls each, in turn.\n\n{table(header, rows)}\n",
        [
            goal
            for name, timings in samples.items()
            if name.startswith("autoflow, server")
            for goal in _goals(name, timings)
        ]
        + [_ratio(samples)],
    )


def _goals(name: str, samples: list[Sample]) -> list[Goal]:
    p99, p9999 = median(samples, "p99"), median(samples, "p9999")
    return [
        Goal(f"call, p99 ({name})", "≤ 25 µs", f"{micro(p99)} µs", p99 <= 25_000),
        Goal(f"call, p99.99 ({name})", "≤ 5 ms", f"{p9999 / 1e6:.2f} ms", p9999 <= 5e6),
    ]


def _ratio(samples: dict[str, list[Sample]]) -> Goal:
    ratio = median(samples["autoflow, server up"], "p50") / median(samples[PEER], "p50")
    return Goal("call, p50 of OpenTelemetry's decorator in memory", "≤ 0.35", f"{ratio:.2f}", ratio <= 0.35)


def _entering(call, enter):
    """Several runs are open at once: turn to this one when its round begins."""
    state = {"last": -1}

    def entered(number: int) -> None:
        if number != state["last"] + 1:
            enter()
        state["last"] = number
        call(number)

    return entered


if __name__ == "__main__":
    main()
    os._exit(0)
