"""Numbers of ioctl requests, as `include/uapi/asm-generic/ioctl.h` makes them: direction, size, type and number."""

from __future__ import annotations

WRITE, READ = 1, 2  # seen from the program
LARGEST = 0x3FFF  # bytes that a request number can say


def _number(direction: int, kind: str, number: int, size: int) -> int:
    if not 0 <= size <= LARGEST:
        raise ValueError(f"no request has {size} bytes")
    return direction << 30 | size << 16 | ord(kind) << 8 | number


def reads(kind: str, number: int, size: int) -> int:
    """The kernel fills `size` bytes."""
    return _number(READ, kind, number, size)


def writes(kind: str, number: int, size: int) -> int:
    """The kernel takes `size` bytes."""
    return _number(WRITE, kind, number, size)


def exchanges(kind: str, number: int, size: int) -> int:
    """The kernel takes and fills `size` bytes."""
    return _number(READ | WRITE, kind, number, size)


def size_of(request: int) -> int:
    """Bytes of a request's argument."""
    return request >> 16 & LARGEST
