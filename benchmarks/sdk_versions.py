"""A version of 12,500 images by the Supervisely SDK's own `create` and `restore`, in both of its formats, over HTTP.

Goals: created within 9 s, restored within 15 s. `SDK_VERSIONS_ITEMS` says how many images. Beside the whole time stand
the processor time of both processes, which other load of the machine does not change, and that of the slowest methods.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import requests
from measure import Goal, progress, publish, table

sys.path.insert(0, str(Path(__file__).parents[1]))

import versions

from tests.serving import serving

ITEMS = int(os.environ.get("SDK_VERSIONS_ITEMS", "12500"))
LIMITS = {"create": 9.0, "restore": 15.0}  # seconds
SLOWEST = 4  # methods that are listed

_BY_SDK = """
import os, sys, time
os.environ["SUPERVISELY_SKIP_HTTPS_USER_HELPER_CHECK"] = "1"
if sys.argv[2] == "pickle":
    sys.modules["pyarrow"] = None
import supervisely as sly
sly.logger.setLevel("ERROR")
api = sly.Api(sys.argv[1], "t" * 128)
begin, cpu = time.perf_counter(), time.process_time()
made = api.project.version.create(int(sys.argv[3]), "benchmark")
assert made is not None
print(time.perf_counter() - begin, time.process_time() - cpu, flush=True)
sys.stdin.readline()
begin, cpu = time.perf_counter(), time.process_time()
restored = api.project.version.restore(int(sys.argv[3]), version_id=made)
print(time.perf_counter() - begin, time.process_time() - cpu, flush=True)
assert api.project.get_info_by_id(restored.id).items_count == int(sys.argv[4])
"""


class Timing(NamedTuple):
    """Times of an operation.

    Args:
        seconds: of the whole.
        client, server: processor seconds of the SDK's process and of the server's.
        methods: seconds that requests took, by method, the slowest first.
    """

    seconds: float
    client: float
    server: float
    methods: list[tuple[str, float]]


def request_seconds(url: str) -> dict[str, float]:
    """The seconds that requests have taken since the server began, by method."""
    start = 'autoflow_request_seconds_sum{method="'
    lines = requests.get(f"{url}/metrics", timeout=60).text.splitlines()
    samples = (line[len(start) :].split('"} ') for line in lines if line.startswith(start))
    return {method: float(value) for method, value in samples}


def _cpu_seconds(pid: int) -> float:
    """The processor time of a process, on Linux."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(form: str, folder: str) -> dict[str, Timing]:
    """Create and restore a version in one format of the SDK's."""
    progress(f"building {ITEMS:,} images")
    made = versions.build(folder, ITEMS)
    made.server.close()
    timings = {}
    with serving("--data", folder) as (serving_process, url, _lines):
        command = [sys.executable, "-c", _BY_SDK, url, form, str(made.project), str(ITEMS)]
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for operation in LIMITS:
                progress(f"the SDK's {operation} ({form})")
                before, cpu = request_seconds(url), _cpu_seconds(serving_process.pid)
                seconds, client = map(float, process.stdout.readline().split())
                server = _cpu_seconds(serving_process.pid) - cpu
                taken = {method: value - before.get(method, 0.0) for method, value in request_seconds(url).items()}
                slowest = sorted(taken.items(), key=lambda entry: -entry[1])[:SLOWEST]
                timings[operation] = Timing(seconds, client, server, slowest)
                print(file=process.stdin, flush=True)
        assert process.returncode == 0
    return timings


def main() -> None:
    """Measure both formats and print the section of the report."""
    rows, goals = [], []
    for form in ("pickle", "columnar"):
        with tempfile.TemporaryDirectory() as folder:
            timings = measure(form, folder)
        for operation, timing in timings.items():
            limit = LIMITS[operation]
            slowest = ", ".join(f"`{method}` {seconds:.1f}" for method, seconds in timing.methods)
            figures = [f"{figure:.1f}" for figure in (timing.seconds, timing.client, timing.server)]
            rows.append([f"{operation}, {form}", *figures, slowest])
            name = f"{operation} a version of {ITEMS:,} images by the SDK ({form})"
            goals.append(Goal(name, f"≤ {limit:.0f} s", f"{timing.seconds:.1f} s", timing.seconds <= limit))
    section = (
        "## Versions by the Supervisely SDK\n\n"
        f"{ITEMS:,} images of three objects in ten datasets, one client over HTTP, seconds. Requests of one operation "
        "overlap where the SDK sends several at once.\n\n"
    )
    header = ["", "all", "processor time of the SDK", "of the server", "requests of the slowest methods"]
    publish(section + table(header, rows), goals)


if __name__ == "__main__":
    main()
