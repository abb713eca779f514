"""What a room says of its USB camera."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from devices.kernel.usb import NodeSettings
from devices.marks import WRITES

Bytes = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([0-9a-f]{2}){1,64}$", description="bytes in hexadecimal, small letters and no spaces, like '01ff'"
    ),
]
Number = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-4])$", description="the number of the position, from '0' to '254'"
    ),
]
Size = Annotated[
    str,
    msgspec.Meta(pattern=r"^[1-9]\d{1,3}x[1-9]\d{1,3}$", description="width and height in pixels, like '1280x720'"),
]


class Extension(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A control of a vendor's extension unit that switches auto-framing: what to write for on and off, in hexadecimal."""

    unit: Annotated[int, msgspec.Meta(ge=1, le=255)]
    selector: Annotated[int, msgspec.Meta(ge=1, le=255)]
    on: Bytes
    off: Bytes


class PictureFormat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the camera is asked for: `size` (`1280x720`), `rate` (pictures per second), `encoding`; else its usual ones.

    Over USB 2 many cameras give large pictures at full rate only as `mjpeg`.
    """

    size: Size | None = None
    rate: Annotated[int, msgspec.Meta(ge=1, le=120)] | None = None
    encoding: Literal["mjpeg", "yuyv422", "h264"] | None = None

    @property
    def options(self) -> dict[str, str]:
        """As FFmpeg's `v4l2` input calls them."""
        named = {"video_size": self.size, "framerate": self.rate, "input_format": self.encoding}
        return {name: str(value) for name, value in named.items() if value is not None}


class UvcSettings(NodeSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`controls`: values set at each connection, by name (`focus_automatic_continuous`, `exposure_time_absolute`).

    `presets`: number to name; `memory`: the file that keeps their places. `traverse`: seconds from one end to the other
    at full speed, for axes that go by steps.
    """

    controls: dict[str, int] = {}
    presets: dict[Number, str] = {}
    memory: Annotated[str, msgspec.Meta(extra_json_schema=WRITES)] | None = None
    traverse: Annotated[float, msgspec.Meta(ge=1, le=120)] = 8.0
    framing: Extension | None = None
    picture: PictureFormat = PictureFormat()
