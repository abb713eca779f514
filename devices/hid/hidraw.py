"""Requests of /dev/hidrawN. Source: `include/uapi/linux/hidraw.h`."""

from __future__ import annotations

import struct

from devices.errors import Garbage
from devices.hid.descriptor import BadDescriptor, ReportMap, parse
from devices.kernel.node import Node
from devices.kernel.request import exchanges, reads

NAME_LENGTH = 256
DESCRIPTOR = struct.Struct("<I4096s")
GET_DESCRIPTOR_SIZE = reads("H", 0x01, 4)
GET_DESCRIPTOR = reads("H", 0x02, DESCRIPTOR.size)
GET_NAME = reads("H", 0x04, NAME_LENGTH)


def get_output(length: int) -> int:
    """HIDIOCGOUTPUT for a report of `length` bytes, its number included (Linux 5.11)."""
    return exchanges("H", 0x0C, length)


async def read_name(node: Node) -> str:
    """Maker and product."""
    name, _ = await node.ioctl(GET_NAME)
    return name.split(b"\0", 1)[0].decode(errors="replace")


async def read_descriptor(node: Node) -> ReportMap:
    """What the device's reports mean; raises Garbage."""
    size, _ = await node.ioctl(GET_DESCRIPTOR_SIZE)
    if len(size) != 4:
        raise Garbage("the report descriptor has no size")
    answer, _ = await node.ioctl(GET_DESCRIPTOR, size)
    if len(answer) != DESCRIPTOR.size:
        raise Garbage("the report descriptor came in part")
    length, value = DESCRIPTOR.unpack(answer)
    try:
        return parse(value[:length])
    except BadDescriptor as error:
        raise Garbage(str(error)) from error
