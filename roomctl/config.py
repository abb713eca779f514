"""What one room's agent is told: frozen, read from one TOML file per room.

    [room]    id, name, seats, equipment          [center]  id, name, latitude, longitude, …
    [server]  url, key_file                       [pages]   bind, port
    [media]   mode = "agent" | "display", source = "test_picture" | "camera"  [answer]  auto, after
    [[devices]] id, role, driver, name, [devices.settings]
    [[follow]]  when = { role, property, value | above | below, for, phases }, then = { scene | notice | command }
    data = "folder", standby_after = 600, device_retry = 30

Relative paths are taken from the file's folder.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from devices.config import DeviceConfig
from devices.marks import READS, WRITES, holds_login, marked
from devices.registry import Registry
from roomctl.errors import ConfigError
from roomctl.follow import MOST, Rule
from roomctl.rules import Equipment, wrongs
from wire import places
from wire.devices import Role

RoomId = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=64,
        description="small letters and digits, in words joined by hyphens, like 'lln-lauzelle'",
    ),
]
Seconds = Annotated[float, Meta(ge=0, le=86400)]
Retry = Annotated[float, Meta(ge=1, le=300)] | None
"""Longest pause, in seconds, before a lost device is tried again; None: 30, and 120 once it was away for a quarter of an hour."""


class ServerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`url`: the server's base address (http, https, ws or wss). `key_file`: the agent's Ed25519 key (PEM)."""

    url: str
    key_file: str


class PageSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where panel and display are served. Whoever reaches a panel has the rights of its room, hence loopback."""

    bind: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=1, le=65535)] = 7881
    names: tuple[str, ...] = ()  # host names it may be reached by, besides addresses and localhost


class MediaSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Who speaks for the room, never both: the `agent` publishes `source`, or the `display` page does.

    `camera` is the picture of the room's main camera (RTSP, ONVIF or USB); it brings no sound.
    """

    mode: Literal["agent", "display"] = "display"
    source: Literal["test_picture", "camera"] = "test_picture"
    volume: Annotated[float, Meta(ge=0, le=1)] = 0.5  # of the room when a meeting begins, until someone sets it


class AnswerSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """`auto`: answer by itself, `after` seconds of chime with Decline on the panel."""

    auto: bool = False
    after: Seconds = 5.0


class RoomConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """Everything the agent of one room is told. `data`: where it keeps what must survive a restart."""

    room: places.Room
    center: places.Center
    server: ServerSettings
    data: str
    pages: PageSettings = PageSettings()
    media: MediaSettings = MediaSettings()
    answer: AnswerSettings = AnswerSettings()
    devices: tuple[DeviceConfig, ...] = ()
    follow: tuple[Rule, ...] = ()
    standby_after: Seconds = 600.0
    device_retry: Retry = None
    demo: bool = False


class _RoomTable(Struct, forbid_unknown_fields=True):
    """The `[room]` table: `wire.places.Room` without the center, which has its own table."""

    id: RoomId
    name: str
    seats: Annotated[int, Meta(ge=1, le=1000)]
    equipment: places.Equipment = "meeting"


class Problem(NamedTuple):
    """One thing wrong in the file beyond what the types of its values say; `code` is stable."""

    key: str
    problem: str
    remedy: str
    code: str = "config.wrong"


class RoomFile(Struct, forbid_unknown_fields=True):
    """The file as it is written."""

    room: _RoomTable
    center: places.Center
    server: ServerSettings
    data: str
    pages: PageSettings = PageSettings()
    media: MediaSettings = MediaSettings()
    answer: AnswerSettings = AnswerSettings()
    devices: tuple[DeviceConfig, ...] = ()
    follow: tuple[Rule, ...] = ()
    standby_after: Seconds = 600.0
    device_retry: Retry = None


def read_config(path: Path, known: Registry | None = None) -> RoomConfig:
    """The configuration in a TOML file, by the drivers installed. Raises ConfigError naming the file, the key and the remedy."""
    try:
        file = msgspec.toml.decode(path.read_bytes().removeprefix(BOM_UTF8), type=RoomFile)  # some editors write one
    except OSError as error:
        raise ConfigError(
            path, "the file", f"cannot be read ({error.strerror})", "check --config and its rights"
        ) from error
    except msgspec.ValidationError as error:
        raise _explained(path, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ConfigError(path, "the file", f"is no TOML ({error})", "correct the line named") from error
    known = known or Registry.installed()  # once: a package may block while it loads
    for one in _problems(file, known):
        raise ConfigError(path, one.key, one.problem, one.remedy)
    folder = path.resolve().parent
    room = places.Room(file.room.id, file.room.name, file.center.id, file.room.seats, file.room.equipment)
    server = ServerSettings(file.server.url, str(folder / file.server.key_file))
    return RoomConfig(
        room=room,
        center=file.center,
        server=server,
        data=str(folder / file.data),
        pages=file.pages,
        media=file.media,
        answer=file.answer,
        devices=tuple(at_home(one, folder, known) for one in file.devices),
        follow=file.follow,
        standby_after=file.standby_after,
        device_retry=file.device_retry,
    )


def at_home(device: DeviceConfig, folder: Path, known: Registry) -> DeviceConfig:
    """A device with the paths of its files taken from the folder of the room's file."""
    driver = known.driver(device.driver)
    if driver is None:
        return device
    named = [one for mark in (READS, WRITES) for one in marked(device.settings, driver.manifest.settings, mark)]
    found = {at[0]: str(folder / value) for at, value in named if len(at) == 1 and isinstance(value, str)}
    return msgspec.structs.replace(device, settings={**device.settings, **found}) if found else device


def _explained(path: Path, error: msgspec.ValidationError) -> ConfigError:
    """Msgspec says `Expected … - at `$.room.seats``; say the key first, and name fields that are missing or surplus."""
    text = str(error)
    where = re.search(r" - at `\$\.?(?P<key>[^`]*)`", text)
    problem = text[: where.start()] if where else text
    key = where["key"] if where else ""
    named = re.search(r"(?P<what>unknown|missing required) field `(?P<field>[^`]+)`", problem)
    if named is not None:
        key = f"{key}.{named['field']}" if key else named["field"]
        unknown = named["what"] == "unknown"
        said = ("is no setting", "remove or correct it") if unknown else ("is missing", "add it")
        return ConfigError(path, key, *said)
    return ConfigError(
        path, key or "the file", f"is wrong: {problem}", "correct it (roomctl/config.py lists every key)"
    )


def _problems(file: RoomFile, known: Registry) -> Iterator[Problem]:
    yield from problems_of_server(file.server.url)
    yield from problems_of_media(file.media, file.devices, known)
    yield from problems_of_rules(msgspec.to_builtins(file.follow), Equipment.named(one.role for one in file.devices))


def problems_of_server(url: str) -> Iterator[Problem]:
    """What is wrong with the server's address, though it is text."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "ws", "wss") or not parts.hostname:
        said = "" if holds_login(url) else f": {url!r}"
        yield Problem("server.url", f"is no address{said}", "write it like https://rooms.example.org")


def problems_of_media(
    media: MediaSettings, devices: Sequence[DeviceConfig], known: Registry, *, whole: bool = True
) -> Iterator[Problem]:
    """What is wrong with the picture's source in a room with these devices; `whole`: they are all it has."""
    if media.source != "camera":
        return
    if media.mode != "agent":
        remedy = 'write mode = "agent" for a room whose agent is to send it, or remove source'
        yield Problem("media.source", "is 'camera', but the display page speaks for this room", remedy)
    remedy = "give the role main_camera to a camera with pictures (rtsp, onvif or uvc), or remove source"
    camera = next((device for device in devices if device.role is Role.MAIN_CAMERA), None)
    if camera is None:
        if whole:
            yield Problem("media.source", "is 'camera', but no device of the room is its main_camera", remedy)
        return
    driver = known.driver(camera.driver)
    if driver is not None and (known.apart(camera.driver) or "video" not in driver.capabilities()):
        problem = f"is 'camera', but {camera.id} (driver {camera.driver}) gives the agent no pictures"
        yield Problem("media.source", problem, remedy)


def problems_of_rules(rules: Sequence[Any], room: Equipment) -> Iterator[Problem]:
    """What is wrong with each rule, as a table."""
    if len(rules) > MOST:
        yield Problem("follow", f"has {len(rules)} rules", f"keep at most {MOST}")
    for number, rule in enumerate(rules[:MOST]):
        for one in wrongs(rule, room) if isinstance(rule, Mapping) else ():
            key = ".".join((f"follow[{number}]", *(str(part) for part in one.key)))
            yield Problem(key, one.problem, one.remedy, one.code)
