"""Pictures from a V4L2 node, decoded on a thread of their own; nothing here touches the event loop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from devices.errors import Lost
from devices.rtsp.capture import Progress

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

OPEN, READ = 5.0, 2.0  # seconds until the node is open, and until the next picture
FORMAT = "v4l2"  # FFmpeg's name of the kernel's camera interface


def capture(
    path: str,
    stop: threading.Event,
    offer: Callable[[VideoFrame], None],
    form: str = FORMAT,
    options: dict[str, str] | None = None,
) -> None:
    """Offer each picture until `stop` is set, then close the node; raises Lost when it ends.

    `form`: where FFmpeg takes pictures from, with `options` of that input. FFmpeg waits in the kernel for a picture: who
    calls notices when a camera sends none (`devices/rtsp/feed.py`).
    """
    import av  # FFmpeg is loaded by the first capture, on its thread

    try:
        with av.open(path, format=form, options=options or {}, timeout=(OPEN, READ)) as container:
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            progress = Progress(time.monotonic())
            for packet in container.demux(stream):
                if stop.is_set():
                    return
                if progress.stalled(packet.pts, time.monotonic()):
                    raise Lost("the picture stands still", code="device.no_picture")
                for frame in packet.decode():
                    offer(frame)
    except (av.error.FFmpegError, ValueError, IndexError) as error:  # ValueError: a build without this input
        raise Lost(f"no picture: {error}", code="device.no_picture") from None
    raise Lost("the pictures ended", code="device.no_picture")
