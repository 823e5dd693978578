"""``GET /metrics`` in the text format of Prometheus.

Requests are counted in plain dictionaries; prometheus-client is imported by the first scrape, and writes them out.
Labels are names of methods and status codes: nothing that users have named.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from autoflow.errors import ServerBusy, ServerRefused
from autoflow.server.db import usage
from autoflow.server.db.access import LOCAL
from autoflow.server.histogram import BOUNDS, Histogram
from autoflow.server.http.admission import Pool
from autoflow.server.http.exchange import Exchange
from autoflow.server.server import Server

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric

USAGE_SHARE = 0.01  # of the time is spent on measuring the store, at most
_BUCKETS = (*(str(bound) for bound in BOUNDS), "+Inf")


class Metrics:
    """The metrics of one server; also a collector of prometheus-client.

    Args:
        server: the server.
        pools: its thread pools, by the kind of work.
    """

    def __init__(self, server: Server, pools: Mapping[str, Pool]) -> None:
        self._server = server
        self._pools = pools
        self._lock = threading.Lock()
        self._in_progress = 0
        self._requests: Counter[tuple[str, str]] = Counter()
        self._latencies: defaultdict[str, Histogram] = defaultdict(Histogram)
        self._bytes = Counter({"received": 0, "sent": 0})
        self._usage: usage.Usage | None = None
        self._usage_due = 0.0
        self._registry: CollectorRegistry | None = None

    def began(self) -> None:
        """Count a request that has arrived."""
        with self._lock:
            self._in_progress += 1

    def ended(self, exchange: Exchange) -> None:
        """Count a request that is over."""
        method = exchange.method
        status = str(exchange.status) if exchange.status is not None else "disconnected"
        with self._lock:
            self._in_progress -= 1
            self._requests[method, status] += 1
            self._bytes["received"] += exchange.received
            self._bytes["sent"] += exchange.sent
            latency = self._latencies[method]
        latency.observe(exchange.seconds)

    def render(self) -> tuple[bytes, str]:
        """Return the metrics as text, and its media type; reads the database, so it is called in a thread."""
        from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest

        if self._registry is None:
            registry = CollectorRegistry()
            ProcessCollector(registry=registry)
            registry.register(_Collector(self.collect))
            self._registry = registry
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[Metric]:
        """Return all metrics but those of the process."""
        yield from self._collect_requests()
        yield from self._collect_waits()
        yield from self._collect_state()
        yield from self._collect_usage()

    def _collect_requests(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        with self._lock:
            requests, latencies, sizes = dict(self._requests), dict(self._latencies), dict(self._bytes)
            in_progress = self._in_progress
        counts = CounterMetricFamily("autoflow_requests", "Requests by method and status.", labels=["method", "status"])
        for labels, count in sorted(requests.items()):
            counts.add_metric(labels, count)
        yield counts
        yield _histograms("autoflow_request_seconds", "Time from a request's head to its end.", "method", latencies)
        yield GaugeMetricFamily("autoflow_requests_in_progress", "Requests that are not over.", in_progress)
        transferred = CounterMetricFamily("autoflow_body_bytes", "Bytes of bodies, as transferred.", labels=["way"])
        for way, size in sizes.items():
            transferred.add_metric([way], size)
        yield transferred

    def _collect_waits(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        waits = {kind: pool.waits for kind, pool in self._pools.items()}
        yield _histograms("autoflow_queue_seconds", "Time that requests waited for a thread.", "pool", waits)
        threads = GaugeMetricFamily("autoflow_threads_in_use", "Threads that work for requests.", labels=["pool"])
        waiting = GaugeMetricFamily("autoflow_queue_length", "Requests that wait for a thread.", labels=["pool"])
        for kind, pool in self._pools.items():
            threads.add_metric([kind], pool.in_use)
            waiting.add_metric([kind], pool.waiting)
        yield threads
        yield waiting
        locks = {"write": self._server.store.write_waits}
        yield _histograms("autoflow_lock_seconds", "Time that writes waited for the store's lock.", "lock", locks)

    def _collect_state(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        report = self._server.ready()
        ready = GaugeMetricFamily("autoflow_ready", "1 for each part that can be used, see /readyz.", labels=["part"])
        for part, state in report["checks"].items():
            ready.add_metric([part], float(state in {"ok", "unchecked"}))
        yield ready
        problems = "Damaged versions that the last integrity check has detected."
        yield GaugeMetricFamily("autoflow_integrity_problems", problems, report["problems"])

    def _collect_usage(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        measured = self._measure_usage()
        if measured is not None:
            yield GaugeMetricFamily("autoflow_versions", "Committed versions of projects.", measured.versions)
            yield GaugeMetricFamily("autoflow_blobs", "Distinct contents in the blob store.", measured.blobs)
            yield GaugeMetricFamily("autoflow_blob_bytes", "Their size.", measured.blob_bytes)
            yield GaugeMetricFamily("autoflow_database_bytes", "Size of the database.", measured.database_bytes)

    def _measure_usage(self) -> usage.Usage | None:
        """Return the size of the store, measured lately; None while that is not possible."""
        began = time.monotonic()
        if began < self._usage_due:
            return self._usage
        try:
            with self._server.store.for_caller(LOCAL).read() as conn:
                self._usage = usage.measure(conn)
        except (ServerBusy, ServerRefused):  # ServerRefused: it would take longer than a read may
            self._usage = None
        now = time.monotonic()
        self._usage_due = now + (now - began) / USAGE_SHARE
        return self._usage


class _Collector:
    """A function as a collector: prometheus-client calls it for each scrape, and not when it is registered."""

    def __init__(self, collect: Callable[[], Iterator[Metric]]) -> None:
        self.collect = collect

    def describe(self) -> list[Metric]:
        return []


def _histograms(name: str, documentation: str, label: str, histograms: Mapping[str, Histogram]) -> Any:
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(name, documentation, labels=[label])
    for value, histogram in sorted(histograms.items()):
        cumulative, total = histogram.distribution()
        family.add_metric([value], list(zip(_BUCKETS, cumulative, strict=True)), total)
    return family
