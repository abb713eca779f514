"""A folder that looks like / to whoever reads sysfs: USB devices with their nodes, put in and pulled out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

CLASSES = {"hidraw": "hidraw", "video": "video4linux"}


@dataclass
class UsbTree:
    """Below `root`: sys and dev."""

    root: Path

    def add(
        self,
        usb: str,
        kind: str,
        node: str,
        *,
        serial: str = "",
        name: str = "Device",
        index: int = 0,
        descriptor: bytes = b"",
        interface: int = 0,
    ) -> None:
        """Plug a device in at `usb`, with one node; again for its other interfaces."""
        device = self.root / "sys/devices/pci0000:00/0000:00:14.0/usb1" / usb
        folder = (
            device
            / f"{usb}:1.{interface}"
            / ("0003:1209:0001.0001/hidraw" if kind == "hidraw" else "video4linux")
            / node
        )
        folder.mkdir(parents=True)
        texts = {"idVendor": "1209", "idProduct": "0001", "manufacturer": "Acme", "product": name, "serial": serial}
        for file, text in texts.items():
            if text:
                (device / file).write_text(f"{text}\n")
        (folder / "index").write_text(f"{index}\n")
        if kind == "hidraw":
            (folder.parent.parent / "report_descriptor").write_bytes(descriptor)
            (folder / "device").symlink_to(folder.parent.parent)
        listed = self.root / "sys/class" / CLASSES[kind]
        listed.mkdir(parents=True, exist_ok=True)
        (listed / node).symlink_to(folder)
        (self.root / "dev").mkdir(exist_ok=True)

    def remove(self, node: str) -> None:
        """Pull out the device of a node."""
        for entry in (self.root / "sys/class").glob(f"*/{node}"):
            shutil.rmtree(entry.resolve().parents[2])
            entry.unlink()


def usb_tree(root: Path) -> UsbTree:
    """An empty one."""
    return UsbTree(root)
