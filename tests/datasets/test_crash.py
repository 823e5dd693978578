"""Recovery of an import that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from autoflow.datasets import staging
from autoflow.datasets.export import to_folder
from autoflow.datasets.sync import from_folder
from autoflow.transport.embedded import EmbeddedTransport
from tests.api.conftest import DataApi
from tests.datasets.conftest import Projects, box, hash_of, png, write

# Kills itself after n steps; a step is a request or a write to the cache.
_KILLED = """
import os, signal, sys
from autoflow.datasets import cache_store, image_uploader, sync
from autoflow.transport.embedded import EmbeddedTransport
image_uploader.MAX_IMAGES = 3
remaining = int(sys.argv[3])
def step():
    global remaining
    remaining -= 1
    if remaining < 0:
        os.kill(os.getpid(), signal.SIGKILL)
class KilledTransport(EmbeddedTransport):
    def call(self, method, body, *, timeout=None):
        response = super().call(method, body)
        step()
        return response
    def upload(self, method, parts, query=None):
        response = super().upload(method, parts, query)
        step()
        return response
for name in ("store", "remove", "update_state"):
    def around(self, *arguments, real=getattr(cache_store.Cache, name), **options):
        real(self, *arguments, **options)
        step()
    setattr(cache_store.Cache, name, around)
sync.from_folder(KilledTransport(sys.argv[1]), sys.argv[2])
"""


def import_killed(home, folder, after):
    command = [sys.executable, "-c", _KILLED, str(home), str(folder), str(after)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode in {0, -signal.SIGKILL}, process.stderr
    return process.returncode != 0


def fill(folder, shade):
    write(folder / "meta.json", {"classes": [{"title": "car", "shape": "any"}], "tags": []})
    for number in range(8):
        write(folder / "a" / "img" / f"{number}.png", png((number, shade, 0)))
        write(folder / "a" / "ann" / f"{number}.png.json", {"objects": [box(corners=((0, 0), (shade, number)))]})


def test_the_next_import_completes_a_killed_one(tmp_path, folder):
    """After a kill at any step the project equals the folder, and only one project has images."""
    home = tmp_path / "home"
    fill(folder, 1)
    steps = 0
    while import_killed(home, folder, steps):
        steps += 3
        fill(folder, 1 + steps)
        os.rename(folder / "a" / "img" / "7.png", folder / "a" / "img" / f"new{steps}.png")
    assert steps > 9
    transport = EmbeddedTransport(str(home))
    api = DataApi(transport)
    project = from_folder(transport, folder)
    content = Projects(api).content(project.id)
    images = {f"a:{path.name}": hash_of(path.read_bytes()) for path in (folder / "a" / "img").iterdir()}
    assert {key: value[0] for key, value in content.items()} == images
    assert content["a:3.png"][1][0]["points"]["exterior"][1] == [1 + steps, 3]
    assert [entry.id for entry in api.project.get_list() if entry.images_count] == [project.id]
    transport.close()


_RESTORED = """
import os, signal, sys
from autoflow.datasets import export
from autoflow.transport.embedded import EmbeddedTransport
def kill(done, total):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
export.to_folder(EmbeddedTransport(sys.argv[1]), int(sys.argv[2]), sys.argv[3], progress=kill)
"""


def test_the_next_restore_removes_what_a_killed_one_left(tmp_path, folder):
    """Its hidden folder, but not that of a restore that is at work; names as long as there can be are restored to."""
    home, targets = tmp_path / "home", tmp_path / "targets"
    write(folder / "a.csv", "a")
    transport = EmbeddedTransport(str(home))
    version = DataApi(transport).project.version.create(from_folder(transport, folder).id)
    command = [sys.executable, "-c", _RESTORED, str(home), str(int(version)), str(targets / "out")]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    (orphan,) = targets.iterdir()
    with staging.staging_folder(str(targets)) as working:
        assert not orphan.exists()
        to_folder(transport, version, targets / ("\N{LEMON}" * 63))
        assert os.path.isdir(working)
    assert [path.name for path in targets.iterdir()] == ["\N{LEMON}" * 63]
    transport.close()
