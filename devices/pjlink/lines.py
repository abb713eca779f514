"""PJLink on the wire, without I/O: greeting, commands, replies.

Source: "PJLink Specifications" class 1 (1.04) and class 2 (2.00), JBMIA. A line is `%1POWR ?` + CR, its reply
`%1POWR=0` + CR; a reply's value is at most 128 bytes. Nothing here raises on bytes from the network.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

LONGEST = 136  # bytes of a line without its CR
MOST = 64  # lines read at once: one answers each question, and what is beyond is a flood
_GREETING = re.compile(rb"PJLINK (?:(0)|1 ([0-9A-Za-z]{1,32})|(ERRA)|2 ([0-9A-F]{32}))", re.IGNORECASE)
_REPLY = re.compile(rb"%([12])([A-Z0-9]{4})=([\x20-\x7e\x80-\xff]{0,128})", re.IGNORECASE)

_STARTS = (b"", b"%", b"P", b"p")  # first byte of a line

POWER = {"0": "off", "1": "on", "2": "cooling", "3": "warming"}


@dataclass(frozen=True)
class Greeting:
    """First line of a connection: `salt` when a password is needed, `refused` when ours was wrong."""

    salt: bytes = b""
    refused: bool = False
    random: bytes = b""  # of a device that was asked for SHA-256


@dataclass(frozen=True)
class Answer:
    """Reply to command `name`: `value` is `OK`, `ERR1`…`ERR4`, or what was asked."""

    name: str
    value: str


@dataclass(frozen=True)
class Junk:
    """A line that is neither."""

    data: bytes


Line = Greeting | Answer | Junk

STRONG = b"PJLINK 2\r"  # asks for SHA-256 after the greeting (2.10)
SEARCH = b"%2SRCH\r"
NEWS = ("LKUP", "ERST", "POWR", "INPT")  # what a class 2 device tells of itself over UDP
_NEWS = re.compile(rb"%2(LKUP|ERST|POWR|INPT)=([\x20-\x7e]{1,32})\r?\n?", re.IGNORECASE)
_FOUND = re.compile(rb"%2ACKN=((?:[0-9A-F]{2}[:-]){5}[0-9A-F]{2})\r?\n?", re.IGNORECASE)


def read_line(data: bytes) -> Line:
    """One line without its CR."""
    if found := _GREETING.fullmatch(data):
        return Greeting(found[2] or b"", found[3] is not None, bytes.fromhex((found[4] or b"").decode()))
    if found := _REPLY.fullmatch(data):
        return Answer(found[2].decode().upper(), found[3].decode("utf-8", "replace").strip())
    return Junk(data)


def read_news(data: bytes) -> Answer | None:
    """A notification (class 2, section 5): its name is one of `NEWS`; None for anything else."""
    found = _NEWS.fullmatch(data)
    return Answer(found[1].decode().upper(), found[2].decode()) if found else None


def read_found(data: bytes) -> str | None:
    """The hardware address in the answer to a search, like `00:11:22:aa:bb:cc`; None for anything else."""
    found = _FOUND.fullmatch(data)
    return found[1].decode().lower().replace("-", ":") if found else None


class LineReader:
    """Cuts a stream into lines, whatever the pieces; a line without end is dropped as junk."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[Line]:
        """Lines that ended with `data`; some devices end them with CR LF."""
        *whole, self._rest = (self._rest + data).replace(b"\n", b"").split(b"\r")
        lines = [read_line(line) for line in whole[:MOST] if line]
        lines += [Junk(b"".join(whole[MOST : MOST + 2])[:LONGEST])] if len(whole) > MOST else []
        if len(self._rest) > LONGEST or self._rest[:1] not in _STARTS:
            lines.append(Junk(self._rest[:LONGEST]))
            self._rest = b""
        return lines


def write(name: str, parameter: str, *, level: int = 1) -> bytes:
    """A command (`parameter` `?` asks), of protocol class `level`."""
    return f"%{level}{name} {parameter}\r".encode()


def digest(salt: bytes, password: str) -> bytes:
    """What goes before the first command: MD5 of salt and password, in hexadecimal (the protocol's choice)."""
    return hashlib.md5(salt + password.encode(), usedforsecurity=False).hexdigest().encode()


def strong_digest(theirs: bytes, ours: bytes, password: str) -> bytes:
    """The same with SHA-256 (2.10): our 16 random bytes, and the digest of both, one XOR the other, and the password."""
    mixed = bytes(one ^ other for one, other in zip(theirs, ours, strict=True))
    return (ours.hex() + hashlib.sha256((mixed.hex() + password).encode()).hexdigest()).encode()


def read_lamp_hours(value: str) -> int | None:
    """LAMP: hours of the most used lamp, None when it says none."""
    hours = [int(word) for word in value.split()[::2] if word.isascii() and word.isdigit() and len(word) < 8]
    return max(hours, default=None)


def read_mutes(value: str) -> tuple[bool, bool] | None:
    """AVMT: (sound muted, picture blank), None when it cannot be read."""
    if len(value) != 2 or value[0] not in "123" or value[1] not in "01":
        return None
    on = value[1] == "1"
    return on and value[0] in "23", on and value[0] in "13"
