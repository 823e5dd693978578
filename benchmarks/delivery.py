"""autoflow and its peers side by side: what recording costs the caller, and what is left of the records when things
go wrong. Each client has a process and a sink of its own.

What autoflow keeps is counted after a later ``autoflow outbox sync``, as its promise is worded: the record outlives
the process, and whoever comes next sends it. What arrived without that is shown beside it.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from measure import Child, Goal, Sample, machine, median, micro, new_home, progress, publish, sync, table
from peers import PEERS, Peer, installed, version
from sink import Sink

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CALLS = int(os.environ.get("BENCH_CALLS", "20000"))
OUTAGE = float(os.environ.get("BENCH_OUTAGE", "30"))
HOT_SECONDS = 3.0
COLD_SECONDS = 3.0
RATE = 100  # records a second during an outage
LEAVING = 50
KILLED = 500
EXIT_TIMEOUT = 60.0  # how long a process that leaves is watched
WAYS = ("normal exit", "os._exit", "SIGTERM", "SIGKILL", "fork")

Cells = Sequence[str]


class Row(NamedTuple):
    """A client's line in a table, and the figures behind it."""

    peer: type[Peer]
    cells: Cells
    figures: dict[str, Any]


def present() -> list[type[Peer]]:
    return [peer for peer in PEERS if installed(peer)]


def missing() -> list[type[Peer]]:
    return [peer for peer in PEERS if not installed(peer)]


def shown(header: Cells, rows: Sequence[Row]) -> str:
    """A table with a line for every client, those that are not installed too."""
    lines = [(row.peer.title, *row.cells) for row in rows]
    lines += [(peer.title, "not installed", *[""] * (len(header) - 2)) for peer in missing()]
    return table(header, lines)


def at_once(measure: Callable[[type[Peer]], Row]) -> list[Row]:
    """Measure all clients at the same time: for what mostly waits."""
    peers = present()
    with ThreadPoolExecutor(len(peers)) as pool:
        return list(pool.map(measure, peers))


def in_turn(measure: Callable[[type[Peer]], Row]) -> list[Row]:
    rows = []
    for peer in present():
        progress(f"{measure.__qualname__.split('.')[0].strip('_')}: {peer.title}")
        rows.append(measure(peer))
    return rows


def of(rows: Sequence[Row], name: str) -> dict[str, Any]:
    """The figures of a client, none when it is not installed."""
    return next((row.figures for row in rows if row.peer.__name__ == name), {})


# -- the caller


def cost() -> tuple[str, list[Goal]]:
    """A call in a tight loop, and one each 10 ms; clients take turns, a process each and round."""
    hot: dict[type[Peer], list[Sample]] = {peer: [] for peer in present()}
    cold: dict[type[Peer], list[Sample]] = {peer: [] for peer in present()}
    for number in range(ROUNDS):
        for peer in present():
            progress(f"cost: {peer.title}, round {number + 1} of {ROUNDS}")
            with Sink(peer.sink) as sink, new_home() as home:
                with Child(peer.__name__, sink.address, "hot", home=home, calls=CALLS, seconds=HOT_SECONDS) as child:
                    hot[peer].append(Sample(*child.says()))
                with Child(peer.__name__, sink.address, "cold", home=home, pause=0.01, seconds=COLD_SECONDS) as child:
                    cold[peer].append(Sample(*child.says()))
    ours = median(hot[present()[0]], "p50")
    rows = [
        Row(
            peer,
            (
                micro(median(hot[peer], "p50")),
                micro(median(hot[peer], "p99")),
                f"{median(hot[peer], 'p50') / ours:.1f}",
                micro(median(cold[peer], "p50")),
                micro(median(cold[peer], "p99")),
            ),
            {},
        )
        for peer in present()
    ]
    text = (
        f"### Cost of a record to its caller\n\nServer up; {ROUNDS} rounds of up to {CALLS:,} calls or {HOT_SECONDS:g}"
        " s, a process each; medians over rounds. Cold: one call each 10 ms.\n\n"
        + shown(
            ("client", "hot p50 µs", "hot p99 µs", "hot p50, of autoflow's", "cold p50 µs", "cold p99 µs"),
            rows,
        )
    )
    return text, []


# -- leaving


def _leave(peer: type[Peer], how: str, count: int) -> tuple[int, int]:
    """Return the number of records that arrived before the exit, and after a later sync."""
    with Sink(peer.sink) as sink, new_home() as home:
        with Child(peer.__name__, sink.address, "leave", home=home, limit=EXIT_TIMEOUT, how=how, count=count) as child:
            child.ends()
        by_itself = sink.settled(count)
        if not peer.durable:
            return by_itself, by_itself
        sync(home).wait()
        return by_itself, sink.settled(count)


def leaving() -> tuple[str, list[Goal]]:
    """Measure how many records survive an exit right after the last call."""
    cases = [(how, LEAVING) for how in WAYS] + [("SIGKILL", KILLED)]

    def measure(peer: type[Peer]) -> Row:
        counts_by_case = [_leave(peer, how, count) for how, count in cases]
        cells = [
            str(delivered) if delivered == alone else f"{delivered} ({alone})" for alone, delivered in counts_by_case
        ]
        lost = sum(count for _, count in cases) - sum(delivered for _, delivered in counts_by_case)
        return Row(peer, cells, {"lost": lost})

    rows = in_turn(measure)
    header = ["client", *[f"{how}, of {count}" for how, count in cases]]
    text = (
        "### Records kept when the process leaves\n\nRecords made in a tight loop, then the process leaves at once;"
        " `fork`: made in a forked worker (multiprocessing) while the parent waits. For autoflow: arrived after a later"
        " `autoflow outbox sync`, in brackets what had arrived without.\n\n" + shown(header, rows)
    )
    return text, [
        Goal("lost at os._exit, SIGTERM, SIGKILL, fork", "0", f"{row.figures['lost']} ({row.peer.title})", met)
        for row in rows
        if row.peer.durable
        for met in (row.figures["lost"] == 0,)
    ]


# -- an outage


def _outage(peer: type[Peer]) -> Row:
    before, after = max(2.0, OUTAGE / 6), max(2.0, OUTAGE / 6)
    child_options = {"before": before, "during": OUTAGE, "after": after, "pause": 1 / RATE}
    with Sink(peer.sink) as sink, new_home() as home:
        limit = before + OUTAGE + after + 2 * EXIT_TIMEOUT
        with Child(peer.__name__, sink.address, "outage", home=home, limit=limit, **child_options) as child:
            for command in ("refuse", "well", None):
                child.says()
                if command is not None:
                    sink.tell(command)
                child.go_on()
            report = child.says()
            child.ends()
        if report is None:
            return Row(peer, ("did not end", "", "", "", "", ""), {})
        if peer.durable:
            sync(home).wait()
        lost = report["made"] - sink.settled(report["made"], quiet=2.0)
    calm, gone, _ = (Sample(*phase) for phase in report["phases"])
    ratio = gone.p50 / calm.p50
    cells = (
        f"{report['made']:,}",
        f"{lost:,}" + (f" ({report['raised']} raised)" if report["raised"] else ""),
        f"{report['grown'] / 2**20:.1f}",
        micro(calm.p50),
        micro(gone.p50),
        f"{ratio:.2f}",
        micro(gone.p9999),
    )
    return Row(peer, cells, {"lost": lost, "grown": report["grown"], "ratio": ratio})


def outage() -> tuple[str, list[Goal]]:
    """The server refuses connections for a while."""
    rows = at_once(_outage)
    header = ("client", "made", "lost", "memory MiB", "p50 µs before", "p50 µs during", "ratio", "longest µs during")
    text = (
        f"### An outage of {OUTAGE:g} s\n\n{RATE} records a second while connections are refused, the server back"
        " before the process ends; memory: growth of the resident size during the outage. All clients at the same time."
        "\n\n" + shown(header, rows)
    )
    goals = []
    for row in rows:
        if row.peer.durable and row.figures:
            counts_by_case = row.figures
            goals += [
                Goal(
                    f"lost in the outage ({row.peer.title})",
                    "0",
                    str(counts_by_case["lost"]),
                    counts_by_case["lost"] == 0,
                ),
                Goal(
                    f"memory in the outage ({row.peer.title})",
                    "≤ 5 MB",
                    f"{counts_by_case['grown'] / 1e6:.1f} MB",
                    counts_by_case["grown"] <= 5e6,
                ),
                Goal(
                    f"caller's p50 in the outage ({row.peer.title})",
                    "≤ 1.5 of before",
                    f"{counts_by_case['ratio']:.2f}",
                    counts_by_case["ratio"] <= 1.5,
                ),
            ]
    return text, goals


# -- leaving while the server says nothing


def _departs(peer: type[Peer], behaviour: str) -> tuple[float | None, dict[str, Any]]:
    """Seconds from the last call to the end of the process, None when it was still there; and what it said."""
    child_options = {"limit": EXIT_TIMEOUT + 30, "count": LEAVING, "warm": False}
    with (
        Sink(peer.sink) as sink,
        new_home() as home,
        Child(peer.__name__, sink.address, "depart", home=home, **child_options) as child,
    ):
        child.says()
        sink.tell(behaviour)
        child.go_on()
        report = child.says()
        if report is None:
            return None, {"made": 0, "raised": 0}
        try:
            child.process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            return None, report
        return time.monotonic() - report["left"], report


def departing() -> tuple[str, list[Goal]]:
    """Measure the duration of an exit with a responding and with a hanging server."""

    def measure(peer: type[Peer]) -> Row:
        well, _ = _departs(peer, "well")
        hanging, report = _departs(peer, "hang")
        say = lambda seconds: f"> {EXIT_TIMEOUT:g}" if seconds is None else f"{seconds:.2f}"  # noqa: E731
        note = f"{report['made']}" + (f" ({report['raised']} raised)" if report["raised"] else "")
        return Row(peer, (say(well), say(hanging), note), {"hanging": hanging})

    rows = at_once(measure)
    text = (
        f"### Leaving with a hanging server\n\nSeconds from the last of {LEAVING} records (or of those made within 2 s)"
        f" to the end of the process, by normal exit; watched for {EXIT_TIMEOUT:g} s. All clients at the same time.\n\n"
        + shown(("client", "server answers, s", "server hangs, s", "records made"), rows)
    )
    return text, [
        Goal(
            f"exit with a hanging server ({row.peer.title})",
            "≤ 2.2 s",
            "still there" if row.figures["hanging"] is None else f"{row.figures['hanging']:.2f} s",
            row.figures["hanging"] is not None and row.figures["hanging"] <= 2.2,
        )
        for row in rows
        if row.peer.durable
    ]


# -- arriving


def _visible(peer: type[Peer]) -> Row:
    count, pause = 40, 0.15
    with (
        Sink(peer.sink) as sink,
        new_home() as home,
        Child(peer.__name__, sink.address, "visible", home=home, count=count, pause=pause) as child,
    ):
        made = dict(child.says())
        delivered = sink.settled(count, quiet=8.0)
        arrivals = sink.seen()
    waits = sorted((arrivals[number] - made[number]) / 1e6 for number in made if number in arrivals)
    if not waits:
        return Row(peer, ("0", "", ""), {})
    p50, p99 = waits[len(waits) // 2], waits[-1]
    return Row(peer, (str(delivered), f"{p50:,.0f}", f"{p99:,.0f}"), {"p50": p50, "p99": p99})


def arriving() -> tuple[str, list[Goal]]:
    """From the call to the server, idle otherwise; nothing is flushed."""
    rows = at_once(_visible)
    text = (
        "### From record to server\n\n40 records, one each 0.15 s or so, nothing flushed; p99 is the longest of the"
        " forty.\n\n" + shown(("client", "arrived", "p50 ms", "p99 ms"), rows)
    )
    goals = []
    for row in rows:
        if row.peer.durable and row.figures:
            p50, p99 = row.figures["p50"], row.figures["p99"]
            goals += [
                Goal(f"record to visible, p50 ({row.peer.title})", "≤ 300 ms", f"{p50:.0f} ms", p50 <= 300),
                Goal(f"record to visible, p99 ({row.peer.title})", "≤ 1 s", f"{p99:.0f} ms", p99 <= 1000),
            ]
    return text, goals


def _burst(peer: type[Peer]) -> Row:
    count = 2000
    with Sink(peer.sink) as sink, new_home() as home:
        with Child(peer.__name__, sink.address, "burst", home=home, count=count) as child:
            begin = child.says()
            child.ends()
        delivered = sink.settled(count)
        arrivals = sink.seen()
    seconds = (max(arrivals.values()) - begin) / 1e9 if arrivals and begin else 0.0
    return Row(peer, (f"{delivered:,}", f"{seconds:.2f}", f"{delivered / seconds:,.0f}" if seconds else ""), {})


def bursting() -> tuple[str, list[Goal]]:
    """Many records at once, then a flush."""
    rows = in_turn(_burst)
    text = (
        "### A burst of 2,000 records\n\nRecorded in a tight loop, then flushed, closed and left in good order; seconds"
        " from the first call to the last arrival. No sync afterwards.\n\n"
        + shown(("client", "arrived", "seconds", "records/s"), rows)
    )
    return text, []


def main() -> None:
    """Measure everything of this module and print it."""
    parts = []
    for part in (cost, leaving, outage, departing, arriving, bursting):
        progress(part.__name__)
        parts.append(part())
    versions = ", ".join(dict.fromkeys(version(peer) for peer in present()))
    head = f"## Delivery, beside other clients\n\n{machine()}; {versions}."
    publish("\n\n".join([head, *[text for text, _ in parts]]) + "\n", [goal for _, goals in parts for goal in goals])


if __name__ == "__main__":
    main()
