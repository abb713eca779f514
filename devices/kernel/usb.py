"""Which node belongs to which USB device, read from sysfs: by its place (`1-3.2`: bus, ports) and its serial number.

Node numbers change with every replug and restart; place and serial do not. `root` is `/` but for tests.
"""

from __future__ import annotations

import asyncio
import posixpath
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.errors import Lost

CLASSES = {"hidraw": "sys/class/hidraw", "video": "sys/class/video4linux"}
MOST = 256  # nodes looked at
DEEPEST = 12  # folders between a node and its USB device
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Port = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{1,3}-\d{1,3}(\.\d{1,3}){0,6}$",
        description="the place of the device, its bus and its ports, like '1-3.2' (`roomctl devices discover` shows it)",
    ),
]


class NodeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`node`: a path that stays (`/dev/v4l/by-path/…`); or `usb` (place, as `1-3.2`) or `serial`, or both of them."""

    node: Text | None = None
    usb: Port | None = None
    serial: Text | None = None
    root: Text = "/"  # where dev and sys are found

    @property
    def which(self) -> str:
        """The device that is meant: its node, else its place, else its serial number."""
        return posixpath.normpath(self.node) if self.node else f"usb {self.usb or self.serial}"

    def only(self, kind: str) -> str:
        """What one device may use: a node, or all nodes of a kind that a USB device has, which may have other kinds too.

        One that is plugged in and has a single node is known by that, however it is named (blocking for a moment).
        """
        if self.node is None:
            nodes = [one.node for one in _nodes_of(kind, self)]
            return f"node {nodes[0]}" if len(nodes) == 1 else f"{kind} {self.which}"
        return f"node {self.which}"


@dataclass(frozen=True)
class UsbNode:
    """A node of a USB device. `index`: its number among those of one function (0: the first)."""

    node: str
    usb: str
    vendor: int
    product: int
    serial: str
    name: str
    index: int

    @property
    def settings(self) -> dict[str, Any]:
        """What to write in the room's configuration."""
        return {"usb": self.usb, "serial": self.serial} if self.serial else {"usb": self.usb}

    @property
    def identity(self) -> str:
        """The same wherever it is plugged in, when it has a serial number."""
        return f"{self.vendor:04x}:{self.product:04x}:{self.serial or self.usb}"


def usb_nodes(kind: str, root: str = "/") -> list[UsbNode]:
    """Every node of a kind (`hidraw`, `video`) that belongs to a USB device (blocking)."""
    folder = Path(root) / CLASSES[kind]
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: (len(entry.name), entry.name))[:MOST]
    except OSError:
        return []
    found = (_usb_node(entry, Path(root)) for entry in entries)
    return [one for one in found if one is not None]


def check(config: DeviceConfig, settings: NodeSettings) -> None:
    """Raises DeviceSettingsError when no device is named."""
    if settings.node is None and settings.usb is None and settings.serial is None:
        remedy = "Give `usb` or `serial` as `roomctl devices discover` shows them, or a path in `node`."
        raise DeviceSettingsError([Mistake(config.id, "settings.node, usb, serial", "none is given", remedy)])


async def path_of(kind: str, settings: NodeSettings, fits: Callable[[UsbNode], bool] = lambda node: True) -> str:
    """Where the node of a device is now; raises Lost when it is not plugged in.

    `fits` chooses among the nodes of a device that has several (its interfaces); it may block.
    """
    if settings.node is not None:
        return settings.node
    if (node := await asyncio.to_thread(_node_of, kind, settings, fits)) is None:
        raise Lost("no such USB device is plugged in", code="device.unplugged")
    return node.node


def _node_of(kind: str, settings: NodeSettings, fits: Callable[[UsbNode], bool]) -> UsbNode | None:
    nodes = _nodes_of(kind, settings)
    return next((one for one in nodes if fits(one)), nodes[0] if nodes else None)


def _nodes_of(kind: str, settings: NodeSettings) -> list[UsbNode]:
    return [
        one
        for one in usb_nodes(kind, settings.root)
        if one.index == 0 and settings.usb in (None, one.usb) and settings.serial in (None, one.serial)
    ]


def _usb_node(entry: Path, root: Path) -> UsbNode | None:
    folder = entry.resolve()
    index = _text(folder / "index") or "0"
    for _ in range(DEEPEST):
        folder = folder.parent
        if (folder / "idVendor").exists():
            break
    else:
        return None
    vendor, product = _text(folder / "idVendor"), _text(folder / "idProduct")
    try:
        numbers = int(vendor, 16), int(product, 16), int(index)
    except ValueError:
        return None
    name = " ".join(word for word in (_text(folder / "manufacturer"), _text(folder / "product")) if word)
    node = str(root / "dev" / entry.name)
    return UsbNode(node, folder.name, numbers[0], numbers[1], _text(folder / "serial"), name, numbers[2])


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(256).decode(errors="replace").strip()
    except OSError:
        return ""
