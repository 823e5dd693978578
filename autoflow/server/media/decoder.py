"""A pool of worker processes that decode images within limits of memory and time, started on demand."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import Any

from autoflow.process.forks import ProcessLock
from autoflow.server.errors import Busy
from autoflow.server.media import worker

PROCESSES = 2
JOB_TIMEOUT = 10.0  # seconds of a job
START_TIMEOUT = 30.0  # seconds for a worker to start
QUEUE_TIMEOUT = 20.0  # seconds for a free worker
# What a worker needs to find Pillow; nothing else of the environment, which holds tokens.
_VARIABLES = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "HOME", "LANG", "TMPDIR")


class Undecodable(Exception):
    """An image that cannot be decoded within the bounds; the message has the reason."""


class _Crashed(Undecodable):
    """The worker ended without an answer, because of the image or of something else."""


class _Worker:
    """A worker process.

    Raises:
        Busy: the process does not start.
    """

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
        environment["OPENBLAS_NUM_THREADS"] = "1"  # it may not start threads
        environment["MALLOC_ARENA_MAX"] = "1"  # address space is bounded, and each arena reserves much of it
        with theirs:
            try:
                self.process: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603 - our own file
                    [sys.executable, worker.__file__],
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environment,
                )
            except (OSError, TypeError) as error:
                ours.close()
                raise Busy(f"no process for decoding images can be started: {error}") from error
        self._connection = ours
        try:
            self._receive(START_TIMEOUT)
        except (OSError, EOFError) as error:
            self.stop()
            raise Busy("the process that decodes images does not start") from error

    def run(self, job: dict[str, Any], descriptor: int) -> tuple[dict[str, Any], bytes]:
        """Run a job in the worker and return its answer.

        Raises:
            Undecodable: the job exceeded its time, or ended the process.
        """
        try:
            worker.send(self._connection, job, descriptor=descriptor)
            return self._receive(JOB_TIMEOUT)
        except TimeoutError:
            self.process.kill()
            self.stop()
            raise Undecodable(f"it takes more than {JOB_TIMEOUT:.0f} s to decode") from None
        except (OSError, EOFError, ValueError):
            if self.stop() == -signal.SIGXCPU:
                raise Undecodable(f"it takes more than {worker.CPU_TIME} s to decode") from None
            raise _Crashed("its decoder crashes") from None

    def is_alive(self) -> bool:
        """Return whether the process still runs."""
        return self.process.poll() is None

    def stop(self) -> int:
        """End the process and return its status; it ends by itself once its socket is closed."""
        self._connection.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(0.5)
        self.process.kill()
        return self.process.wait()

    def disown(self) -> None:
        """Forget a worker of the process that this one was forked from."""
        self._connection.close()
        self.process.returncode = 0

    def _receive(self, seconds: float) -> tuple[dict[str, Any], bytes]:
        self._connection.settimeout(seconds)
        head, body, _descriptor = worker.receive(self._connection)
        return head, body


class Decoder:
    """The workers of this process; after a fork a child starts its own."""

    def __init__(self) -> None:
        self._lock = ProcessLock()
        self._pid = 0
        self._idle: list[_Worker] = []
        self._slots = threading.BoundedSemaphore(PROCESSES)

    def run(self, job: dict[str, Any], descriptor: int) -> tuple[dict[str, Any], bytes]:
        """Run a job in a worker: the arguments of `worker.thumbnail`, a reader's (`worker.READERS`), or empty to read a
        header.

        Raises:
            Undecodable: the image cannot be decoded within the bounds.
            Busy: no worker is free or can be started.
        """
        slots = self._of_this_process()
        if not slots.acquire(timeout=QUEUE_TIMEOUT):
            raise Busy("too many images are being decoded", retry_after=1)
        try:
            try:
                head, body = self._run(job, descriptor)
            except _Crashed:  # once more: an idle worker may have been killed before it saw the job
                head, body = self._run(job, descriptor)
        finally:
            slots.release()
        if "error" in head:
            raise Undecodable(head["error"])
        return head, body

    def _run(self, job: dict[str, Any], descriptor: int) -> tuple[dict[str, Any], bytes]:
        idle_worker = self._taken()
        try:
            return idle_worker.run(job, descriptor)
        finally:
            self._put_back(idle_worker)

    def close(self) -> None:
        """End all workers that are idle."""
        self._of_this_process()
        with self._lock:
            workers, self._idle = self._idle, []
        for idle_worker in workers:
            idle_worker.stop()

    def _of_this_process(self) -> threading.BoundedSemaphore:
        with self._lock:
            if self._pid != os.getpid():
                for idle_worker in self._idle:
                    idle_worker.disown()
                self._idle = []
                self._slots = threading.BoundedSemaphore(PROCESSES)
                if not self._pid:
                    atexit.register(self.close)
                self._pid = os.getpid()
            return self._slots

    def _taken(self) -> _Worker:
        with self._lock:
            while self._idle:
                idle_worker = self._idle.pop()
                if idle_worker.is_alive():
                    return idle_worker
                idle_worker.stop()
        return _Worker()

    def _put_back(self, idle_worker: _Worker) -> None:
        if idle_worker.process.returncode is None:
            with self._lock:
                self._idle.append(idle_worker)


decoder = Decoder()
