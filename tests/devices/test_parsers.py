"""Any bytes in, no exception out; and what was written is read back, however the stream is cut."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from devices.config import DeviceConfig
from devices.context import Context
from devices.emulators import PjlinkEmulator
from devices.pjlink import lines, troubles
from devices.pjlink.link import PjlinkLink
from devices.sharing import Share, Shared
from devices.state import DeviceState, printable
from devices.visca import frames
from devices.visca.link import ViscaLink
from tests.devices.stage import QUICK, camera

REPLIES = [b"\x90\x41\xff", b"\x90\x51\xff", b"\x90\x50\x02\xff", b"\x90\x60\x03\xff", b"\x90\x50" + bytes(8) + b"\xff"]
LINES = [b"%1POWR=0\r", b"%1INPT=31\r", b"PJLINK 0\r", b"%2CLSS=2\r", b"%1AVMT=ERR3\r"]


def context(config: DeviceConfig) -> Context:
    state = DeviceState(config, [], {}, on_change=lambda: None)
    return Context(state, QUICK, Share(Shared(), lambda: None), 0.0, lambda: None)


@given(st.binary(max_size=200))
def test_visca_reads_any_bytes(data: bytes) -> None:
    frames.unpack(data)
    for message in frames.read_messages(data):
        assert frames.in_words(message).isprintable()
    frames.StreamReader().feed(data)


def test_what_a_camera_said_is_readable() -> None:
    said = [frames.in_words(frames.read_message(reply)) for reply in REPLIES]
    assert said == ["ACK, socket 1", "done, socket 1", "answer 02", "error 03", "answer 00 00 00 00 00 00 00 00"]


@given(st.lists(st.sampled_from(REPLIES), max_size=8), st.integers(1, 9))
def test_visca_messages_do_not_depend_on_the_pieces(replies: list[bytes], size: int) -> None:
    stream, reader = b"".join(replies), frames.StreamReader()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [one for piece in pieces for one in reader.feed(piece)] == [frames.read_message(one) for one in replies]


@given(st.sampled_from(frames.Kind), st.integers(0, 2**32 - 1), st.binary(min_size=1, max_size=16))
def test_visca_header_there_and_back(kind: frames.Kind, sequence: int, payload: bytes) -> None:
    assert frames.unpack(frames.pack(kind, sequence, payload)) == frames.Packet(kind, sequence, payload)


@given(st.integers(-0x8000, 0x7FFF))
def test_visca_numbers_there_and_back(value: int) -> None:
    assert frames.nibbles(frames.to_nibbles(value)) == value


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1))
def test_visca_speeds_stay_in_the_cameras_range(pan: float, tilt: float, zoom: float) -> None:
    drive = frames.pan_tilt(pan, tilt)
    assert 1 <= drive[4] <= 0x18
    assert 1 <= drive[5] <= 0x14
    assert (drive[6], drive[7]) != (3, 3) or pan == tilt == 0
    assert frames.zoom(zoom)[4] & 0x0F <= 7


@given(st.lists(st.binary(min_size=1, max_size=64), max_size=10), st.booleans(), st.booleans())
def test_a_visca_link_hears_any_bytes(pieces: list[bytes], header: bool, stream: bool) -> None:
    async def hear() -> None:
        link = ViscaLink(context(camera(("x", 1))), header=header, stream=stream)
        for piece in pieces:
            link.received(piece)

    asyncio.run(hear())


@given(st.binary(max_size=300))
def test_pjlink_reads_any_bytes(data: bytes) -> None:
    lines.read_line(data)
    for line in lines.LineReader().feed(data):
        str(line)


@given(st.lists(st.sampled_from(LINES), max_size=8), st.integers(1, 9))
def test_pjlink_lines_do_not_depend_on_the_pieces(said: list[bytes], size: int) -> None:
    stream, reader = b"".join(said), lines.LineReader()
    pieces = [stream[start : start + size] for start in range(0, len(stream), size)]
    assert [one for piece in pieces for one in reader.feed(piece)] == [lines.read_line(one[:-1]) for one in said]


@given(st.text(max_size=130))
def test_pjlink_values_of_any_text(value: str) -> None:
    assert set(troubles.read(value)) <= set(troubles.PARTS)
    hours = lines.read_lamp_hours(value)
    assert hours is None or hours >= 0
    lines.read_mutes(value)


@given(st.lists(st.binary(min_size=1, max_size=200), max_size=10))
def test_a_pjlink_link_hears_any_bytes(pieces: list[bytes]) -> None:
    async def hear() -> None:
        link = PjlinkLink(context(camera(("x", 1))), "")
        for piece in pieces:
            link.received(piece)

    asyncio.run(hear())


@given(st.text(max_size=140))
def test_the_emulated_projector_answers_any_line(line: str) -> None:
    async def answer() -> str:
        return PjlinkEmulator().answer(line)

    assert asyncio.run(answer()).partition("=")[2]


@given(st.one_of(st.binary(max_size=400), st.text(max_size=400)))
def test_last_words_are_always_printable_and_bounded(words: bytes | str) -> None:
    shown = printable(words)
    assert len(shown) <= 200
    assert not shown or shown.isprintable()


def test_junk_is_bounded_while_the_end_is_awaited() -> None:
    visca, pjlink = frames.StreamReader(), lines.LineReader()
    for _ in range(50):
        visca.feed(b"\x90" * 100)
        pjlink.feed(b"%" * 100)
    assert len(visca._rest) <= frames.BUFFER
    assert len(pjlink._rest) <= lines.LONGEST
