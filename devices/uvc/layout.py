"""Structs and requests of /dev/videoN that cameras need. Source: `videodev2.h`, `v4l2-controls.h`, `uvcvideo.h` of Linux."""

from __future__ import annotations

import struct

from devices.kernel.request import exchanges, reads

CAPABILITY = struct.Struct("=16s32s32sIII12x")  # driver, card, bus, version, capabilities, device_caps
QUERY = struct.Struct("=II32sqqQqIIII16s128x")  # id, type, name, min, max, step, default, flags, …
CONTROL = struct.Struct("=II4xi4x")  # id, size, value
CONTROLS = struct.Struct("=IIIi8xQ")  # which, count, error_idx, request_fd, address
EXTENSION = struct.Struct("=BBBxHxxQ")  # unit, selector, query, size, address
CONTROLS_POINTER, EXTENSION_POINTER = 24, 8

QUERYCAP = reads("V", 0, CAPABILITY.size)
G_EXT_CTRLS = exchanges("V", 71, CONTROLS.size)
S_EXT_CTRLS = exchanges("V", 72, CONTROLS.size)
QUERY_EXT_CTRL = exchanges("V", 103, QUERY.size)
UVC_CTRL_QUERY = exchanges("u", 0x21, EXTENSION.size)

NEXT_CTRL = 0x80000000
DISABLED, GRABBED, READ_ONLY, WRITE_ONLY = 0x01, 0x02, 0x04, 0x40  # flags of a control
INTEGER, BOOLEAN, MENU = 1, 2, 3  # types we set
CLASS_TITLE = 6
VIDEO_CAPTURE = 0x1  # of device_caps
SET_CUR, GET_CUR, GET_LEN = 0x01, 0x81, 0x85  # UVC 1.5, table A-8

CAMERA = 0x009A0900
PAN_ABSOLUTE, TILT_ABSOLUTE, ZOOM_ABSOLUTE = CAMERA + 8, CAMERA + 9, CAMERA + 13
FOCUS_ABSOLUTE, ZOOM_CONTINUOUS = CAMERA + 10, CAMERA + 15
PAN_SPEED, TILT_SPEED = CAMERA + 32, CAMERA + 33
