"""`roomctl check`: every mistake of a file with its line and remedy, then its devices."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest

from devices.config import CODES
from devices.emulators import PjlinkEmulator, ViscaEmulator
from devices.marks import SECRET
from roomctl.cli import mistakes
from roomctl.cli.fields import HIDDEN, of_struct
from roomctl.cli.lines import lines_of
from roomctl.keys import AgentKey
from tests.roomctl.cli.command import roomctl
from tests.roomctl.cli.test_devices import CLOSED, room_file, table
from tests.roomctl.test_config import GOOD


@pytest.fixture(autouse=True)
def agent_key(tmp_path: Path) -> None:
    """The key that the rooms' files name."""
    AgentKey.generate().write(tmp_path / "agent.key")


WRONG = """\
data = "data"
standby_after = "ten minutes"
[room]
id = "lln-lauzelle"
name = "Lauzelle"
seats = 12
equipment = "bord"
[center]
id = "lln"
name = "Louvain-la-Neuve"
latitude = 50.668
longitude = 4.614
[server]
url = "https://rooms.example.org"

[[devices]]
id = "camera"
role = "main_camera"
driver = "visca"
name = "Camera"
settings = { hots = "10.0.0.5" }

[[devices]]  # the second
id = "projector"
role = "front_display"
driver = "teleport"
name = "Projector"
[devices.settings]
host = "10.0.0.6"
"""


async def test_every_mistake_is_named_with_file_line_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text(WRONG)
    ran = await roomctl("check", "--config", str(path))
    assert ran.status == 2
    said = ran.out.splitlines()
    expected = [
        (2, "standby_after", "Write a number, without quotes.", "config.wrong"),
        (7, "room.equipment", "Did you mean 'board'?", "config.wrong"),
        (13, "server.key_file", 'Add key_file = "text in quotes" here.', "config.missing"),
        (21, "devices[0].settings.host", 'Add host = "text in quotes" here.', "config.missing"),
        (21, "devices[0].settings.hots", "Did you mean 'host'?", "config.unknown"),
        (26, "devices[1].driver", "Use one of:", "config.driver_unknown"),
    ]
    assert len(said) == len(expected), ran.out
    for line, (number, key, remedy, code) in zip(said, expected, strict=True):
        assert line.startswith(f"{path}:{number}: {key}")
        assert remedy in line
        assert line.endswith(f"[{code}]")


@pytest.mark.parametrize(
    ("second", "key", "code"),
    [
        (table("camera", "second_display", "pjlink", CLOSED), "devices[1].id", "config.id_twice"),
        (table("other", "main_camera", "pjlink", CLOSED), "devices[1].role", "config.role_twice"),
        (table("other", "second_display", "visca", CLOSED), "devices[1].settings.host", "config.address_twice"),
    ],
)
def test_what_two_devices_may_not_share_is_said_at_the_second(tmp_path: Path, second: str, key: str, code: str) -> None:
    path = Path(room_file(tmp_path, table("camera", "main_camera", "visca", CLOSED), second))
    config, found, _ = mistakes.read(path)
    assert config is None
    assert [(one.code, one.key.startswith(key)) for one in found] == [(code, True)]
    first = path.read_text().splitlines().index("[[devices]]") + 1
    assert found[0].line > first + 7


@pytest.mark.parametrize(
    ("old", "new", "line", "code"),
    [
        ("seats = 12", "seats = ", 6, "config.no_toml"),
        ("[answer]", "[anwser]", 18, "config.unknown"),
        ('url = "https://rooms.example.org"', 'url = "rooms"', 14, "config.wrong"),
        ("auto = true", 'auto = "yes"', 19, "config.wrong"),
    ],
)
def test_single_mistakes(tmp_path: Path, old: str, new: str, line: int, code: str) -> None:
    path = tmp_path / "room.toml"
    path.write_text(GOOD.replace(old, new))
    assert path.read_text() != GOOD
    _, found, _ = mistakes.read(path)
    assert (found[0].line, found[0].code) == (line, code), found
    assert all(one.remedy.endswith((".", "?")) and one.code in CODES for one in found)


@pytest.mark.parametrize(
    "url", ["rtsp://admin:hunter2@10.0.0.7/s", "rtsp:/admin:hunter2@cam", "rtsp://a:hun/ter2:hunter2@cam/"]
)
async def test_a_password_in_an_address_is_not_shown(tmp_path: Path, url: str) -> None:
    path = tmp_path / "room.toml"
    device = '[[devices]]\nid = "c"\nrole = "main_camera"\ndriver = "rtsp"\nname = "C"\n[devices.settings]\n'
    path.write_text(f'{WRONG.split("[[devices]]")[0].replace("https://", "ftp://u:hunter2@")}{device}url = "{url}"\n')
    for options in ((), ("--json",)):
        ran = await roomctl("check", "--offline", "--config", str(path), *options)
        assert ran.status == 2
        assert "hunter2" not in ran.out + ran.err
        assert "server.url is no address" in ran.out or options
        assert "may hold a password" in ran.out
        assert "without name and password" in ran.out, "the remedy is still said"


class Secrets(msgspec.Struct):
    """Settings that nobody is shown."""

    word: Annotated[str, msgspec.Meta(pattern="^x$", extra_json_schema={**SECRET, "description": "a word"})] = "x"
    choice: Annotated[Literal["a", "b"], msgspec.Meta(extra_json_schema=SECRET)] | None = None
    short: Annotated[str, msgspec.Meta(max_length=3, extra_json_schema=SECRET)] = ""


def test_the_value_of_a_secret_is_not_shown() -> None:
    said = {"word": "hunter2", "choice": "hunter2", "short": "hunter2"}
    found = {one.key: one.problem for one in of_struct(said, Secrets, (), lines_of(""))}
    assert found == {
        "word": HIDDEN,
        "choice": HIDDEN,
        "short": "has to have at most 3 characters",
    }


def test_a_quote_that_is_not_closed_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text('data = "data\n[room]\n')
    _, (mistake,), _ = mistakes.read(path)
    assert (mistake.line, mistake.problem) == (1, "is no TOML: the line ends within a text")
    assert "quote" in mistake.remedy


def test_what_may_be_left_out_has_its_choices_named_where_it_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    rule = """
[[follow]]
when = { role = "main_camera", property = "power", value = "off" }
then = { scene = "standbye" }
"""
    path.write_text(GOOD + rule)
    _, (mistake,), _ = mistakes.read(path)
    assert mistake.key == "follow[0].then.scene"
    assert "Did you mean 'standby'?" in mistake.remedy


def test_a_source_without_pictures_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "room.toml"
    path.write_text(GOOD.replace('mode = "agent"', 'mode = "agent"\nsource = "camera"'))
    (one,) = mistakes.read(path)[1]
    assert (path.read_text().splitlines()[one.line - 1], one.key) == ('source = "camera"', "media.source")
    assert "gives the agent no pictures" in one.problem
    assert one.remedy.startswith("Give the role main_camera to a camera with pictures")


def test_a_missing_file_is_one_mistake(tmp_path: Path) -> None:
    _, found, _ = mistakes.read(tmp_path / "nothing.toml")
    assert [(one.line, one.code) for one in found] == [(0, "config.unreadable")]


async def test_a_right_file_is_tried_on_its_devices_without_changing_them(tmp_path: Path) -> None:
    async with ViscaEmulator() as cam, PjlinkEmulator() as pj:
        file = room_file(
            tmp_path,
            table("camera", "main_camera", "visca", cam.address),
            table("projector", "front_display", "pjlink", pj.address),
        )
        ran = await roomctl("check", "--config", file)
        assert ran.status == 0, ran
        assert "no mistake found" in ran.out
        assert "roomctl Emulator" in ran.out
        assert cam.commands == []
        assert pj.commands == []
        pj.fault("unplugged")
        ran = await roomctl("check", "--config", file, "--json")
        assert ran.status == 3
        assert ran.json["mistakes"] == []
        assert [one["connection"] for one in ran.json["devices"]] == ["online", "unreachable"]
        assert (await roomctl("check", "--config", file, "--offline")).status == 0


async def test_a_display_in_standby_that_does_not_know_its_inputs_is_said_to(tmp_path: Path) -> None:
    async with PjlinkEmulator() as pj:
        file = room_file(tmp_path, table("projector", "front_display", "pjlink", pj.address))
        known = pj.inputs
        for inputs, power, said in (({}, "off", True), (known, "off", False), (known, "on", False)):
            pj.inputs, pj.power = inputs, power
            ran = await roomctl("check", "--config", file)
            assert ran.status == 0, ran
            assert ("projector: it is in standby; which inputs it has is known only" in ran.out) is said


def test_lines_are_found_in_every_way_to_write_toml() -> None:
    lines = lines_of(
        'a = 1\n[t]\n"b c" = """\n[no]\nd = 1\n"""\nlist = [\n  1,\n  # no = 1\n]\n'
        '[[x]]\ny = 1\n[[x]]\n[x.z]\nw = { in = 1, out = "a, b = 2" }\nd.e = 1\n'
    )
    assert lines.of(("a",)) == 1
    assert lines.of(("t", "b c")) == 3
    assert lines.of(("t", "list")) == 7
    assert lines.of(("t", "d")) == 2, "inside a text: its table"
    assert lines.of(("x", 0, "y")) == 12
    assert lines.of(("x", 1, "y")) == 13
    assert lines.of(("x", 1, "z", "w", "out")) == 15
    assert lines.of(("x", 1, "z", "w", "b")) == 15
    assert lines.of(("x", 1, "z", "d", "e")) == 16
    assert lines.of(("nothing",)) is None
