"""A process that is killed while it makes a folder a project: the next one makes the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from autoflow.datasets.sync import from_folder
from autoflow.transport.embedded import EmbeddedTransport
from tests.api.conftest import DataApi
from tests.datasets.conftest import Projects, box, hash_of, png, write

# Kills itself at its n-th step of any kind: a call that changes something, or a write to the cache.
_KILLED = """
import os, signal, sys
from autoflow.datasets import cache_store, image_uploader, sync
from autoflow.transport.embedded import EmbeddedTransport
filling.IMAGES = 3
left = int(sys.argv[3])
def step():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
class Killed(EmbeddedTransport):
    def call(self, method, body, *, timeout=None):
        answer = super().call(method, body)
        step()
        return answer
    def upload(self, method, parts, query=None):
        answer = super().upload(method, parts, query)
        step()
        return answer
for name in ("keep", "drop", "note"):
    def around(self, *arguments, real=getattr(cache.Cache, name), **options):
        real(self, *arguments, **options)
        step()
    setattr(cache.Cache, name, around)
sync.from_folder(Killed(sys.argv[1]), sys.argv[2])
"""


def killed(home, folder, after):
    command = [sys.executable, "-c", _KILLED, str(home), str(folder), str(after)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode != 0


def fill(folder, shade):
    write(folder / "meta.json", {"classes": [{"title": "car", "shape": "any"}], "tags": []})
    for number in range(8):
        write(folder / "a" / "img" / f"{number}.png", png((number, shade, 0)))
        write(folder / "a" / "ann" / f"{number}.png.json", {"objects": [box(corners=((0, 0), (shade, number)))]})


def test_killed_at_any_step_the_next_run_makes_it_whole(tmp_path, folder):
    """The project equals the folder after the run that follows, and there is but one project with images."""
    home = tmp_path / "home"
    fill(folder, 1)
    steps = 0
    while killed(home, folder, steps):
        steps += 3
        fill(folder, 1 + steps)
        os.rename(folder / "a" / "img" / "7.png", folder / "a" / "img" / f"new{steps}.png")
    assert steps > 9
    transport = EmbeddedTransport(str(home))
    api = DataApi(transport)
    made = from_folder(transport, folder)
    content = Projects(api).content(made.id)
    images = {f"a:{path.name}": hash_of(path.read_bytes()) for path in (folder / "a" / "img").iterdir()}
    assert {key: value[0] for key, value in content.items()} == images
    assert content["a:3.png"][1][0]["points"]["exterior"][1] == [1 + steps, 3]
    filled = [project for project in api.project.get_list() if project.images_count]
    assert [project.id for project in filled] == [made.id]
    transport.close()
