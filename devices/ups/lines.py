"""Lines of the NUT protocol, read without a socket. Source: Network UPS Tools Developer Guide, 9 "Network protocol"."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 4096  # bytes of a line
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPE = re.compile(r"\\(.)")
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f]")
TROUBLES = {
    "low": "device.battery_low",
    "battery": "device.on_battery",
    "off": "device.supply_off",
    "overload": "device.overload",
    "bypass": "device.bypass",
}
_KEYWORDS = {"BEGIN", "END", "VAR", "UPS", "ERR", "OK"}


@dataclass(frozen=True)
class Line:
    """The words of a line, quotes taken off."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class Junk:
    """What came is not NUT; nothing after it can be read."""

    data: bytes


class LineReader:
    """Lines out of a stream. After Junk nothing more is read."""

    def __init__(self) -> None:
        self._rest = b""
        self._broken = False

    def feed(self, data: bytes) -> list[Line | Junk]:
        """Every line that is whole now."""
        found: list[Line | Junk] = []
        if self._broken:
            return found
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            found.append(one := read(line.rstrip(b"\r")))
            if isinstance(one, Junk):
                self._broken = True
                return found
        if len(self._rest) > LONGEST or _CONTROL.search(self._rest):
            self._broken = True
            found.append(Junk(self._rest[:LONGEST]))
        return found


def read(line: bytes) -> Line | Junk:
    """One line."""
    try:
        text = line.decode()
    except UnicodeDecodeError:
        return Junk(line)
    words = tuple(_ESCAPE.sub(r"\1", quoted) if quoted else plain for quoted, plain in _WORD.findall(text))
    if len(line) > LONGEST or _CONTROL.search(line) or not words or words[0] not in _KEYWORDS:
        return Junk(line)
    return Line(words)


def supply(status: str) -> str | None:
    """What `ups.status` means for those behind it (Network UPS Tools Developer Guide, 3.4 "Status data"); None: not said.

    The worst for them first: `off`, it gives no power (whatever its battery does); `low`, there will be none in a moment;
    `battery`; `overload`; `bypass`, the mains pass by it and nothing protects from a cut; `line`.
    """
    flags = set(status.split())
    if "OFF" in flags:
        return "off"
    if "FSD" in flags or {"OB", "LB"} <= flags:
        return "low"
    for flag, word in (("OB", "battery"), ("OVER", "overload"), ("BYPASS", "bypass"), ("OL", "line")):
        if flag in flags:
            return word
    return None


def tells(status: str) -> bool:
    """The supply is heard: a driver that waits for its first word says `WAIT`."""
    return bool(set(status.split()) - {"WAIT"})


def trouble(status: str) -> str | None:
    """The code of what people should know of a status."""
    flags, word = set(status.split()), supply(status)
    if word in TROUBLES:
        return TROUBLES[word]
    return next(
        (code for flag, code in (("ALARM", "device.alarm"), ("RB", "device.replace_battery")) if flag in flags), None
    )


def number(text: str | None) -> float | None:
    """A measured value, None when it is none; never negative, never endless."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if 0 <= value < 1e7 else None
