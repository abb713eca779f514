"""The VISCA table of quirks, each with the emulator behaving so, over real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest

from devices.channel import Channel
from devices.context import Context
from devices.emulators import ViscaEmulator
from devices.errors import Rejected
from devices.timing import Timing
from devices.visca import frames
from devices.visca.link import Taken, ViscaLink
from tests.devices.stage import QUICK, camera, stage
from wire.problems import Code


async def test_a_camera_without_header_is_found_out() -> None:
    async with ViscaEmulator(header=False) as cam, stage(camera(cam.address)) as room:
        await room.online()
        assert (await room.do("set_power", on=False)).outcome == "done"
        assert not cam.power


async def test_a_preset_is_reported_when_the_camera_arrived_not_when_asked() -> None:
    async with ViscaEmulator(recall_time=0.3) as cam, stage(camera(cam.address, presets={"4": "Table"})) as room:
        assert (await room.online()).presets == {"4": "Table"}
        assert (await room.do("recall_preset", preset=4)).outcome == "accepted"
        wish = room.property("preset")
        assert (wish.desired, wish.reported) == (4, None)
        await room.shows("preset", 4)
        assert cam.preset == 4
        await room.shows("pan", 400)


async def test_a_move_ends_a_recall_and_the_camera_is_at_no_preset() -> None:
    async with ViscaEmulator(recall_time=0.2) as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("recall_preset", preset=4)
        await room.do("move", pan=0.1)
        assert room.property("preset").desired is None
        await cam.until(lambda: not cam.moving)
        assert cam.preset is None
        assert room.property("preset").reported is None


async def test_a_camera_that_moved_away_from_a_preset_is_at_none() -> None:
    async with ViscaEmulator(recall_time=0.0) as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("recall_preset", preset=4)
        await room.shows("preset", 4)
        assert (await room.do("move", pan=0.1)).outcome == "done"
        assert room.property("preset").reported is None


@pytest.mark.parametrize("header", [True, False])
async def test_a_slow_camera_is_found_out_and_what_it_answers_late_counts(header: bool) -> None:
    """Later than a try of 0.15 s: each answer is to a question that was asked again meanwhile."""
    async with ViscaEmulator(header=header, delay=0.22) as cam:
        cam.fault("delay")
        async with stage(camera(cam.address)) as room:
            await room.online()
            await room.shows("zoom", 0)
            assert (await room.do("set_power", on=False)).outcome == "done"
            assert not cam.power
            await room.shows("power", "off")


@pytest.mark.parametrize("version", ["refuse", "silent"])
@pytest.mark.parametrize(("transport", "header"), [("udp", True), ("udp", False), ("tcp", False)])
async def test_a_camera_that_tells_no_version_is_there_all_the_same(version: str, transport: str, header: bool) -> None:
    async with ViscaEmulator(transport=transport, header=header) as cam:
        cam.version = version
        async with stage(camera(cam.address, transport=transport)) as room:
            assert (await room.online()).model == ""
            assert (await room.do("set_power", on=False)).outcome == "done"
            await room.shows("power", "off")


async def test_presets_are_stored_where_it_looks() -> None:
    async with ViscaEmulator(recall_time=0.0) as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("recall_preset", preset=3)
        assert (await room.do("store_preset", preset=9)).outcome == "done"
        assert cam.stored[9].pan == 300
        assert (await room.do("recall_preset", preset=200)).outcome == "unsupported"


async def test_a_move_lasts_while_renewed_and_ends_when_not() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        for _ in range(4):
            assert (await room.do("move", pan=-0.3)).outcome == "done"
            assert cam.moving
            assert room.property("moving").assumed is True
        assert cam.position.speed[0] < 0
        await cam.until(lambda: not cam.moving)
        await room.until(lambda device: device.properties["moving"].assumed is False)


@pytest.mark.parametrize(
    ("speeds", "order"),
    [
        ({"zoom": 1.0}, ["zoom", "drive"]),
        ({"pan": 0.5, "zoom": 1.0}, ["drive", "zoom"]),
        ({"tilt": 0.5}, ["drive", "zoom"]),
    ],
)
async def test_what_moves_is_stopped_first_and_the_other_right_after(
    speeds: dict[str, float], order: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("move", **speeds)
        sent, paced = list[tuple[str, bool]](), [True]
        command, pace = ViscaLink.command, Context._pace

        async def noting(
            link: ViscaLink, request: bytes, on_done: Callable[[], None] | None = None, **tries: Any
        ) -> Taken:
            sent.append(("zoom" if request == frames.ZOOM_STOP else "drive", paced[-1]))
            return await command(link, request, on_done, **tries)

        async def pausing(context: Context, *, at_once: bool = False) -> None:
            paced.append(not at_once)
            await pace(context, at_once=at_once)

        monkeypatch.setattr(ViscaLink, "command", noting)
        monkeypatch.setattr(Context, "_pace", pausing)
        await room.do("stop")
        assert sent[:2] == [(order[0], True), (order[1], False)]
        assert not cam.moving


async def test_the_zoom_is_stopped_though_the_camera_refuses_to_stop_turning(monkeypatch: pytest.MonkeyPatch) -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("move", pan=0.5, zoom=1.0)
        command = ViscaLink.command

        async def refusing(
            link: ViscaLink, request: bytes, on_done: Callable[[], None] | None = None, **tries: Any
        ) -> Taken:
            if request == frames.pan_tilt(0, 0):
                raise Rejected("not now")
            return await command(link, request, on_done, **tries)

        monkeypatch.setattr(ViscaLink, "command", refusing)
        assert (await room.do("stop")).outcome == "failed"
        assert cam.position.speed[2] == 0
        assert cam.position.speed[0] > 0
        monkeypatch.undo()
        await cam.until(lambda: not cam.moving)


async def test_a_move_without_speed_is_a_stop() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("move", tilt=1)
        assert (await room.do("move", pan=0, tilt=0)).outcome == "done"
        assert not cam.moving


async def test_a_moving_camera_that_was_unreachable_is_stopped_when_it_is_back() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("move", pan=1)
        cam.fault("unplugged")
        await room.gone()
        assert cam.moving
        cam.fault("unplugged", False)
        await cam.until(lambda: not cam.moving)


async def test_a_full_buffer_is_asked_again() -> None:
    async with ViscaEmulator(recall_time=0.12) as cam, stage(camera(cam.address)) as room:
        await room.online()
        assert (await room.do("recall_preset", preset=1)).outcome == "accepted"
        assert (await room.do("recall_preset", preset=2)).outcome == "accepted"
        assert (await room.do("set_power", on=True)).outcome == "done", "both sockets were busy for a moment"
        cam.fault("buffer_full")
        result = await room.do("store_preset", preset=1)
        assert (result.outcome, result.code, result.retryable) == ("failed", Code.DEVICE_FAILED, True)


async def test_a_camera_that_lost_count_is_reset_without_anyone_noticing() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        for _ in range(3):
            cam.fault("reset")
            assert (await room.do("set_power", on=True)).outcome == "done"


async def test_a_stop_refused_after_its_acknowledgement_is_asked_again() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("move", pan=0.5)
        cam.fault("refused_stop")
        result = await room.do("stop")
        assert (result.outcome, result.retryable) == ("failed", True)
        assert cam.moving
        await cam.until(lambda: not cam.moving)
        await room.until(lambda device: device.properties["moving"].assumed is False)


async def test_a_preset_is_not_stored_when_the_camera_says_no_after_its_acknowledgement() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        cam.fault("unknown")
        assert (await room.do("store_preset", preset=4)).outcome == "unsupported"


async def test_a_camera_that_tells_no_completion_is_waited_for_once() -> None:
    link = ViscaLink(cast(Context, Heard()), header=False, stream=True)
    link._channel = cast(Channel, Heard())
    waits: list[bool] = []
    for _ in range(2):
        asked = asyncio.create_task(link.command(frames.ZOOM_STOP))
        await asyncio.sleep(0)
        link.received(bytes.fromhex("90 41 FF"))
        completed = asyncio.create_task(link.completed(await asked))
        await asyncio.sleep(0)
        waits.append(not completed.done())
        await completed
    assert waits == [True, False]


async def test_a_completion_that_names_no_socket_is_understood() -> None:
    async with ViscaEmulator(recall_time=0.05) as cam, stage(camera(cam.address)) as room:
        await room.online()
        cam.fault("no_socket")
        await room.do("recall_preset", preset=6)
        await room.shows("preset", 6)


async def test_power_is_applied_again_after_a_reboot_but_never_a_motion() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        await room.online()
        await room.do("set_power", on=False)
        await room.shows("power", "off")
        await room.reboots(cam)
        cam.commands.clear()
        await cam.until(lambda: "power off" in cam.commands)
        await room.shows("power", "off")
        assert not [one for one in cam.commands if one.startswith(("recall", "move"))]


def test_replies_are_read_as_the_command_list_says() -> None:
    read = frames.read_message
    assert read(bytes.fromhex("90 41 FF")) == frames.Ack(1)
    assert read(bytes.fromhex("90 52 FF")) == frames.Done(2)
    assert read(bytes.fromhex("90 50 FF")) == frames.Done(0)
    assert read(bytes.fromhex("90 50 02 FF")) == frames.Info(b"\x02")
    assert read(bytes.fromhex("90 60 03 FF")) == frames.Error(0, frames.Fault.BUFFER_FULL)
    assert read(bytes.fromhex("90 61 41 FF")) == frames.Error(1, frames.Fault.NOT_EXECUTABLE)
    assert list(frames.read_messages(bytes.fromhex("90 41 FF 90 51 FF"))) == [frames.Ack(1), frames.Done(1)]


def test_commands_are_written_as_the_command_list_says() -> None:
    assert frames.pan_tilt(-1, 1).hex(" ") == "81 01 06 01 18 14 01 01 ff"
    assert frames.pan_tilt(0, 0).hex(" ") == "81 01 06 01 01 01 03 03 ff"
    assert frames.zoom(1).hex(" ") == "81 01 04 07 27 ff"
    assert frames.preset(2, 5).hex(" ") == "81 01 04 3f 02 05 ff"
    assert frames.POWER_ON.hex(" ") == "81 01 04 00 02 ff"
    assert frames.POWER_OFF.hex(" ") == "81 01 04 00 03 ff"
    assert frames.ASK_POWER.request.hex(" ") == "81 09 04 00 ff"
    assert frames.ASK_ZOOM.request.hex(" ") == "81 09 04 47 ff"
    assert frames.ASK_PAN_TILT.request.hex(" ") == "81 09 06 12 ff"
    assert frames.ASK_VERSION.request.hex(" ") == "81 09 00 02 ff"
    assert frames.pan_tilt_limit(1, 0x1234, -1).hex(" ") == "81 01 06 07 00 01 01 02 03 04 0f 0f 0f 0f ff"
    assert frames.pack(frames.Kind.CONTROL, 0, frames.RESET).hex(" ") == "02 00 00 01 00 00 00 00 01"


async def test_speeds_limits_and_framing_come_from_the_settings() -> None:
    settings = {
        "speeds": {"pan": 0.5, "tilt": 0.5, "zoom": 1.0},
        "limits": {"left": -800, "right": 900, "down": -100, "up": 300},
        "framing": {"on": "81 01 04 7D 02 FF", "off": "81 01 04 7d 03 ff"},
    }
    async with ViscaEmulator() as cam, stage(camera(cam.address, **settings)) as room:
        assert "framing" in (await room.online()).capabilities
        assert cam.limits == {1: (900, 300), 0: (-800, -100)}
        await room.do("move", pan=1, tilt=-1)
        assert cam.position.speed == (12, -10, 0)
        assert (await room.do("set_framing", on=True)).outcome == "accepted"
        await room.shows("framing", True)
        await room.reboots(cam)
        await cam.until(lambda: cam.framing and len(cam.limits) == 2)


async def test_a_camera_without_framing_commands_does_not_offer_it() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address)) as room:
        assert "framing" not in (await room.online()).capabilities
        assert (await room.do("set_framing", on=True)).outcome == "unsupported"


class Heard:
    """A channel and a context in one: what is sent, and what is heard."""

    timing = Timing()

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def heard(self, words: str) -> None:
        """A sign of life."""

    garbled = heard


async def test_a_late_acknowledgement_on_a_bare_stream_is_not_taken_for_the_next_commands() -> None:
    link = ViscaLink(cast(Context, Heard()), header=False, stream=True)
    link._channel = cast(Channel, Heard())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await link.command(frames.POWER_ON)
    later = asyncio.create_task(link.command(frames.POWER_OFF))
    await asyncio.sleep(0)
    link.received(bytes.fromhex("90 41 FF"))  # of the first
    await asyncio.sleep(0)
    assert not later.done()
    link.received(bytes.fromhex("90 42 FF"))
    await later


async def test_a_late_acknowledgement_of_the_same_command_asked_again_counts() -> None:
    link = ViscaLink(cast(Context, Heard()), header=False, stream=True)
    link._channel = cast(Channel, Heard())
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await link.command(frames.ZOOM_STOP)
    again = asyncio.create_task(link.command(frames.ZOOM_STOP))
    await asyncio.sleep(0)
    link.received(bytes.fromhex("90 41 FF"))
    await again


async def test_a_stop_that_is_refused_is_not_asked_without_end() -> None:
    async with ViscaEmulator() as cam, stage(camera(cam.address), timing=replace(QUICK, idle=60, keepalive=60)) as room:
        await room.shows("zoom", 0)
        await room.do("set_power", on=False)
        await room.shows("power", "off")
        heard = cam.requests
        assert (await room.do("move", pan=1)).outcome == "failed", "it is in standby"
        await room.until(lambda device: device.properties["moving"].assumed is False)
        assert cam.requests < heard + 12
