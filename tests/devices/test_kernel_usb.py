"""USB devices below a folder that looks like sysfs: which node is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from devices.errors import Lost
from devices.kernel.usb import NodeSettings, path_of, usb_nodes
from tests.devices.usbtree import UsbTree, usb_tree


@pytest.fixture
def usb(tmp_path: Path) -> UsbTree:
    tree = usb_tree(tmp_path)
    tree.add("1-2", "video", "video0", serial="A", name="Cam", index=1)
    tree.add("1-3.2", "video", "video2", serial="A", name="Cam")
    tree.add("1-4", "video", "video10", serial="B", name="Cam")
    tree.add("1-5", "video", "video4")
    return tree


@pytest.mark.parametrize(
    ("settings", "node"),
    [
        ({"serial": "A"}, "video2"),  # not the metadata node of the other one
        ({"serial": "B"}, "video10"),
        ({"usb": "1-4"}, "video10"),
        ({"usb": "1-4", "serial": "B"}, "video10"),
        ({"usb": "1-4", "serial": "A"}, None),  # another camera sits there
        ({"usb": "1-2"}, None),
        ({"serial": "C"}, None),
        ({"usb": "1-5"}, "video4"),
    ],
)
async def test_a_device_is_told_by_its_place_and_serial(
    usb: UsbTree, settings: dict[str, str], node: str | None
) -> None:
    wanted = NodeSettings(**settings, root=str(usb.root))
    if node is None:
        with pytest.raises(Lost) as caught:
            await path_of("video", wanted)
        assert caught.value.notice.code == "device.unplugged"
    else:
        assert await path_of("video", wanted) == str(usb.root / "dev" / node)


async def test_a_node_that_is_named_is_taken_as_it_is() -> None:
    assert await path_of("hidraw", NodeSettings(node="/dev/hidraw9")) == "/dev/hidraw9"


def test_nodes_are_listed_in_order_with_what_the_device_says_of_itself(usb: UsbTree) -> None:
    found = usb_nodes("video", str(usb.root))
    assert [Path(one.node).name for one in found] == ["video0", "video2", "video4", "video10"]
    assert (found[1].vendor, found[1].product, found[1].name) == (0x1209, 1, "Acme Cam")
    assert found[1].identity == "1209:0001:A"
    assert found[2].settings == {"usb": "1-5"}


def test_what_belongs_to_no_usb_device_is_left_out(usb: UsbTree, tmp_path: Path) -> None:
    virtual = tmp_path / "sys/devices/virtual/video4linux/video7"
    virtual.mkdir(parents=True)
    (tmp_path / "sys/class/video4linux/video7").symlink_to(virtual)
    (tmp_path / "sys/class/video4linux/video8").symlink_to(tmp_path / "gone")
    assert len(usb_nodes("video", str(tmp_path))) == 4


@pytest.mark.parametrize("root", ["/nonexistent", "/proc/self"])
def test_a_machine_without_such_nodes_has_none(root: str) -> None:
    assert usb_nodes("hidraw", root) == []
