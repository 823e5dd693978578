"""The long run: recorders and senders are killed at random, again and again, and nothing may be lost or come twice.

Recorders write into one outbox, each its own numbers, and say in shared memory how far they got *after* each call
returned, so that a kill cannot take an acknowledgement back. Senders (``outbox sync``, over and over) take what dead
recorders left, and are killed while they send. The server misbehaves now and then. All the time the outbox is looked
at: ``recorded = sent + waiting + dead``, never less than before, never less than acknowledged.

At the end every acknowledged record must have arrived, once, in the order of its journal; of a killed recorder one
more at the most may have: the one whose call was under way.

``soak.py`` runs against a server with keys in a process of its own, ``soak.py embedded`` against the real server
on SQLite, whose tables hold an edge once by themselves: there, loss, counts and crashes of the store are
what is tested. SOAK_SCALE scales how much is asked for. Ends with 1 when anything was violated.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

SCALE = float(os.environ.get("SOAK_SCALE", "1"))
ACKNOWLEDGED = {"server": int(250_000 * SCALE), "embedded": int(25_000 * SCALE)}
BURST = {"server": 200, "embedded": 20}  # records at once; SQLite takes a tenth of what the other sink takes
RECORDERS_KILLED = int(200 * SCALE)
SENDERS_KILLED = int(100 * SCALE)
RECORDERS = 3  # at the same time
SENDERS = 2
SLOTS = 1 << 16  # processes over the whole run: recorders in the first half, senders in the second
GROUP = 1 << 24  # numbers of a recorder
LIFE = (0.05, 1.2)  # seconds from a process's first sign of life to its end
FAULTS = (*["well"] * 7, "cut", "cut", "busy", "hang", "refuse")
FAULT_SECONDS = 0.25
LOOK_SECONDS = 0.25
DRAIN_SECONDS = 600.0


# -- the processes that are killed


def shared(path: str) -> memoryview:
    """Counters that outlive their writers: how many calls of each recorder returned, and rounds of each sender."""
    with open(path, "r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), SLOTS * 8)).cast("Q")


def record(burst: int, path: str, slot: int) -> None:
    """Record in bursts until killed."""
    import autoflow

    counters = shared(path)
    load = autoflow.workflow_input("job")(lambda job_id: job_id)
    with autoflow.workflow(f"recorder {slot}", task_id=slot, log=False):
        number = slot * GROUP
        while True:
            for _ in range(random.randrange(1, burst)):
                number += 1
                load(number)
                counters[slot] += 1
            time.sleep(random.uniform(0, 0.04))


def send(path: str, slot: int) -> None:
    """Send what dead recorders left, over and over, until killed."""
    from autoflow.cli.outbox import sync
    from autoflow.outbox.status import destinations
    from autoflow.runtime.destination import connector_to, parse_address

    counters = shared(path)
    while True:
        counters[slot] += 1
        for origin, folder in destinations():
            sync(folder, origin, connector_to(parse_address(origin)))
        time.sleep(0.02)


class Victim:
    """A process that will be killed at a moment drawn at random."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.DEVNULL)
        self.slot = int(arguments[-1])
        self.until = 0.0

    def due(self, *, alive: bool) -> bool:
        """Return whether its random lifetime is over; the lifetime starts with the first record."""
        if self.process.poll() is not None:
            raise SystemExit(f"{self.process.args} ended by itself, with {self.process.returncode}")
        now = time.monotonic()
        if not self.until and alive:
            self.until = now + random.uniform(*LIFE)
        return bool(self.until) and now >= self.until

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


# -- the run


class Soak:
    """One run.

    Args:
        target: what is sent to, ``server`` or ``embedded``.
        sink: a `Sink`, counting what arrives.
        path: the file of the acknowledged counts.
    """

    def __init__(self, target: str, sink: Any, path: str) -> None:
        self.sink = sink
        self.target = target
        self.counters = shared(path)
        self.path = path
        self.violations: list[str] = []
        self.looks = self.slots = self.sender_slots = self.recorders_killed = self.senders_killed = 0
        self._faults = target == "server"
        self._fault = "well"
        self._recorded = 0
        self._begun = time.monotonic()
        self._due = {"look": 0.0, "fault": 0.0, "word": 0.0}

    @property
    def acknowledged(self) -> int:
        return sum(self.counters[: self.slots + 1])

    def run(self) -> None:
        """Kill until enough was recorded and killed, then let everything arrive and compare."""
        recorders: list[Victim] = []
        senders: list[Victim] = []
        try:
            while not self.enough():
                while len(recorders) < RECORDERS:
                    self.slots += 1
                    recorders.append(Victim("record", str(BURST[self.target]), self.path, str(self.slots)))
                while len(senders) < SENDERS:
                    senders.append(self._sender())
                self.recorders_killed += self._reap(recorders)
                self.senders_killed += self._reap(senders)
                self._disturb()
                self._check_counts()
                self._print_progress()
                time.sleep(0.01)
        finally:
            for victim in recorders + senders:
                victim.kill()
        if self._faults:
            self.sink.tell("well")
        self._drain()
        self._compare()

    def enough(self) -> bool:
        return (
            self.acknowledged >= ACKNOWLEDGED[self.target]
            and self.recorders_killed >= RECORDERS_KILLED
            and self.senders_killed >= SENDERS_KILLED
        )

    def violated(self, words: str) -> None:
        self.violations.append(words)
        print(f"VIOLATED: {words}", flush=True)

    def _reap(self, victims: list[Victim]) -> int:
        killed = 0
        for victim in list(victims):
            if victim.due(alive=self.counters[victim.slot] > 0):
                victim.kill()
                victims.remove(victim)
                killed += 1
        return killed

    def _sender(self) -> Victim:
        self.sender_slots += 1
        return Victim("send", self.path, str(SLOTS // 2 + self.sender_slots))

    def _every(self, name: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due[name]:
            return False
        self._due[name] = now + seconds
        return True

    def _disturb(self) -> None:
        if self._faults and self._every("fault", FAULT_SECONDS):
            self._fault = random.choice(FAULTS)
            self.sink.tell(self._fault)

    def _check_counts(self) -> None:
        """Look at the outbox, as `autoflow outbox status` does, while it is being written, sent and folded."""
        if not self._every("look", LOOK_SECONDS):
            return
        from autoflow.outbox.status import status

        acknowledged = self.acknowledged
        counts = status()
        self.looks += 1
        if counts["recorded"] != counts["sent"] + counts["waiting"] + counts["dead"]:
            self.violated(f"recorded is not sent + waiting + dead: {counts}")
        if counts["recorded"] < acknowledged:
            self.violated(f"{acknowledged} acknowledged, only {counts['recorded']} recorded")
        if counts["recorded"] < self._recorded:
            self.violated(f"recorded went back from {self._recorded} to {counts['recorded']}")
        if counts["dead"] or counts["dropped"]:
            self.violated(f"dead or dropped: {counts}")
        self._recorded = counts["recorded"]

    def _print_progress(self, *, now: bool = False) -> None:
        if not self._every("word", 2.0) and not now:
            return
        count = self.sink.tell("count")
        target_count = ACKNOWLEDGED[self.target]
        print(
            f"{time.monotonic() - self._begun:5.0f} s  acknowledged {self.acknowledged:,} of {target_count:,}"
            f"  killed recorders {self.recorders_killed} of {RECORDERS_KILLED}"
            f", senders {self.senders_killed} of {SENDERS_KILLED}  arrived {count['kept']:,}"
            f"  looks {self.looks}  server {self._fault}",
            flush=True,
        )

    def _drain(self) -> None:
        """Have everything sent, as the next process would."""
        sender = self._sender()
        end = time.monotonic() + DRAIN_SECONDS
        try:
            while time.monotonic() < end and sender.process.poll() is None:
                self._check_counts()
                self._print_progress()
                from autoflow.outbox.status import status

                if status()["waiting"] == 0:
                    return
                time.sleep(0.1)
            self.violated("not everything could be sent")
        finally:
            sender.kill()

    def _compare(self) -> None:
        """Compare arrived with acknowledged records for each recorder."""
        time.sleep(0.5)  # a request of a killed sender may still be on its way
        arrived = {group: (count, highest) for group, (count, highest) in self.sink.tell(f"ranges {GROUP}")}
        for slot in range(1, self.slots + 1):
            acknowledged = self.counters[slot]
            count, highest = arrived.get(slot, (0, 0))
            if count < acknowledged or count != highest:
                self.violated(f"recorder {slot}: {acknowledged} acknowledged, {count} arrived, the highest {highest}")
            elif count - acknowledged > 1:
                self.violated(f"recorder {slot}: {count} arrived, only {acknowledged} acknowledged")
        count = self.sink.tell("count")
        if count["again"]:
            self.violated(f"{count['again']} arrived twice")
        if count["unordered"]:
            self.violated(f"{count['unordered']} arrived out of their journal's order")
        self._print_progress(now=True)


def main(target: str) -> int:
    """Run; 1 when anything was violated."""
    from measure import bytes_in
    from sink import Sink

    seed = int(os.environ.get("SOAK_SEED", str(random.randrange(1 << 32))))
    random.seed(seed)
    embedded = target == "embedded"
    print(f"soak: {target}, seed {seed}", flush=True)
    with ExitStack() as stack:
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="autoflow-soak-"))
        path = os.path.join(home, "acknowledged")
        Path(path).write_bytes(bytes(SLOTS * 8))
        outbox = os.path.join(home, "home")
        os.environ.update(AUTOFLOW_HOME=outbox, AUTOFLOW_TOKEN="t", AUTOFLOW_STRICT="0")
        kind = f"embedded:{os.path.join(outbox, 'platform', 'platform.db')}" if embedded else "server"
        sink = stack.enter_context(Sink(kind))
        os.environ["AUTOFLOW_SERVER"] = sink.address
        if embedded:  # jobs of another server need not exist on this one
            os.environ["SERVER_ADDRESS"] = "https://instance.example.org"
        soak = Soak(target, sink, path)
        soak.run()
        resent = sink.tell("count")["resent"]
        left = bytes_in(os.path.join(outbox, "outbox"))
        if left >= 1 << 20:
            soak.violated(f"{left} bytes are left in the outbox")
    verdict = "; ".join(soak.violations[:5]) or "0 lost, 0 twice, in order"
    summary = {
        "target": target,
        "acknowledged": soak.acknowledged,
        "recorders killed": soak.recorders_killed,
        "senders killed": soak.senders_killed,
        "sent again and recognised": resent,
        "looks": soak.looks,
        "bytes left": left,
        "violations": len(soak.violations),
    }
    print(f"{json.dumps(summary)}\n{verdict}", flush=True)
    return int(bool(soak.violations))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["record", burst, path, slot]:
            record(int(burst), path, int(slot))
        case ["send", path, slot]:
            send(path, int(slot))
        case [target]:
            raise SystemExit(main(target))
        case _:
            raise SystemExit(main("server"))
