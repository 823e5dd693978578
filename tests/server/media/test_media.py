"""Hostile image files: only known formats are opened, and decoding has bounds of memory, time and processes."""

from __future__ import annotations

import io
import os
import signal
import struct
import subprocess
import sys
import textwrap
import threading
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from autoflow.errors import ServerRefused
from autoflow.server.media import decoder as decoding
from autoflow.server.media import thumbnails
from autoflow.server.media.decoder import Undecodable, decoder
from autoflow.server.media.thumbnails import ThumbnailSpec, thumbnail
from autoflow.server.media.worker import MEMORY
from autoflow.server.methods.images import previews
from autoflow.server.server import Server
from tests.server.conftest import Filled


def encoded(form, mode="RGB", size=(40, 20), **options):
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, form, **options)
    return stream.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*chunks, size=(40, 20)):
    """A PNG of black pixels with chunks of one's own before them."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    row = b"\0" * (1 + 3 * size[0])
    packer = zlib.compressobj()
    data = b"".join(packer.compress(row) for _ in range(size[1])) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def small(data, **spec):
    spec = {"width": 10, "height": 10, **spec}
    mime, made = thumbnail(io.BytesIO(data), ThumbnailSpec(**spec))
    return mime, Image.open(io.BytesIO(made)).size


def worker():
    """The idle worker's process, started if there is none."""
    small(png())
    return decoder._idle[-1].process


GOOD = [
    *(("PNG", mode, {}) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")),
    *(("JPEG", mode, {}) for mode in ("L", "RGB", "CMYK")),
    ("JPEG", "RGB", {"progressive": True}),
    *(("TIFF", mode, {"compression": how}) for mode, how in (("RGB", None), ("L", "tiff_lzw"), ("F", None))),
    *((form, "RGB", {}) for form in ("BMP", "PPM", "JPEG2000", "WEBP", "AVIF", "MPO")),
    *((form, mode, {}) for form, mode in (("GIF", "P"), ("WEBP", "RGBA"))),
]


@pytest.mark.parametrize(("form", "mode", "options"), GOOD)
def test_the_formats_of_datasets_are_read(form, mode, options):
    """Each common format, of each kind of pixel, has a size and a thumbnail."""
    data = encoded(form, mode, **options)
    response = thumbnails.read_image_info(io.BytesIO(data))
    assert (response.width, response.height) == (40, 20)
    assert response.mime.startswith("image/")
    assert small(data)[1] == (10, 5)


def test_the_header_of_a_large_image_is_read():
    """An image that Pillow refuses to open for its size is stored like others; only its preview is refused."""
    data = bytearray(encoded("PNG", "1"))
    data[16:24] = struct.pack(">II", 20_000, 15_000)
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    assert thumbnails.read_image_info(io.BytesIO(data)) == ("image/png", 20_000, 15_000)


def test_of_an_animation_the_first_frame_is_shown():
    """A thousand frames cost no more than one."""
    for form in ("GIF", "WEBP", "PNG"):
        frames = [Image.new("RGB", (40, 20), (n, 0, 0)) for n in range(200)]
        stream = io.BytesIO()
        frames[0].save(stream, form, save_all=True, append_images=frames[1:])
        assert small(stream.getvalue())[1] == (10, 5)


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 40 20\n%%EndComments\n(%pipe%touch /tmp/x)(w) file\n%%EOF\n"
OTHERS = {
    "eps": EPS,
    "eps in binary": struct.pack("<IIIIIIIH", 0xC6D3D0C5, 32, len(EPS), 0, 0, 0, 0, 0xFFFF) + b"\0\0" + EPS,
    "pdf": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n",
    "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 20, 40, 8, 3) + bytes(100),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><script>1</script></svg>',
    **{form.lower(): encoded(form) for form in ("ICO", "TGA", "PCX", "SGI", "IM", "DDS", "ICNS")},
    "xbm": encoded("XBM", "1"),
    "wmf": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "fits": b"SIMPLE  =                    T".ljust(2880),
    "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(100),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_opened_by_nobody(tmp_path, monkeypatch, name):
    """Nothing but the formats named is tried, and no program is started: Ghostscript's place is taken by a witness."""
    witness = tmp_path / "started"
    for program in ("gs", "gswin32c", "gswin64c"):
        (tmp_path / program).write_text(f"#!/bin/sh\ntouch {witness}\n")
        (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    decoder.close()  # the next worker sees this PATH
    server = Server.open(tmp_path / "home")
    try:
        filled = Filled(server)
        assert thumbnails.read_image_info(io.BytesIO(OTHERS[name])) is None
        # a team file's hash can be made an image without any upload of an image
        content = filled.file("/x.png", OTHERS[name])["hash"]
        dataset = filled.dataset(filled.project())
        (image,) = filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "x.png", "hash": content}])
        for spec in ({}, {"width": 7, "resize": "force"}):
            with pytest.raises(ServerRefused) as refusal:
                server.content("autoflow.previews", {"id": image["id"], **spec})
            assert refusal.value.status == 404
    finally:
        server.close()
        decoder.close()
    assert not witness.exists()


def memory(pid, name="VmHWM"):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        (line,) = [line for line in status if line.startswith(name)]
    return int(line.split()[1]) * 1024


# Files are made where they are needed: together they take gigabytes.
BOMBS = {
    "png": lambda: png(size=(13_000, 13_000)),
    "gif": lambda: encoded("GIF", "L", (30_000, 30_000))[:200_000],
    "bilevel tiff": lambda: encoded("TIFF", "1", (13_000, 13_000), compression="group4"),
    "webp": lambda: encoded("WEBP", "RGB", (16_000, 11_000), method=0),
    "png text": lambda: png(*(chunk(b"zTXt", b"k%d\0\0" % n + zlib.compress(bytes(1_000_000))) for n in range(300))),
    "png icc": lambda: png(chunk(b"iCCP", b"i\0\0" + zlib.compress(bytes(200_000_000)))),
}


@pytest.mark.parametrize("name", BOMBS)
@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="memory is read from /proc")
def test_a_bomb_takes_bounded_memory(name):
    """Files of some hundred kilobytes that unfold to gigabytes stay in the worker's bounds, and it lives on."""
    data = BOMBS[name]()
    before = memory(os.getpid(), "VmRSS")
    process = worker()
    thumbnails.read_image_info(io.BytesIO(data))
    try:
        small(data)
    except Undecodable as refused:
        assert "decode" in str(refused)  # noqa: PT017 - either is right, by the memory that decoding takes
    if process.poll() is None:
        assert memory(process.pid) < MEMORY + 200 * 1024 * 1024
    assert memory(os.getpid(), "VmRSS") - before < 150 * 1024 * 1024
    assert small(png())[1] == (10, 5)


def test_a_large_photograph_has_a_preview():
    """A JPEG is decoded no larger than it has to be, so its pixels count for little."""
    assert small(encoded("JPEG", "RGB", (13_000, 13_000)), width=320, height=320)[1] == (320, 320)


def tiff_of_one_tag(count=12_000_000):
    tag = struct.pack("<HHII", 0x111, 4, count, 26)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + tag + bytes(4) + bytes(4 * count)


LONG_HEADERS = {
    "jpeg of segments": lambda: b"\xff\xd8" + b"".join(b"\xff\xe1\xff\xff" + bytes(65533) for _ in range(800)),
    "tiff of one tag": tiff_of_one_tag,
    "gif of comments": lambda: b"GIF89a\x28\0\x14\0\0\0\0" + (b"!\xfe\xff" + bytes([65] * 255) + b"\0") * 200_000,
    "ppm without end": lambda: b"P6\n#" + b"x" * 50_000_000,
}


@pytest.mark.parametrize("name", LONG_HEADERS)
def test_a_header_without_end_is_read_to_a_bound(name):
    """An upload is looked at in bounded memory, whatever its header declares."""
    file = io.BytesIO(LONG_HEADERS[name]())
    before = memory(os.getpid(), "VmRSS")
    thumbnails.read_image_info(file)
    assert memory(os.getpid(), "VmRSS") - before < 150 * 1024 * 1024


def test_what_is_no_regular_file_is_no_image(tmp_path):
    """A pipe or a device that a link names is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    for path in (str(tmp_path / "pipe"), "/dev/zero", str(tmp_path), str(tmp_path / "none")):
        assert thumbnails.read_image_info(path) is None


VALID = [encoded("PNG"), encoded("JPEG"), encoded("GIF", "P"), encoded("TIFF"), encoded("WEBP"), encoded("BMP")]


@settings(max_examples=150)
@given(data=st.data())
def test_damaged_files_raise_one_error(data):
    """Cut or changed bytes are an image or `Undecodable`, never anything else, and never end a worker for good."""
    content = bytearray(data.draw(st.sampled_from(VALID)))
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[position] = data.draw(st.integers(0, 255))
    cut = bytes(content[: data.draw(st.integers(0, len(content)))])
    thumbnails.read_image_info(io.BytesIO(cut))
    try:
        mime, _size = small(cut)
        assert mime in {"image/png", "image/jpeg"}
    except Undecodable as refused:
        assert str(refused)  # noqa: PT017 - damage may leave an image


def test_a_worker_that_dies_is_replaced():
    """An image whose decoding ends the process has no preview; the next one is served by a new process."""
    first = worker()
    first.kill()
    assert small(png())[1] == (10, 5)
    assert first.poll() is not None  # no zombie
    assert worker().pid != first.pid


def test_a_job_has_its_time(monkeypatch):
    """A worker that hangs is killed; here it is stopped, which no limit on processor time would end."""
    monkeypatch.setattr(decoding, "JOB_TIMEOUT", 0.3)
    hanging = worker()
    hanging.send_signal(signal.SIGSTOP)
    with pytest.raises(Undecodable, match="s to decode"):
        small(png())
    assert hanging.poll() is not None
    monkeypatch.undo()
    assert small(png())[1] == (10, 5)


def test_a_worker_has_no_secrets(monkeypatch):
    """Tokens of the environment do not reach the process that reads hostile files."""
    decoder.close()
    monkeypatch.setenv("API_TOKEN", "a-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    with open(f"/proc/{worker().pid}/environ", "rb") as environment:
        assert b"a-secret" not in environment.read()


@pytest.fixture
def jobs(monkeypatch):
    """The jobs that workers have started, each delayed a little."""
    started = []
    run = decoder.run

    def counting(job, descriptor):
        started.append(job)
        time.sleep(0.2)
        return run(job, descriptor)

    monkeypatch.setattr(decoder, "run", counting)
    monkeypatch.setattr(previews, "_thumbnails", previews.Thumbnails())
    return started


def test_requests_of_one_thumbnail_share_one_job(tmp_path, jobs):
    """However many ask at once, an image is decoded once; then it is remembered."""
    server = Server.open(tmp_path / "home")
    filled = Filled(server)
    number = filled.image(filled.dataset(filled.project()))["id"]
    answers = []
    asking = [
        threading.Thread(target=lambda: answers.append(server.content("autoflow.previews", {"id": number}).size))
        for _ in range(10)
    ]
    for entry in asking:
        entry.start()
    for entry in asking:
        entry.join()
    assert len(answers) == 10
    assert len(set(answers)) == 1
    assert len(jobs) == 1
    server.close()


def test_what_cannot_be_decoded_is_not_tried_again(tmp_path, jobs):
    """The refusal is remembered for the image, whatever size is asked for, and says why."""
    server = Server.open(tmp_path / "home")
    filled = Filled(server)
    content = filled.file("/x.png", png()[:60])["hash"]
    dataset = filled.dataset(filled.project())
    (image,) = filled.call("images.bulk.add", datasetId=dataset, images=[{"title": "x.png", "hash": content}])
    for width in range(5, 10):
        with pytest.raises(ServerRefused, match="cannot be decoded"):
            server.content("autoflow.previews", {"id": image["id"], "width": width})
    assert len(jobs) == 1
    server.close()


AFTER_FORK = """
    import io, os, sys
    from PIL import Image
    from autoflow.server.media.decoder import decoder
    from autoflow.server.media.thumbnails import thumbnail, ThumbnailSpec

    def pid():
        stream = io.BytesIO()
        Image.new("RGB", (40, 20)).save(stream, "PNG")
        stream.seek(0)
        assert thumbnail(stream, ThumbnailSpec(10, 10))[0] == "image/jpeg"
        return decoder._idle[-1].process.pid

    first = pid()
    child = os.fork()
    if not child:
        print(pid(), flush=True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert pid() == first
    print(first, flush=True)
    if "wait" in sys.argv:
        sys.stdin.read()
"""


def gone(pid):
    """Whether a process ends soon."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":  # its reaper is not this process
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("end", ["exit", "kill"])
def test_no_worker_outlives_its_process(end):
    """A forked child has a worker of its own; both workers end with their processes, by exit or by SIGKILL."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(AFTER_FORK), *(["wait"] if end == "kill" else [])]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        workers = {int(process.stdout.readline()) for _ in range(2)}
        if end == "kill":
            process.kill()
        _out, err = process.communicate(timeout=60)
        assert end == "kill" or (process.returncode, err) == (0, b"")
    assert len(workers) == 2
    assert all(map(gone, workers))
