"""What a device is for, what it was asked, and what it last said."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec

from wire.problems import Code, Notice

Value = str | int | float | bool | None


class Role(StrEnum):
    """What a device is for in a room. Scenes and pages name roles, never models."""

    FRONT_DISPLAY = "front_display"
    SECOND_DISPLAY = "second_display"
    MAIN_CAMERA = "main_camera"
    ROOM_MIC = "room_mic"
    ROOM_SPEAKER = "room_speaker"
    CONTENT_INPUT = "content_input"
    MUTE_BUTTON = "mute_button"
    OCCUPANCY_SENSOR = "occupancy_sensor"
    AIR_SENSOR = "air_sensor"
    UPS = "ups"
    NETWORK_SWITCH = "network_switch"
    ROOM_COMPUTER = "room_computer"


class Connection(StrEnum):
    """Whether we can talk with the device."""

    CONNECTING = "connecting"
    ONLINE = "online"
    UNREACHABLE = "unreachable"


class Property(msgspec.Struct, frozen=True, omit_defaults=True):
    """One property (`power`, `volume`, `mute`, `preset`, `input`…) of a device.

    `desired` is what was asked; `reported` what the device said, at `observed_at` (Unix seconds); `assumed` is what we
    believe without its word. `remaining` seconds until a slow change is done, of `total` (warm-up, cool-down).
    """

    desired: Value = None
    reported: Value = None
    assumed: Value = None
    observed_at: float | None = None
    remaining: float | None = None
    total: float | None = None


class Device(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device of a room as its agent sees it. `capabilities` like `power`, `ptz`, `presets`, `volume`, `mute`."""

    id: str
    role: Role
    driver: str
    name: str
    connection: Connection = Connection.CONNECTING
    capabilities: list[str] = []
    properties: dict[str, Property] = {}
    presets: dict[str, str] = {}  # preset number -> name
    inputs: list[str] = []  # names for `select_input`
    axes: list[str] = []  # of `ptz`: which of `pan_tilt` and `zoom` it moves; none named: both
    model: str = ""
    last_seen: float | None = None  # Unix seconds
    last_words: str = ""  # the last thing it said, printable, ≤ 200 characters
    fault: Notice | None = None  # what is wrong with it; of several the one to read first
    besides: list[Notice] = []  # what else is wrong with it


Outcome = Literal["done", "accepted", "superseded", "unsupported", "timed_out", "failed"]


class DeviceResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one device command: partial failure is data."""

    device: str
    op: str
    outcome: Outcome
    code: Code | None = None
    retryable: bool = False
    detail: str = ""


class DeviceCommand(msgspec.Struct, frozen=True, omit_defaults=True):
    """One command to a device by role. `op` like `set_power`, `set_volume`, `set_mute`, `recall_preset`, `move`, `stop`."""

    role: Role
    op: str
    args: dict[str, Value] = {}
