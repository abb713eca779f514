"""What the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from devices import Found
from devices.capabilities import OPERATIONS
from devices.notices import ANSWERS, NOTICES
from devices.state import printable
from wire.devices import Connection, Device, DeviceResult, Property
from wire.problems import Notice

if TYPE_CHECKING:  # a tenth of a second to load: only for what prints a table
    from rich.console import Console, RenderableType
    from rich.text import Text

WIDE = 160  # columns where the output is no terminal
SOME = 8  # addresses named of those that were left out
NARROW = 100  # columns below which a row of a table would be letters below each other

UNNAMED = "device"  # id of a device that no room's file names: what role it would have is not known

COLORS = {Connection.ONLINE: "green", Connection.CONNECTING: "yellow", Connection.UNREACHABLE: "red"}


def console() -> Console:
    """Standard output, not cut to 80 columns where it is a file."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False)


def as_json(value: Any, *, line: bool = False) -> None:
    """One JSON document, or one line of a stream of them."""
    data = msgspec.json.encode(value)
    sys.stdout.write((data if line else msgspec.json.format(data, indent=2)).decode() + "\n")
    sys.stdout.flush()


def sentence(notice: Notice) -> str:
    """A notice in English with its next step."""
    words = NOTICES.get(notice.code) or ANSWERS.get(notice.code)
    if words is None:
        return notice.code
    return f"{words.en} {words.en_next}".format_map({"device": "it", "property": "what was asked", **notice.args})


def troubles(device: Device) -> list[Notice]:
    """All that is wrong with it, what to read first before the rest."""
    return [] if device.fault is None else [device.fault, *device.besides]


def value_in_words(one: Property) -> str:
    """`on`, `off → on` while a wish is not met, `~true` for what is only believed, with what remains."""
    said = one.reported if one.reported is not None else one.assumed
    text = "?" if said is None else _plain(said)
    if one.reported is None and one.assumed is not None:
        text = f"~{text}"
    if one.desired is not None and one.desired != one.reported:
        text += f" → {_plain(one.desired)}"
    if one.remaining is not None:
        text += f" ({one.remaining:.0f} s)"
    return text


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    return printable(str(value)) or "none"


def devices_table(devices: Iterable[Device], columns: int = WIDE) -> RenderableType:
    """Connection, model, and what each device says; below each other where `columns` are few."""
    from rich.text import Text

    now = time.time()
    rows = []
    for one in devices:
        says = ", ".join(f"{name} {value_in_words(value)}" for name, value in sorted(one.properties.items()))
        age = f" {now - one.last_seen:.0f} s ago" if one.last_seen and one.connection is not Connection.ONLINE else ""
        rows.append(
            {
                "device": Text(one.id),
                **({} if one.id == UNNAMED else {"role": Text(one.role.value)}),
                "driver": Text(one.driver),
                "connection": Text(one.connection.value + age, style=COLORS[one.connection]),
                "model": Text(printable(one.model)),
                "says": Text(says or printable(one.last_words) or _nothing(one)),
                "trouble": Text("\n".join(sentence(said) for said in troubles(one)), style="red"),
            }
        )
    return _laid_out(rows, columns)


def _nothing(device: Device) -> str:
    """Sensors speak when they have something to say."""
    return "nothing yet" if device.connection is Connection.ONLINE else ""


def found_table(found: Iterable[Found], columns: int = WIDE) -> RenderableType:
    """What a search found, with the settings to write. Whoever answered may have said anything: nothing is markup."""
    from rich.text import Text

    rows = []
    for one in found:
        settings = ", ".join(f"{name} = {_toml(value)}" for name, value in one.settings.items())
        said = {"driver": one.driver, "name": one.name, "model": one.model, "identity": one.identity}
        row = {title: Text(printable(text)) for title, text in said.items()}
        rows.append(row | {"settings": Text(printable(settings))})
    return _laid_out(rows, columns)


def left_out(elsewhere: Sequence[Found]) -> str:
    """Announcements that name an address on none of our networks, and how to try such a device all the same."""
    named = [f"{printable(one.elsewhere)} ({one.driver})" for one in elsewhere]
    more = f" and {len(named) - SOME} more" if len(named) > SOME else ""
    said = "1 announcement names" if len(named) == 1 else f"{len(named)} announcements name"
    return (
        f"{said} an address on none of this machine's networks, as a reflector carries them, and is left out: "
        f"{', '.join(named[:SOME])}{more}. Anybody can announce anything: once you know that such an address is right, "
        f"try it by hand with `roomctl devices probe --driver {elsewhere[0].driver} --set KEY=VALUE`."
    )


def _laid_out(rows: list[dict[str, Text]], columns: int) -> RenderableType:
    """A table; where there is no room for one, a block for each row without what is empty."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    if columns >= NARROW:
        table = Table()
        for title in rows[0] if rows else ():
            table.add_column(title, overflow="fold")
        for row in rows:
            table.add_row(*row.values())
        return table
    blocks: list[RenderableType] = []
    for row in rows:
        block = Table.grid(padding=(0, 2))
        for title, text in row.items():
            if text.plain:
                block.add_row(Text(title, style="bold"), text)
        blocks += [block, Text()]
    return Group(*blocks[:-1])


def _toml(value: object) -> str:
    return msgspec.toml.encode({"v": value}).decode().partition(" = ")[2].strip()


def result_in_words(result: DeviceResult) -> str:
    """One line."""
    parts = [result.outcome, result.code.value if result.code else "", result.detail]
    return ": ".join(part for part in parts if part)


def refusal_in_words(result: DeviceResult, device: Device, *, met: bool | None = None) -> str:
    """The result, and what to do: what is wrong with the device, or what else it can do. `met`: it reports it, or not."""
    said = result_in_words(result)
    if result.outcome == "unsupported":
        can = [name for name, one in OPERATIONS.items() if one.capability in device.capabilities]
        return f"{said}\nIt can: {', '.join(can) or 'nothing, it only reports'}."
    amiss = result.outcome != "done" or met is False
    return "\n".join([said, *(sentence(one) for one in troubles(device))]) if amiss else said
