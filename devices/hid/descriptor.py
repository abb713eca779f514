"""Report descriptors: which bits of which report mean what. Source: Device Class Definition for HID 1.11, §6.2.2.

Every bound below is checked before memory is taken: any bytes in give a `ReportMap` or `BadDescriptor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

LONGEST = 4096  # bytes of a descriptor (HID_MAX_DESCRIPTOR_SIZE)
MOST_FIELDS = 4096
MOST_USAGES = 1024  # that one main item may list, one by one
LAST_USAGE = 0xFFFF  # of a page
MOST_BITS = 8 * 8192  # of one report
DEEPEST = 16  # pushes, and collections

LONG_ITEM = 0xFE
MAIN, GLOBAL, LOCAL = 0, 1, 2
COLLECTION, END_COLLECTION = 0xA, 0xC
CONSTANT, VARIABLE, RELATIVE, NO_PREFERRED = 1, 2, 4, 32  # bits of a main item


class BadDescriptor(ValueError):
    """The bytes describe no reports."""


class Kind(Enum):
    """Which way a report goes; the value is the main item's tag (§6.2.2.4)."""

    INPUT = 0x8
    OUTPUT = 0x9
    FEATURE = 0xB


@dataclass(frozen=True)
class Field:
    """`size` bits from bit `offset` of a report (its number not counted): one usage, or one of several (`usages`).

    A usage is its page << 16 | its number. With one usage the value says it; with several (an array) the value less
    `minimum` is the index of the usage that is active. `stays`: it has no state that it falls back to (No Preferred).
    """

    kind: Kind
    report: int
    offset: int
    size: int
    usages: Sequence[int]
    minimum: int = 0
    relative: bool = False
    array: bool = False
    stays: bool = False

    def reads(self, body: bytes, usage: int) -> int:
        """What a report's body (without its number) says of `usage`: its value, or 1 when an array names it; else 0."""
        value = int.from_bytes(body, "little") >> self.offset & ((1 << self.size) - 1)
        if self.array:
            index = value - self.minimum
            return int(0 <= index < len(self.usages) and self.usages[index] == usage)
        if self.minimum < 0 and value >> (self.size - 1):
            value -= 1 << self.size
        return value if usage in self.usages else 0

    def fits(self, body: bytes) -> bool:
        """The body is long enough to say it."""
        return len(body) * 8 >= self.offset + self.size


@dataclass(frozen=True)
class ReportMap:
    """All fields of a device, and each report's length in bits. Reports of a `numbered` device begin with their number."""

    fields: tuple[Field, ...]
    bits: dict[tuple[Kind, int], int]
    numbered: bool

    def find(self, kind: Kind, usage: int) -> Field | None:
        """The first field of a usage."""
        return next((one for one in self.fields if one.kind is kind and usage in one.usages), None)

    def length(self, kind: Kind, report: int) -> int:
        """Bytes of a report's body."""
        return (self.bits.get((kind, report), 0) + 7) // 8

    def split(self, data: bytes) -> tuple[int, bytes]:
        """Number and body of a report as hidraw gives it."""
        return (data[0], data[1:]) if self.numbered and data else (0, data)


@dataclass(frozen=True)
class _Globals:
    page: int = 0
    minimum: int = 0
    size: int = 0
    count: int = 0
    report: int = 0


@dataclass
class _Parser:
    state: _Globals = _Globals()
    stack: list[_Globals] = field(default_factory=list)
    usages: list[int] = field(default_factory=list)
    lowest: int | None = None
    highest: int | None = None
    depth: int = 0
    fields: list[Field] = field(default_factory=list)
    bits: dict[tuple[Kind, int], int] = field(default_factory=dict)
    numbered: bool = False

    def main(self, tag: int, value: int) -> None:
        if tag == COLLECTION:
            self.depth += 1
            if self.depth > DEEPEST:
                raise BadDescriptor("collections are too deep")
        elif tag == END_COLLECTION:
            if self.depth == 0:
                raise BadDescriptor("a collection ends that never began")
            self.depth -= 1
        elif tag in (Kind.INPUT.value, Kind.OUTPUT.value, Kind.FEATURE.value):
            self.add(Kind(tag), value)
        self.usages, self.lowest, self.highest = [], None, None  # local items last until a main item (§6.2.2.8)

    def add(self, kind: Kind, flags: int) -> None:
        now, usages = self.state, self.listed()
        start = self.bits.get((kind, now.report), 0)
        end = start + now.size * now.count
        if end > MOST_BITS:
            raise BadDescriptor("a report is too long")
        self.bits[kind, now.report] = end
        if flags & CONSTANT or not usages or not now.size:
            return
        if len(self.fields) + now.count > MOST_FIELDS:
            raise BadDescriptor("too many fields")
        for index in range(now.count):
            array = not flags & VARIABLE
            one = usages if array else (usages[min(index, len(usages) - 1)],)  # the last repeats (§6.2.2.8)
            place = start + index * now.size
            relative, stays = bool(flags & RELATIVE), bool(flags & NO_PREFERRED)
            self.fields.append(Field(kind, now.report, place, now.size, one, now.minimum, relative, array, stays))

    def listed(self) -> Sequence[int]:
        if self.lowest is None or self.highest is None:
            return tuple(self.usages)
        usages = range(self.lowest, self.highest + 1)
        return (*self.usages, *usages[:MOST_USAGES]) if self.usages else usages

    def globally(self, tag: int, value: int, size: int, raw: bytes) -> None:
        match tag:
            case 0x0:
                self.state = replace(self.state, page=value & 0xFFFF)
            case 0x1:
                self.state = replace(self.state, minimum=int.from_bytes(raw, "little", signed=True))
            case 0x7:
                if value > 32:
                    raise BadDescriptor("a field has more than 32 bits")
                self.state = replace(self.state, size=value)
            case 0x8:
                if not 0 < value < 256:
                    raise BadDescriptor("report numbers are 1 to 255")
                self.state, self.numbered = replace(self.state, report=value), True
            case 0x9:
                self.state = replace(self.state, count=value)
            case 0xA:
                if len(self.stack) >= DEEPEST:
                    raise BadDescriptor("too many pushes")
                self.stack.append(self.state)
            case 0xB:
                if not self.stack:
                    raise BadDescriptor("a pop without a push")
                self.state = self.stack.pop()

    def locally(self, tag: int, value: int, size: int) -> None:
        usage = value if size == 4 else self.state.page << 16 | value
        if tag == 0x0:
            self.usages.append(usage)
        elif tag == 0x1:
            self.lowest = usage
        elif tag == 0x2:
            self.highest = usage
            if self.lowest is not None and not 0 <= usage - self.lowest <= LAST_USAGE:
                raise BadDescriptor("a range of usages ends before it begins, or on another page")
        if len(self.usages) > MOST_USAGES:
            raise BadDescriptor("too many usages")


def parse(data: bytes) -> ReportMap:
    """The reports that a descriptor describes; raises BadDescriptor."""
    if len(data) > LONGEST:
        raise BadDescriptor("too long")
    parser, at = _Parser(), 0
    while at < len(data):
        at = _item(parser, data, at)
    if parser.depth:
        raise BadDescriptor("a collection never ends")
    return ReportMap(tuple(parser.fields), parser.bits, parser.numbered)


def _item(parser: _Parser, data: bytes, at: int) -> int:
    """One item; returns where the next begins."""
    prefix = data[at]
    if prefix == LONG_ITEM:  # §6.2.2.3: none is defined
        if at + 2 >= len(data):
            raise BadDescriptor("it ends within an item")
        return at + 3 + data[at + 1]
    size = (0, 1, 2, 4)[prefix & 3]
    raw = data[at + 1 : at + 1 + size]
    if len(raw) < size:
        raise BadDescriptor("it ends within an item")
    value, tag = int.from_bytes(raw, "little"), prefix >> 4
    match prefix >> 2 & 3:
        case 0:
            parser.main(tag, value)
        case 1:
            parser.globally(tag, value, size, raw)
        case 2:
            parser.locally(tag, value, size)
    return at + 1 + size
