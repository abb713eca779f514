"""What the kernel's error numbers mean for a device. Source: errno(3), and the kernel's pages on V4L2, CEC and hidraw."""

from __future__ import annotations

import errno

from devices.errors import DeviceError, Lost, NotSupported, Refused, Rejected

GONE = frozenset({errno.ENODEV, errno.ENOENT, errno.ENXIO, errno.ESHUTDOWN, errno.ECONNREFUSED, errno.ECONNRESET})
CLOSED_TO_US = frozenset({errno.EBUSY, errno.EACCES, errno.EPERM})
UNKNOWN = frozenset({errno.EINVAL, errno.ENOTTY, errno.ENOSYS, errno.EPIPE, errno.EOPNOTSUPP})


def device_error(error: OSError) -> DeviceError:
    """The same in the words of drivers."""
    if error.errno in GONE:
        return Lost(str(error), code="device.unplugged")
    if error.errno in CLOSED_TO_US:
        return Refused(str(error))
    if error.errno in UNKNOWN:
        return NotSupported(str(error))
    return Rejected(str(error), retryable=True)
