"""Structs and requests as this machine's kernel headers have them, and the node on real system calls."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import struct
import subprocess
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import DeviceConfig
from devices.cec import layout as cec
from devices.emulators.hid import HidEmulator
from devices.emulators.uvc import UvcEmulator
from devices.errors import Lost, NotSupported, Refused, Rejected
from devices.hid import hidraw
from devices.kernel.failure import device_error
from devices.kernel.node import KernelNode, open_node
from devices.kernel.request import exchanges, reads, writes
from devices.kernel.socket import SocketNode
from devices.uvc import layout as uvc
from tests.devices.stage import nothing_left_behind, stage
from wire.devices import Connection, Role

EXPECTED = {
    "sizeof(struct cec_caps)": cec.CAPS.size,
    "sizeof(struct cec_log_addrs)": cec.LOG_ADDRS.size,
    "sizeof(struct cec_msg)": cec.MESSAGE.size,
    "offsetof(struct cec_msg, len)": 16,
    "offsetof(struct cec_msg, timeout)": 20,
    "offsetof(struct cec_msg, sequence)": 24,
    "offsetof(struct cec_msg, msg)": 32,
    "offsetof(struct cec_msg, reply)": 48,
    "offsetof(struct cec_msg, rx_status)": 49,
    "offsetof(struct cec_msg, tx_status)": 50,
    "offsetof(struct cec_log_addrs, num_log_addrs)": 7,
    "offsetof(struct cec_log_addrs, flags)": 12,
    "offsetof(struct cec_log_addrs, osd_name)": 16,
    "offsetof(struct cec_log_addrs, primary_device_type)": 31,
    "offsetof(struct cec_log_addrs, features)": 43,
    "CEC_ADAP_G_CAPS": cec.G_CAPS,
    "CEC_ADAP_G_PHYS_ADDR": cec.G_PHYS_ADDR,
    "CEC_ADAP_S_PHYS_ADDR": cec.S_PHYS_ADDR,
    "CEC_ADAP_G_LOG_ADDRS": cec.G_LOG_ADDRS,
    "CEC_ADAP_S_LOG_ADDRS": cec.S_LOG_ADDRS,
    "CEC_TRANSMIT": cec.TRANSMIT,
    "CEC_RECEIVE": cec.RECEIVE,
    "CEC_S_MODE": cec.S_MODE,
    "CEC_MODE_INITIATOR|CEC_MODE_FOLLOWER": cec.INITIATOR_AND_FOLLOWER,
    "CEC_CAP_TRANSMIT": cec.CAP_TRANSMIT,
    "CEC_LOG_ADDR_TYPE_PLAYBACK": cec.PLAYBACK_TYPE,
    "CEC_OP_PRIM_DEVTYPE_PLAYBACK": cec.PLAYBACK_DEVICE,
    "CEC_OP_ALL_DEVTYPE_PLAYBACK": cec.ALL_PLAYBACK,
    "CEC_LOG_ADDRS_FL_ALLOW_UNREG_FALLBACK": cec.FALL_BACK,
    "CEC_OP_CEC_VERSION_1_4": cec.VERSION_1_4,
    "CEC_TX_STATUS_OK": cec.TX_OK,
    "CEC_TX_STATUS_NACK": cec.TX_NACK,
    "CEC_RX_STATUS_OK": cec.RX_OK,
    "CEC_RX_STATUS_TIMEOUT": cec.RX_TIMEOUT,
    "CEC_RX_STATUS_FEATURE_ABORT": cec.RX_ABORT,
    "sizeof(struct hidraw_report_descriptor)": hidraw.DESCRIPTOR.size,
    "HIDIOCGRDESCSIZE": hidraw.GET_DESCRIPTOR_SIZE,
    "HIDIOCGRDESC": hidraw.GET_DESCRIPTOR,
    "HIDIOCGRAWNAME(256)": hidraw.GET_NAME,
    "HIDIOCGOUTPUT(3)": hidraw.get_output(3),
    "sizeof(struct v4l2_capability)": uvc.CAPABILITY.size,
    "sizeof(struct v4l2_query_ext_ctrl)": uvc.QUERY.size,
    "offsetof(struct v4l2_query_ext_ctrl, minimum)": 40,
    "offsetof(struct v4l2_query_ext_ctrl, default_value)": 64,
    "offsetof(struct v4l2_query_ext_ctrl, flags)": 72,
    "sizeof(struct v4l2_ext_control)": uvc.CONTROL.size,
    "offsetof(struct v4l2_ext_control, value)": 12,
    "sizeof(struct v4l2_ext_controls)": uvc.CONTROLS.size,
    "offsetof(struct v4l2_ext_controls, controls)": uvc.CONTROLS_POINTER,
    "sizeof(struct uvc_xu_control_query)": uvc.EXTENSION.size,
    "offsetof(struct uvc_xu_control_query, size)": 4,
    "offsetof(struct uvc_xu_control_query, data)": uvc.EXTENSION_POINTER,
    "VIDIOC_QUERYCAP": uvc.QUERYCAP,
    "VIDIOC_G_EXT_CTRLS": uvc.G_EXT_CTRLS,
    "VIDIOC_S_EXT_CTRLS": uvc.S_EXT_CTRLS,
    "VIDIOC_QUERY_EXT_CTRL": uvc.QUERY_EXT_CTRL,
    "UVCIOC_CTRL_QUERY": uvc.UVC_CTRL_QUERY,
    "V4L2_CTRL_FLAG_NEXT_CTRL": uvc.NEXT_CTRL,
    "V4L2_CTRL_TYPE_MENU": uvc.MENU,
    "V4L2_CAP_VIDEO_CAPTURE": uvc.VIDEO_CAPTURE,
    "UVC_GET_LEN": uvc.GET_LEN,
    "V4L2_CID_PAN_ABSOLUTE": uvc.PAN_ABSOLUTE,
    "V4L2_CID_TILT_ABSOLUTE": uvc.TILT_ABSOLUTE,
    "V4L2_CID_ZOOM_ABSOLUTE": uvc.ZOOM_ABSOLUTE,
    "V4L2_CID_FOCUS_ABSOLUTE": uvc.FOCUS_ABSOLUTE,
    "V4L2_CID_ZOOM_CONTINUOUS": uvc.ZOOM_CONTINUOUS,
    "V4L2_CID_PAN_SPEED": uvc.PAN_SPEED,
    "V4L2_CID_TILT_SPEED": uvc.TILT_SPEED,
}
HEADERS = (
    "linux/cec.h",
    "linux/cec-funcs.h",
    "linux/hidraw.h",
    "linux/videodev2.h",
    "linux/uvcvideo.h",
    "linux/usb/video.h",
)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler")
def test_structs_and_requests_are_those_of_the_kernel(tmp_path: Path) -> None:
    missing = [header for header in HEADERS if not Path("/usr/include", header).exists()]
    if missing:
        pytest.skip(f"no kernel headers: {missing}")
    includes = "".join(f"#include <{header}>\n" for header in ("stddef.h", "stdio.h", "sys/ioctl.h", *HEADERS))
    prints = "".join(f'printf("%llu\\n", (unsigned long long)({name}));\n' for name in EXPECTED)
    source = tmp_path / "layout.c"
    source.write_text(f"{includes}int main(void) {{\n{prints}return 0;\n}}\n")
    subprocess.run(["gcc", "-w", "-o", str(tmp_path / "layout"), str(source)], check=True, timeout=60)
    said = subprocess.run([str(tmp_path / "layout")], capture_output=True, check=True, text=True, timeout=10)
    assert dict(zip(EXPECTED, map(int, said.stdout.split()), strict=True)) == EXPECTED


async def test_a_request_of_this_kernel_is_answered() -> None:
    async with nothing_left_behind(), open_node("/dev/ptmx") as node:
        number, _ = await node.ioctl(reads("T", 0x30, 4))  # TIOCGPTN
        assert os.path.exists(f"/dev/pts/{struct.unpack('=I', number)[0]}")
        with pytest.raises(NotSupported):
            await node.ioctl(exchanges("a", 0, 76))  # it is no CEC adapter


async def test_the_address_of_a_buffer_is_put_where_the_kernel_looks_for_it() -> None:
    sock = socket.socket()
    node = KernelNode(os.dup(sock.fileno()), None, None)
    try:
        outer, inner = await node.ioctl(0x8912, struct.pack("=ixxxxQ", 400, 0), bytes(400), 8)  # SIOCGIFCONF
    finally:
        node.close()
        sock.close()
    assert struct.unpack_from("=i", outer)[0] >= 40
    assert inner[:3] == b"lo\0"


async def test_packets_come_by_themselves_until_the_other_end_goes() -> None:
    mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.setblocking(False)
    heard: list[bytes] = []
    came = asyncio.Event()

    def receive(data: bytes) -> None:
        heard.append(data)
        came.set()

    node = KernelNode(mine.detach(), receive, None)
    other.send(b"report")
    await came.wait()
    await node.write(b"light")
    assert (heard, other.recv(10)) == ([b"report"], b"light")
    other.close()
    with pytest.raises(Lost) as caught:
        await node.until_lost()
    assert caught.value.notice.code == "device.unplugged"
    node.close()


async def test_a_node_that_is_not_there_is_unplugged() -> None:
    with pytest.raises(Lost) as caught:
        async with open_node("/dev/hidraw250"):
            pass
    assert caught.value.notice.code == "device.unplugged"


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENODEV, Lost), (errno.EBUSY, Refused), (errno.EINVAL, NotSupported), (errno.EIO, Rejected)],
)
def test_what_error_numbers_mean(number: int, kind: type) -> None:
    assert type(device_error(OSError(number, "x"))) is kind


def test_a_request_too_large_for_its_number_is_refused() -> None:
    assert writes("a", 9, 4) == 0x40046109
    with pytest.raises(ValueError, match="16384"):
        reads("a", 0, 0x4000)


@pytest.mark.parametrize(
    ("driver", "role", "wrong"),
    [
        ("hid", Role.MUTE_BUTTON, UvcEmulator),
        ("uvc", Role.MAIN_CAMERA, HidEmulator),
        ("cec", Role.FRONT_DISPLAY, HidEmulator),
    ],
)
async def test_a_node_of_another_kind_is_said_to_be_one(
    driver: str, role: Role, wrong: type[HidEmulator] | type[UvcEmulator], tmp_path: Path
) -> None:
    async with (
        nothing_left_behind(),
        wrong(tmp_path / "node") as node,
        stage(DeviceConfig("x", role, driver, "X", {"node": node.address})) as room,
    ):
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.garbage")
        assert room.device.connection is Connection.UNREACHABLE


@given(st.lists(st.binary(max_size=64), max_size=20))
async def test_any_packets_on_the_socket_are_taken_or_left(packets: list[bytes]) -> None:
    heard: list[bytes] = []
    mine, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    mine.setblocking(False)
    node = SocketNode(mine, heard.append)
    waiting = asyncio.ensure_future(node.ioctl(reads("T", 0x30, 4)))
    await asyncio.sleep(0)
    for packet in packets:
        node._take(packet)
    node.close()
    other.close()
    await asyncio.gather(waiting, return_exceptions=True)
    assert heard == [packet[1:] for packet in packets if packet[:1] == b"D"]


async def test_a_node_that_opens_too_late_is_closed_and_holds_up_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, entered, closed = threading.Event(), threading.Event(), threading.Event()
    opened: list[int] = []
    real_open, real_close = os.open, os.close

    def slow(path: str, flags: int) -> int:
        entered.set()
        go.wait(20)
        opened.append(real_open("/dev/null", flags))
        return opened[-1]

    def close(file: int) -> None:
        real_close(file)
        if file in opened:
            closed.set()

    file = tmp_path / "node"
    file.touch()
    monkeypatch.setattr(os, "open", slow)
    monkeypatch.setattr(os, "close", close)

    async def hold() -> None:
        async with open_node(str(file)):
            pass

    waiting = [asyncio.create_task(hold()) for _ in range(40)]
    try:
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(entered.wait, 4)
            assert await asyncio.to_thread(lambda: "free") == "free"
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    finally:
        go.set()
    assert await asyncio.to_thread(closed.wait, 5)
