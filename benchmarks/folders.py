"""A folder made a project, again and again, and written out again: beside DVC, in multiples of one plain job.

The job is to read every file of the tree and take its sha256, in one thread. All figures are wall time of fresh work on
the same tree: 20,000 images of 60 KB with an annotation each, in Supervisely's format. DVC, installed into a virtual
environment of the benchmark's own, tracks the same tree, and restic, where it is installed, keeps it in a repository.
Every measurement stands between two runs of the job.

BENCH_IMAGES (20000), BENCH_KB (60) and BENCH_ROUNDS (3) make it smaller; BENCH_DVC=0 leaves DVC out, BENCH_PLACE says
on which file system it works.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import venv
import zlib
from collections.abc import Callable
from pathlib import Path

from measure import Goal, bytes_in, machine, progress, publish, table

IMAGES = int(os.environ.get("BENCH_IMAGES", "20000"))
KB = int(os.environ.get("BENCH_KB", "60"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
WITH_DVC = os.environ.get("BENCH_DVC", "1") != "0"
DATASETS = 4
CHANGED = 0.01
YOUNG = 3.5  # seconds after which a file is old enough not to be read again

_DO = """
import json, os, sys, time
from autoflow.api.client import Api
api = Api("embedded")
what, folder, number = json.loads(sys.argv[1])
api.transport.call("instance.version", {})
begin = time.perf_counter()
if what == "in":
    made = api.project.from_folder(folder).id
elif what == "save":
    made = api.project.version.create(number)
else:
    from autoflow.datasets.export import to_folder
    made = to_folder(api.transport, number, folder, mode="copy")
print(json.dumps([time.perf_counter() - begin, made]))
"""


# -- the tree


def png(side: int, seed: int) -> bytes:
    """A PNG of noise, which does not get smaller."""
    noise = random.Random(seed)
    pixels = b"".join(b"\0" + noise.randbytes(side * 3) for _ in range(side))

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(pixels, 0)) + chunk(b"IEND", b"")


def annotation(side: int, seed: int) -> str:
    """An annotation of three boxes."""
    noise = random.Random(seed)
    objects = []
    for _ in range(3):
        left, top = noise.randrange(side - 9), noise.randrange(side - 9)
        points = {"exterior": [[left, top], [left + 9, top + 9]], "interior": []}
        objects.append({"classTitle": "car", "geometryType": "rectangle", "points": points, "tags": []})
    return json.dumps({"description": "", "tags": [], "size": {"height": side, "width": side}, "objects": objects})


def paths(root: Path, number: int) -> tuple[Path, Path]:
    """The files of an image and of its annotation."""
    folder = root / f"ds{number % DATASETS}"
    return folder / "img" / f"{number:06d}.png", folder / "ann" / f"{number:06d}.png.json"


def make(root: Path, side: int) -> None:
    """Write the tree."""
    for number in range(DATASETS):
        for path in paths(root, number):
            path.parent.mkdir(parents=True)
    meta = {"classes": [{"title": "car", "shape": "any", "color": "#FF0000"}], "tags": []}
    (root / "meta.json").write_text(json.dumps(meta))
    for number in range(IMAGES):
        image, label = paths(root, number)
        image.write_bytes(png(side, number))
        label.write_text(annotation(side, number))


def change(root: Path, side: int, seed: int) -> None:
    """Write some images and as many annotations anew."""
    noise = random.Random(seed)
    for number in noise.sample(range(IMAGES), int(IMAGES * CHANGED)):
        paths(root, number)[0].write_bytes(png(side, seed * IMAGES + number))
    for number in noise.sample(range(IMAGES), int(IMAGES * CHANGED)):
        paths(root, number)[1].write_text(annotation(side, seed * IMAGES + number))


def job(root: Path) -> float:
    """The unit: seconds to read every file and take its sha256."""
    begin = time.perf_counter()
    for folder, _, names in os.walk(root):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                hashlib.sha256(file.read()).digest()
    return time.perf_counter() - begin


# -- what is measured


class Figures:
    """Seconds and multiples of the job, by what was done."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.seconds: dict[str, list[float]] = {}
        self.ratios: dict[str, list[float]] = {}
        self.units: list[float] = []

    def take(self, what: str, work: Callable[[], float]) -> None:
        """Do and time something, between two runs of the job; nothing of what went before is still being written."""
        os.sync()
        before = job(self._root)
        spent = work()
        unit = (before + job(self._root)) / 2
        self.units.append(unit)
        self.seconds.setdefault(what, []).append(spent)
        self.ratios.setdefault(what, []).append(spent / unit)
        progress(f"{what}: {spent:.2f} s, {spent / unit:.2f} x")

    def ratio(self, what: str) -> float:
        """The median of the multiples."""
        return statistics.median(self.ratios[what])

    def second(self, what: str) -> float:
        """The median of the seconds."""
        return statistics.median(self.seconds[what])


def autoflow(home: str, what: str, folder: Path, number: int = 0) -> tuple[float, int]:
    """Let a fresh process do one thing; seconds without its start, and the number it tells."""
    command = [sys.executable, "-c", _DO, json.dumps([what, str(folder), number])]
    environment = {**os.environ, "AUTOFLOW_HOME": home}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    spent, made = json.loads(done.stdout)
    return float(spent), made


class Dvc:
    """DVC on a repository without git."""

    def __init__(self, workspace: Path) -> None:
        progress("installing DVC")
        venv.create(workspace / "venv", with_pip=True)
        pip = [workspace / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "--quiet", "dvc"]
        subprocess.run(pip, check=True)
        self._dvc = workspace / "venv" / "bin" / "dvc"
        self.repository = workspace / "dvc"
        self.repository.mkdir()
        self.run("init", "--no-scm")
        self.run("config", "cache.type", "copy")
        self.run("config", "core.analytics", "false")

    def run(self, *arguments: str) -> float:
        """Seconds of one command."""
        begin = time.perf_counter()
        command = [str(self._dvc), "--quiet", *arguments]
        subprocess.run(command, cwd=self.repository, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin


class Restic:
    """restic with a repository of its own."""

    def __init__(self, workspace: Path) -> None:
        self._environment = {
            **os.environ,
            "RESTIC_REPOSITORY": str(workspace / "restic"),
            "RESTIC_CACHE_DIR": str(workspace / "restic-cache"),
            "RESTIC_PASSWORD": "benchmark",
        }
        self._folders = [workspace / "restic", workspace / "restic-cache"]

    def anew(self) -> None:
        """Begin with an empty repository."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)
        self.run("init")

    def run(self, *arguments: str) -> float:
        """Seconds of one command."""
        begin = time.perf_counter()
        subprocess.run(["restic", "--quiet", *arguments], env=self._environment, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - begin


def copied(tree: Path, workspace: Path) -> float:
    """Seconds of a plain copy of the tree: what the files alone cost the system."""
    begin = time.perf_counter()
    subprocess.run(["cp", "-r", str(tree), str(workspace)], check=True)
    return time.perf_counter() - begin


def measure(workspace: Path, figures: Figures, tree: Path, side: int) -> dict[str, str]:
    """Everything, in turns; gives sizes that are worth telling."""
    dvc = Dvc(workspace) if WITH_DVC else None
    restic = Restic(workspace) if shutil.which("restic") else None
    notes: dict[str, str] = {}
    for number in range(ROUNDS):
        home, out, plain = str(workspace / f"home{number}"), workspace / f"out{number}", workspace / "plain"
        figures.take("cp -r", lambda plain=plain: copied(tree, plain))  # type: ignore[misc]
        shutil.rmtree(plain)
        figures.take("autoflow, first", lambda home=home: autoflow(home, "in", tree)[0])  # type: ignore[misc]
        project = autoflow(home, "in", tree)[1]
        figures.take("autoflow, unchanged", lambda home=home: autoflow(home, "in", tree)[0])  # type: ignore[misc]
        first = autoflow(home, "save", tree, project)[1]
        if dvc is not None:
            copy = dvc.repository / "data"
            if number:
                shutil.rmtree(copy)
                shutil.rmtree(dvc.repository / ".dvc" / "cache")
            shutil.copytree(tree, copy)
            figures.take("DVC, first", lambda: dvc.run("add", "data"))
            figures.take("DVC, unchanged", lambda: dvc.run("add", "data"))
            shutil.copyfile(dvc.repository / "data.dvc", workspace / "first.dvc")
        if restic is not None:
            restic.anew()
            figures.take("restic, first", lambda: restic.run("backup", str(tree)))
            figures.take("restic, unchanged", lambda: restic.run("backup", str(tree)))
        full = bytes_in(home)
        change(tree, side, number + 1)
        time.sleep(YOUNG)
        figures.take("autoflow, 1 % changed", lambda home=home: autoflow(home, "in", tree)[0])  # type: ignore[misc]
        notes["bytes added for 1 %"] = f"{(bytes_in(home) - full) / full:.2%} of the store"
        if dvc is not None:
            change(copy, side, number + 1)
            figures.take("DVC, 1 % changed", lambda: dvc.run("add", "data"))
        if restic is not None:
            figures.take("restic, 1 % changed", lambda: restic.run("backup", str(tree)))
        version = autoflow(home, "save", tree, project)[1]
        figures.take(
            "autoflow, out by copy",
            lambda home=home, out=out, version=version: autoflow(home, "out", out, version)[0],  # type: ignore[misc]
        )
        figures.take(
            "autoflow, back to another version",
            lambda home=home, out=out, first=first: autoflow(home, "out", out, first)[0],  # type: ignore[misc]
        )
        if dvc is not None:
            shutil.rmtree(copy)
            figures.take("DVC, out by copy", lambda: dvc.run("checkout", "data.dvc"))
            shutil.copyfile(workspace / "first.dvc", dvc.repository / "data.dvc")
            figures.take("DVC, back to another version", lambda: dvc.run("checkout", "--force", "data.dvc"))
        shutil.rmtree(out)
        if restic is not None:
            figures.take("restic, out", lambda out=out: restic.run("restore", "latest", "--target", str(out)))  # type: ignore[misc]
            shutil.rmtree(out)
        shutil.rmtree(home)
        time.sleep(YOUNG)
    return notes


def main() -> None:
    """Measure and print."""
    side = max(8, round((KB * 1024 / 3) ** 0.5))
    with tempfile.TemporaryDirectory(prefix="autoflow-bench-", dir=os.environ.get("BENCH_PLACE")) as folder:
        workspace = Path(folder)
        tree = workspace / "tree"
        progress(f"writing {IMAGES} images and annotations")
        make(tree, side)
        time.sleep(YOUNG)
        figures = Figures(tree)
        notes = measure(workspace, figures, tree, side)
        size = bytes_in(str(tree))
    rows = [(what, f"{figures.second(what):.2f}", f"{figures.ratio(what):.2f}") for what in figures.seconds]
    goals = [
        Goal(
            "a folder as a project, first",
            "<= 3.5 x the job",
            f"{figures.ratio('autoflow, first'):.2f}",
            figures.ratio("autoflow, first") <= 3.5,
        ),
        Goal(
            "again, unchanged",
            "<= 0.25 x",
            f"{figures.ratio('autoflow, unchanged'):.2f}",
            figures.ratio("autoflow, unchanged") <= 0.25,
        ),
        Goal(
            "again, 1 % changed",
            "<= 0.3 x",
            f"{figures.ratio('autoflow, 1 % changed'):.2f}",
            figures.ratio("autoflow, 1 % changed") <= 0.3,
        ),
        Goal(
            "a version as a folder, by copy",
            "<= 4 x",
            f"{figures.ratio('autoflow, out by copy'):.2f}",
            figures.ratio("autoflow, out by copy") <= 4,
        ),
    ]
    if "restic, first" in figures.ratios:
        for what, peer in (("first", "first"), ("out by copy", "out")):
            times = figures.ratio(f"autoflow, {what}") / figures.ratio(f"restic, {peer}")
            goals.append(Goal(f"{what}: no slower than restic", "<= 1 x", f"{times:.2f}", times <= 1))
    whole, back = figures.ratio("autoflow, out by copy"), figures.ratio("autoflow, back to another version")
    share = back / whole
    goals.append(
        Goal("back to another version, 2 % of it changed", "<= 0.25 of all of it", f"{share:.2f}", share <= 0.25)
    )
    if WITH_DVC:
        faster = figures.ratio("DVC, unchanged") / figures.ratio("autoflow, unchanged")
        goals.append(Goal("again, unchanged: faster than DVC", ">= 8 x", f"{faster:.1f}", faster >= 8))
    words = "; ".join(f"{name}: {value}" for name, value in notes.items())
    publish(
        f"## Folders\n\n{machine()}; {IMAGES} images, {size / 1e9:.2f} GB; medians of {ROUNDS}; the job took "
        f"{statistics.median(figures.units):.2f} s. {words}\n\n{table(('what', 'seconds', 'times the job'), rows)}\n",
        goals,
    )


if __name__ == "__main__":
    main()
