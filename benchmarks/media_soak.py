"""Hostile images beside a real Ghostscript: ``python benchmarks/media_soak.py`` (part of ``make soak``).

An EPS that Pillow would hand to Ghostscript is made an image by way of a team file, and previews of it are asked for
from many threads. No Ghostscript may run, and a healthy image must still have its preview.
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
import threading

from PIL import Image

from autoflow.errors import ServerRefused
from autoflow.server.server import Server
from autoflow.wire.parts import Part

ASKING = 42  # threads, each asking for several sizes
# An endless program: whoever runs it is still running when the check looks.
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 20\n%%EndComments\n{ } loop\n%%EOF\n"


def running(program: str) -> int:
    """The number of processes of a program."""
    count = 0
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as name:
                count += name.read().strip() == program
        except OSError:
            continue
    return count


def main() -> int:
    """Attack a server of its own; 0 when it held."""
    if shutil.which("gs") is None:
        print("Ghostscript is not installed (apt-get install ghostscript): hostile images were not soaked.")
        return 0
    before, wrong = running("gs"), []
    with tempfile.TemporaryDirectory() as folder:
        server = Server.open(folder)
        project = server.call("projects.add", {"workspaceId": 1, "name": "soak"})["id"]
        dataset = server.call("datasets.add", {"projectId": project, "name": "soak"})["id"]

        def image(name: str, data: bytes) -> int:
            parts = [Part("name", name), Part("path", "/"), Part("file", io.BytesIO(data), name, "image/png")]
            (file,) = server.upload("file-storage.bulk.upload", parts, {"teamId": 1})
            body = {"datasetId": dataset, "images": [{"title": name, "hash": file["hash"]}]}
            return int(server.call("images.bulk.add", body)[0]["id"])

        hostile, stream = image("hostile.png", EPS), io.BytesIO()
        Image.new("RGB", (40, 20)).save(stream, "PNG")
        healthy = image("healthy.png", stream.getvalue())

        def ask() -> None:
            for width in range(10, 20):
                try:
                    server.content("autoflow.previews", {"id": hostile, "width": width})
                    wrong.append("an EPS has a preview")
                except ServerRefused as refused:
                    wrong.extend([] if refused.status == 404 else [str(refused)])

        threads = [threading.Thread(target=ask) for _ in range(ASKING)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if server.content("autoflow.previews", {"id": healthy}).size == 0:
            wrong.append("a healthy image has no preview")
        server.close()
    if running("gs") > before:
        wrong.append("Ghostscript runs")
    print(f"{ASKING * 10} previews of an EPS beside Ghostscript: {wrong[0] if wrong else 'none was made, none ran'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
