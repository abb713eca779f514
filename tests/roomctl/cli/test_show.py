"""What strangers on the network say cannot harm the terminal; narrow terminals stay readable."""

from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console, RenderableType

from devices import Found
from devices.notices import ANSWERS, NOTICES
from roomctl.cli import show
from roomctl.cli.show import devices_table, found_table
from wire.devices import Connection, Device, Property, Role
from wire.problems import Notice

HOSTILE = "[/red] [bold]x[/] \x1b]0;owned\x07 \x1b[2J"


def printed(what: RenderableType, columns: int) -> str:
    out = io.StringIO()
    Console(file=out, width=columns).print(what)
    return out.getvalue()


@pytest.mark.parametrize("code", [*NOTICES, *ANSWERS])
def test_each_code_is_said_in_words(code: str) -> None:
    args: dict[str, str | int | float] = {
        "property": "power",
        "inputs": "hdmi9",
        "there": "hdmi1",
        "sensors": "co2",
        "ports": "5",
    }
    said = show.sentence(Notice(code, args))
    assert said.startswith("it: ")
    assert said.endswith(".")
    assert code not in said


def device(**known: Property) -> Device:
    return Device(
        id="cam",
        role=Role.MAIN_CAMERA,
        driver="onvif",
        name="Caméra",
        connection=Connection.ONLINE,
        model=HOSTILE,
        properties={"input": Property(reported=HOSTILE), **known},
        last_words=HOSTILE,
    )


def test_what_a_device_says_is_neither_markup_nor_a_terminals_command() -> None:
    for columns in (60, 160):
        for what in (
            devices_table([device()], columns),
            found_table([Found("onvif", HOSTILE, HOSTILE, {"host": HOSTILE}, HOSTILE)], columns),
        ):
            said = printed(what, columns)
            assert "\x1b" not in said
            assert "\x07" not in said
            assert "[/red]" in said


def test_a_narrow_terminal_gets_blocks_instead_of_columns_of_letters() -> None:
    said = printed(devices_table([device(charge=Property(reported=100.0)), device()], 60), 60)
    assert "main_camera" in said
    assert "charge 100," in said
    assert max(len(line) for line in said.splitlines()) <= 60
    assert "trouble" not in said, "what is empty is left out"
    assert "┃" in printed(devices_table([device()], 160), 160)


def test_a_device_that_no_file_names_is_not_given_a_role() -> None:
    unnamed = msgspec.structs.replace(device(), id=show.UNNAMED)
    for columns in (60, 160):
        assert "main_camera" not in printed(devices_table([unnamed], columns), columns)


def test_an_empty_word_is_said_to_be_none() -> None:
    assert show.value_in_words(Property(reported="")) == "none"
