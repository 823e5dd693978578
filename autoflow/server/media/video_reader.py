"""Decoding videos by PyAV, for the process of `media.worker`, which loads this file by its path.

Each video is opened by the demuxer of its own format alone: others, as those of playlists, open further addresses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL.Image import Image

av: Any = importlib.import_module("av")  # of the extra [media], so that type checkers run without it
TIMECODES = 200_000  # frames whose times are listed


def probe(file: BinaryIO, demuxer: str) -> dict[str, Any]:
    """Read the streams of a video, as their headers describe them."""
    with av.open(file, format=demuxer) as container:
        duration = container.duration / av.time_base if container.duration else 0.0
        return {
            "streams": [_describe(stream) for stream in container.streams if stream.type in {"video", "audio"}],
            "formatName": container.format.name,
            "duration": round(duration, 3),
        }


def _describe(stream: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "index": stream.index,
        "codecType": stream.type,
        "codecName": stream.codec_context.name,
        "duration": float(stream.duration * stream.time_base) if stream.duration else None,
        "startTime": float(stream.start_time * stream.time_base) if stream.start_time else 0,
    }
    if stream.type == "video":
        described.update(width=stream.codec_context.width, height=stream.codec_context.height, rotation=0)
        described.update(framesCount=stream.frames or None, framesToTimecodes=[])
    return described


def count(file: BinaryIO, demuxer: str) -> dict[str, Any]:
    """Read the streams of a video, count the frames of each, and list their times."""
    info = probe(file, demuxer)
    for described in info["streams"]:
        if described["codecType"] != "video":
            continue
        file.seek(0)
        with av.open(file, format=demuxer) as container:
            stream = container.streams[described["index"]]
            times = _times(container, stream)
            described["framesCount"] = len(times)
            if len(times) <= TIMECODES:
                described["framesToTimecodes"] = [round(float(time * stream.time_base), 6) for time in times]
            if described["duration"] is None:
                described["duration"] = info["duration"]
    return info


def _times(container: Any, stream: Any) -> list[int]:
    """Return the presentation times of the frames of a stream, which is read but not decoded."""
    return sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)


def frame(file: BinaryIO, demuxer: str, index: int, stream_index: int | None) -> Image:
    """Decode a frame.

    Raises:
        ValueError: the video has no such frame, or no stream of that number.
    """
    with av.open(file, format=demuxer) as container:
        stream = _video_stream(container, stream_index)
        if not index:
            time = None
        else:
            times = _times(container, stream)
            if index >= len(times):
                raise ValueError(f"it has {len(times)} frames, and no frame {index}")
            time = times[index]
            container.seek(time, stream=stream)
        stream.codec_context.thread_count = 1  # this process may not start threads
        for decoded in container.decode(stream):
            if time is None or (decoded.pts is not None and decoded.pts >= time):
                image: Image = decoded.to_image()
                return image
    raise ValueError("it has no frames")


def _video_stream(container: Any, index: int | None) -> Any:
    streams = [stream for stream in container.streams.video if index in {None, stream.index}]
    if not streams:
        raise ValueError("it has no such video stream")
    return streams[0]
