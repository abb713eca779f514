"""Pictures from an RTSP camera, decoded on a thread of their own; nothing here touches the event loop.

FFmpeg (PyAV) is loaded by the first capture, on its thread: a command that shows no picture does without.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from devices.errors import DeviceError, Lost, WrongPassword
from devices.rtsp.passage import Passage, passage

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

CONNECT = 5.0  # seconds until the stream is open
STALL = 2.0  # seconds without a picture that is later than the one before

# RTSP and RTP in one TCP connection, and nothing else: neither files nor HTTP nor TLS; where it goes, `gate.py` says
OPTIONS = {"rtsp_transport": "tcp", "protocol_whitelist": "tcp"}

Offer = Callable[["VideoFrame"], None]


class Progress:
    """Whether pictures go on: a camera may repeat one for ever, or send nothing, and keep its connection."""

    def __init__(self, now: float) -> None:
        self._last: int | None = None
        self._at = now

    def stalled(self, stamp: int | None, now: float) -> bool:
        """Note a picture of presentation time `stamp`; True when none was later for too long. `now` in seconds."""
        if stamp is not None and (self._last is None or stamp != self._last):
            self._last, self._at = stamp, now
        return now - self._at > STALL


def with_login(url: str, login: tuple[str, str]) -> str:
    """The address with name and password, as FFmpeg wants it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    name, password = (quote(text, safe="") for text in login)
    return urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}")) if name else url


def without_login(url: str) -> tuple[str, tuple[str, str]]:
    """The inverse of `with_login`: the address, and name and password."""
    parts = urlsplit(url)
    login = (unquote(parts.username or ""), unquote(parts.password or ""))
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), login


def capture(url: str, stop: threading.Event, offer: Offer) -> None:
    """Offer each picture until `stop` is set, then close the session; raises Lost or WrongPassword when it ends.

    Over TCP, decoded by this one thread. A stop is noticed with the next picture, after `STALL` at the latest.
    """
    address, login = without_login(url)
    try:
        with passage(address, login) as way:
            _capture(way, stop, offer)
    except OSError as error:
        raise _no_picture(error.strerror or type(error).__name__) from None


def _capture(way: Passage, stop: threading.Event, offer: Offer) -> None:
    import av

    try:
        with av.open(way.url, options=OPTIONS, timeout=(CONNECT, STALL)) as container:
            if not container.streams.video:
                raise _no_picture("the stream has no video")
            stream = container.streams.video[0]
            stream.codec_context.thread_count = 1
            progress = Progress(time.monotonic())
            for packet in container.demux(stream):
                if stop.is_set():
                    return
                if progress.stalled(packet.pts, time.monotonic()):
                    raise _no_picture("the picture stands still")
                for frame in packet.decode():
                    offer(frame)
    except av.error.HTTPUnauthorizedError:
        raise WrongPassword("the camera refuses our name or password") from None
    except av.error.FFmpegError as error:
        elsewhere = "the camera sends us to another address" if way.elsewhere else ""
        raise _no_picture(elsewhere or error.strerror or type(error).__name__) from None
    raise _no_picture("the stream ended")


def _no_picture(why: str) -> DeviceError:
    return Lost(why, code="device.no_picture")
