"""PJLink devices that take two seconds for each answer, as they may (5.1), and answers that come when nobody waits any more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from devices import DeviceHub
from devices.context import Context
from devices.emulators import PjlinkEmulator
from devices.errors import NotNow, NotSupported
from devices.pjlink.inputs import Inputs
from devices.pjlink.link import PjlinkLink
from devices.sharing import Share, Shared
from devices.state import DeviceState
from devices.timing import Timing
from tests.devices import virtual
from tests.devices.stage import display
from wire.devices import Connection, Device, DeviceCommand, Role

SLOW = 2.0  # seconds


class _Room:
    """A room with this projector alone, at which nobody looks; `seen`: its connection, as it changed."""

    def __init__(self, pj: PjlinkEmulator) -> None:
        self.seen: list[Connection] = []
        self.hub = DeviceHub("r", [display(pj.address)], self._changed)

    def _changed(self) -> None:
        if self.seen[-1:] != [now := self.shown.connection]:
            self.seen.append(now)

    @property
    def shown(self) -> Device:
        return self.hub.snapshot()["pj"]

    @property
    def settled(self) -> bool:
        return self.hub._runners[0].state.settled


@asynccontextmanager
async def _room(pj: PjlinkEmulator) -> AsyncIterator[_Room]:
    pj.fault("delay")
    async with pj:
        room = _Room(pj)
        running = asyncio.create_task(room.hub.run())
        try:
            yield room
        finally:
            running.cancel()
            await asyncio.wait({running})


def test_one_with_many_inputs_comes_online_once_and_obeys() -> None:
    """Its inputs are told one by one; another connection does not begin anew."""
    names = ["computer", "video", "HDMI front", "HDMI back", "usb", "network"]

    async def main(_: virtual.VirtualLoop) -> None:
        pj = PjlinkEmulator("127.0.0.1", 4352, power="on", delay=SLOW)
        pj.inputs = dict(zip(("11", "21", "31", "32", "41", "51"), names, strict=True))
        async with _room(pj) as room:
            await asyncio.sleep(30)
            assert room.settled
            asked = await room.hub.execute(DeviceCommand(Role.FRONT_DISPLAY, "select_input", {"input": "video 1"}))
            assert (asked.outcome, pj.input) == ("done", "21")
            await asyncio.sleep(500)
            assert room.shown.inputs == ["computer", "video 1", *names[2:]], "an input is called as it was asked for"
            assert room.shown.properties["input"].reported == "video 1"
            assert room.seen == [Connection.ONLINE]
            for stream in list(pj._streams):
                stream.abort()
            await asyncio.sleep(30)
            assert room.settled
            assert room.shown.inputs == ["computer", "video 1", *names[2:]]
            assert room.seen == [Connection.ONLINE, Connection.UNREACHABLE, Connection.ONLINE]

    virtual.run(main)


class _Reserved(PjlinkEmulator):
    """In standby it tells neither its class nor its inputs; `telling`: whether it tells its class when it is on."""

    telling = True

    def answer(self, line: str) -> str:
        silent = ("CLSS", "INST") if self.power == "off" else () if self.telling else ("CLSS",)
        return f"{line[:6]}=ERR3" if line[2:6] in silent else super().answer(line)


@pytest.mark.parametrize(("telling", "inputs"), [(True, ["computer", "network"]), (False, ["rgb 1", "network 1"])])
def test_one_that_tells_its_class_when_it_is_on_stays_online(telling: bool, inputs: list[str]) -> None:
    async def main(_: virtual.VirtualLoop) -> None:
        pj = _Reserved("127.0.0.1", 4352, delay=0.95 * Timing().patience)
        pj.telling, pj.inputs = telling, {"11": "computer", "51": "network"}
        async with _room(pj) as room:
            await asyncio.sleep(60)
            assert room.settled
            pj.power = "on"  # the remote control
            await asyncio.sleep(300)
            assert room.shown.inputs == inputs
            assert room.seen == [Connection.ONLINE]

    virtual.run(main)


class _Told:
    """A projector's inputs; `asked`: what it was asked of them."""

    def __init__(self, **names: str) -> None:
        self.names = {key[1:]: name for key, name in names.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str, question: str) -> str:
        self.asked.append(name + question)
        if name == "INST":
            return " ".join(self.names)
        if not self.names[question[1:]]:
            raise NotSupported("it has none")
        return self.names[question[1:]]

    async def tell(self, inputs: Inputs, most: int = 100) -> bool:
        """As much as `most` questions tell; whether there is more."""
        self.asked.clear()
        assert await inputs.ask(self, lambda: len(self.asked) >= most, names=True)
        return inputs.more


async def test_names_are_kept_over_connections_and_asked_again_a_few_at_a_time() -> None:
    one, projector = Inputs({}), _Told(_11="PC", _31="", _32="Stage")
    one.connected("Acme X")
    assert await projector.tell(one, 2)
    assert one.names == ["PC", "hdmi1", "hdmi2"]
    one.connected("")  # lost, and in standby now: it does not say what it is
    assert await projector.tell(one, 1)
    assert one.names == ["PC", "hdmi1", "hdmi2"]
    assert not await projector.tell(one)
    assert projector.asked == ["INNM?31", "INNM?32", "INNM?11"], "first what it has not told"
    assert one.names == ["PC", "hdmi1", "Stage"]
    assert one.choose("hdmi2") == "32"
    one.connected("Acme X")
    projector.names = {"32": "Table", "11": "Door"}
    assert await projector.tell(one, 1)
    assert one.names == ["hdmi2", "PC"]
    assert not await projector.tell(one)
    assert one.names == ["hdmi2", "Door"]
    one.connected("Acme Y")
    assert one.names == ["hdmi1", "hdmi2"], "of another nothing is known"
    assert await projector.tell(one, 1)
    assert one.names == ["hdmi2", "rgb 1"]


class _Line:
    """Takes what is sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


def _link() -> PjlinkLink:
    state = DeviceState(display(("127.0.0.1", 1)), [], {}, lambda: None, lambda: 0.0)
    context = Context(state, Timing(), Share(Shared(), lambda: None), 0.0, lambda: None)
    link = PjlinkLink(context, "")
    link._channel = _Line()  # type: ignore[assignment]
    return link


async def _given_up(link: PjlinkLink, name: str, parameter: str) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await link.ask(name, parameter)


async def _answer(link: PjlinkLink, name: str, parameter: str, *lines: bytes) -> str:
    asking = asyncio.create_task(link.ask(name, parameter))
    await asyncio.sleep(0)
    for line in lines:
        link.received(line + b"\r")
    async with asyncio.timeout(1):
        return await asking


async def test_the_late_ok_to_a_command_is_not_the_answer_to_a_question() -> None:
    link = _link()
    await _given_up(link, "AVMT", "11")
    assert await _answer(link, "AVMT", "?", b"%1AVMT=OK", b"%1AVMT=11") == "11"


async def test_an_ok_is_never_the_answer_to_a_question_nor_a_value_that_to_a_command() -> None:
    """Whether it was the late answer to what it was asked before or not: some devices leave a question unanswered."""
    link = _link()
    assert await _answer(link, "AVMT", "?", b"%1AVMT=OK", b"%1AVMT=11") == "11"
    assert await _answer(link, "AVMT", "10", b"%1AVMT=11", b"%1AVMT=OK") == "OK"
    await _given_up(link, "AVMT", "?")
    assert await _answer(link, "AVMT", "11", b"%1AVMT=OK") == "OK"
    await _given_up(link, "AVMT", "10")
    assert await _answer(link, "AVMT", "?", b"%1AVMT=30") == "30"


async def test_the_late_answer_to_a_question_is_not_that_to_a_command() -> None:
    link = _link()
    await _given_up(link, "AVMT", "?")
    assert await _answer(link, "AVMT", "11", b"%1AVMT=30", b"%1AVMT=OK") == "OK"


async def test_the_late_refusal_of_a_question_is_not_that_of_a_command() -> None:
    link = _link()
    await _given_up(link, "INPT", "?")
    assert await _answer(link, "INPT", "31", b"%1INPT=ERR3", b"%1INPT=OK") == "OK"
    with pytest.raises(NotSupported):
        await _answer(link, "INPT", "39", b"%1INPT=ERR2")


async def test_a_refusal_is_taken_when_nothing_of_that_name_is_owed_any_more() -> None:
    link = _link()
    await _given_up(link, "INPT", "?")
    assert await _answer(link, "POWR", "?", b"%1POWR=1") == "1"  # the order: it never answers the first
    with pytest.raises(NotNow):
        await _answer(link, "INPT", "31", b"%1INPT=ERR3")


async def test_a_late_answer_serves_the_same_question_and_no_other() -> None:
    link = _link()
    await _given_up(link, "INNM", "?11")
    assert await _answer(link, "INNM", "?11", b"%2INNM=PC") == "PC"
    assert await _answer(link, "INNM", "?31", b"%2INNM=PC", b"%2INNM=HDMI") == "HDMI"


async def test_what_is_never_answered_does_not_grow() -> None:
    link = _link()
    for number in range(1000):
        await _given_up(link, "INPT", f"{number}")
    assert len(link._owed) < 100
    assert await _answer(link, "POWR", "?", b"%1POWR=0") == "0"
    assert link._owed == []
