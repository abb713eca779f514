"""PJLink class 2 over UDP: the search, and what a device tells by itself."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.emulators import PjlinkEmulator
from devices.pjlink import lines, news
from devices.pjlink.driver import PjlinkDisplay
from tests.devices.stage import QUICK, WITHIN, display, nothing_left_behind, stage

SEARCH_PORT = 24352
LAZY = replace(QUICK, watched=60.0, idle=60.0, changing=60.0, keepalive=60.0)  # nothing is asked by itself


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def test_a_search_finds_every_device_with_its_address_and_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news.search, "__defaults__", (SEARCH_PORT,))
    async with (
        nothing_left_behind(),
        PjlinkEmulator("127.0.0.2", search=SEARCH_PORT, identity="02:00:00:00:00:02"),
        PjlinkEmulator("127.0.0.3", search=SEARCH_PORT, identity="02-00-00-00-00-0A"),
        PjlinkEmulator("127.0.0.4", search=SEARCH_PORT, level=1),
    ):
        found = await PjlinkDisplay.discover(0.5)
    assert {(one.settings["host"], one.identity) for one in found} == {
        ("127.0.0.2", "02:00:00:00:00:02"),
        ("127.0.0.3", "02:00:00:00:00:0a"),
    }


async def test_what_a_device_tells_is_asked_at_once_and_never_believed() -> None:
    port = free_port()
    async with (
        nothing_left_behind(),
        PjlinkEmulator(power="on", tell=("127.0.0.1", port)) as pj,
        stage(display(pj.address, listen=port), timing=LAZY) as room,
    ):
        await room.shows("input", "hdmi1")
        pj.input = "32"  # the remote control
        pj.news("INPT", "32")
        await room.shows("input", "hdmi2")
        pj.fault("lamp")
        await room.until(lambda device: device.fault is not None and device.fault.code == "device.lamp")
        pj.input = "31"
        pj.news("INPT", "51")  # a lie, or somebody else's datagram
        await room.shows("input", "hdmi1")


async def test_a_device_that_comes_to_the_network_is_dialled_at_once() -> None:
    port = free_port()
    far = replace(LAZY, backoff_first=60.0, backoff_last=60.0, backoff_watched=60.0)
    async with (
        PjlinkEmulator(power="on", tell=("127.0.0.1", port)) as pj,
        stage(display(pj.address, listen=port), timing=far) as room,
    ):
        await room.online()
        pj.fault("unplugged")
        await room.gone()
        pj.fault("unplugged", False)
        await room.online()


async def test_news_without_end_do_not_make_us_ask_without_end() -> None:
    port = free_port()
    calm = replace(LAZY, news=30.0)
    async with (
        PjlinkEmulator(power="on", tell=("127.0.0.1", port)) as pj,
        stage(display(pj.address, listen=port), timing=calm) as room,
    ):
        await room.shows("input", "hdmi1")
        heard = pj.requests
        for _ in range(200):
            pj.news("POWR", "1")
        assert (await room.do("set_blank", on=True)).outcome == "done", "commands go on"
        assert pj.requests - heard < 20


async def test_a_flood_of_strangers_costs_so_many_datagrams_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "SECOND", 0.3)
    port, told = free_port(), asyncio.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger, socket.socket(type=socket.SOCK_DGRAM) as ours:
        stranger.bind(("127.0.0.9", 0))
        ours.bind(("127.0.0.1", 0))
        async with nothing_left_behind(), news.NewsListener.open(port) as listener:
            with listener.listen({"127.0.0.1"}, told.set):
                for _ in range(news.MOST_READ + 20):
                    stranger.sendto(b"%2POWR=1\r", ("127.0.0.1", port))
                ours.sendto(b"nonsense", ("127.0.0.1", port))
                ours.sendto(b"%2POWR=1\r", ("127.0.0.1", port))
                async with asyncio.timeout(WITHIN):
                    while not listener.dropped["too_many"]:
                        await asyncio.sleep(0)
                assert listener.dropped == {"stranger": news.MOST_READ, "too_many": 1}
                assert not told.is_set()
                async with asyncio.timeout(WITHIN):
                    await told.wait()  # the next second
                assert listener.dropped == {"stranger": news.MOST_READ + 20, "too_many": 1, "unreadable": 1}


async def test_a_taken_port_leaves_the_polls(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 0))
        port = int(taken.getsockname()[1])
        async with PjlinkEmulator(power="on") as pj, stage(display(pj.address, listen=port)) as room:
            await room.shows("input", "hdmi1")
    assert f"UDP port {port} cannot be listened on" in caplog.text


async def test_the_inputs_people_may_choose_are_those_of_the_settings() -> None:
    async with PjlinkEmulator() as pj, stage(display(pj.address, inputs={"hdmi1": "31", "vga": "11"})) as room:
        assert (await room.online()).inputs == ["hdmi1", "vga"]


@given(st.binary(max_size=300))
def test_any_datagram_is_read_without_an_error(data: bytes) -> None:
    for read in (lines.read_news, lines.read_found):
        read(data)


def test_news_and_answers_are_read_as_the_specification_says() -> None:
    assert lines.read_news(b"%2POWR=3\r") == lines.Answer("POWR", "3")
    assert lines.read_news(b"%2LKUP=00:11:22:AA:BB:CC\r") == lines.Answer("LKUP", "00:11:22:AA:BB:CC")
    assert lines.read_news(b"%2NAME=x\r") is None
    assert lines.read_found(b"%2ACKN=00:11:22:AA:BB:CC\r") == "00:11:22:aa:bb:cc"
    assert lines.read_found(b"%2ACKN=00:11\r") is None
