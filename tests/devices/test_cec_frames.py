"""CEC messages: those of the specification's tables, and any bytes."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.cec.frames import UNREGISTERED, BadFrame, Frame, Opcode, decode, dotted, duty, physical
from devices.cec.layout import MESSAGE, Message, playback, unpack


def test_messages_as_on_the_line() -> None:
    assert Frame(4, 0, Opcode.IMAGE_VIEW_ON).encode() == b"\x40\x04"
    assert Frame(15, 0).encode() == b"\xf0"
    assert decode(b"\x04\x90\x02").power == "warming"
    assert decode(b"\x04\x90").power is None
    assert decode(b"\x04\x90\x07").power is None
    assert decode(b"\x54\x7a\x9e").audio == (30, True)
    assert decode(b"\x54\x7a\x7f").audio == (None, False)
    assert decode(b"\x0f\x80\x10\x00\x20\x00").shown == 0x2000
    assert decode(b"\x0f\x80\x10\x00").shown is None
    assert decode(b"\x04\x00\x04\x00").aborted == Opcode.IMAGE_VIEW_ON
    assert decode(b"\x0f\x87\x08\x00\x46").vendor == "Sony"
    assert decode(b"\x0f\x87\x12\x34\x56").vendor == "123456"


@pytest.mark.parametrize("data", [b"", bytes(17)])
def test_what_is_no_message(data: bytes) -> None:
    with pytest.raises(BadFrame):
        decode(data)


@given(st.binary(max_size=20))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadFrame):
        frame = decode(data)
        assert frame.encode() == data
        _ = frame.power, frame.audio, frame.shown, frame.aborted, frame.vendor


@given(st.binary(min_size=1, max_size=16), st.integers(0, 15), st.integers(0, 0xFFFF))
def test_no_message_is_answered_for_others_nor_an_answer_by_a_refusal(data: bytes, address: int, place: int) -> None:
    heard = decode(data)
    answer = duty(heard, address, place)
    if answer is None:
        return
    assert answer.initiator == address != UNREGISTERED
    assert decode(answer.encode()) == answer
    assert heard.destination == address or answer.opcode == Opcode.ACTIVE_SOURCE
    assert heard.opcode != Opcode.FEATURE_ABORT, "two devices would refuse each other for ever"
    if answer.destination == address:
        return  # a liar that uses our own address
    assert duty(answer, answer.destination, place) is None


@given(st.one_of(st.binary(max_size=80), st.binary(min_size=MESSAGE.size, max_size=MESSAGE.size)))
def test_any_struct_is_a_message_or_refused(data: bytes) -> None:
    with contextlib.suppress(BadFrame):
        unpack(data)


@given(
    st.integers(0, 15),
    st.integers(0, 15),
    st.integers(0, 255),
    st.binary(max_size=14),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.integers(0, 5000),
)
def test_a_struct_says_what_was_put_in(
    initiator: int, destination: int, opcode: int, operands: bytes, sequence: int, status: int, timeout: int
) -> None:
    message = Message(Frame(initiator, destination, opcode, operands), sequence, 0x90, status, status, timeout)
    assert unpack(message.pack()) == message


@given(st.integers(0, 0xFFFF))
def test_physical_addresses_are_written_with_dots(address: int) -> None:
    assert physical(dotted(address)) == address


@given(st.text(max_size=40))
def test_any_name_is_claimed_in_its_place(name: str) -> None:
    assert len(playback(name)) == 92
