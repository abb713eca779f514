"""Report descriptors and reports: known ones as their source says, and any bytes without an exception of ours."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.emulators.hid import BUTTON, SPEAKERPHONE
from devices.hid.descriptor import BadDescriptor, Kind, ReportMap, parse
from devices.hid.keys import Keys, Style
from devices.hid.telephony import (
    HOOK_SWITCH,
    LED_MUTE,
    LED_OFF_HOOK,
    LED_RING,
    PHONE_MUTE,
    VOLUME_DOWN,
    VOLUME_UP,
    Telephony,
)

# The mouse of the HID specification 1.11, appendix E.10.
MOUSE = bytes.fromhex(
    "0501 0902 A101 0901 A100 0509 1901 2903 1500 2501 9503 7501 8102 9501 7505 8101"
    "0501 0930 0931 1581 257F 7508 9502 8106 C0 C0"
)


def test_the_mouse_of_the_specification() -> None:
    mouse = parse(MOUSE)
    assert not mouse.numbered
    assert mouse.bits == {(Kind.INPUT, 0): 24}
    places = [(one.usages[0], one.offset, one.size, one.relative) for one in mouse.fields]
    assert places == [
        (0x90001, 0, 1, False),
        (0x90002, 1, 1, False),
        (0x90003, 2, 1, False),
        (0x10030, 8, 8, True),
        (0x10031, 16, 8, True),
    ]


def test_a_speakerphone_with_numbered_reports() -> None:
    phone = Telephony(parse(SPEAKERPHONE))
    assert phone.telephone
    (mute,), (hook,) = phone.keys[PHONE_MUTE], phone.keys[HOOK_SWITCH]
    assert (mute.relative, hook.relative, hook.stays) == (True, False, True)
    assert phone.value(PHONE_MUTE, b"\x08\x02") == 1
    assert phone.value(PHONE_MUTE, b"\x08\x01") == 0
    assert phone.value(HOOK_SWITCH, b"\x08\x01") == 1
    assert phone.value(PHONE_MUTE, b"\x05\x02") is None  # another report
    assert phone.value(PHONE_MUTE, b"\x08") is None  # half a report
    assert phone.value(VOLUME_DOWN, b"\x01\x02") == 1
    assert phone.lights(frozenset({LED_MUTE})) == [b"\x09\x01"]
    assert phone.lights(frozenset({LED_OFF_HOOK, LED_RING})) == [b"\x09\x06"]
    assert phone.lit(LED_MUTE, b"\x09\x01") is True
    assert phone.lit(LED_MUTE, b"\x09\x06") is False
    assert phone.lit(LED_OFF_HOOK, b"\x09\x06") is True
    assert phone.lit(LED_MUTE, b"\x07\x01") is None


def test_a_button_without_report_numbers() -> None:
    button = Telephony(parse(BUTTON))
    assert button.value(PHONE_MUTE, b"\x01") == 1
    assert button.value(PHONE_MUTE, b"\x00") == 0
    assert button.lights(frozenset({LED_MUTE})) == [b"\x00\x01"]


def test_a_key_in_an_array_is_active_when_its_index_is_sent() -> None:
    array = bytes.fromhex("050B 0901 A101 0920 092F 1501 2502 7502 9501 8100 7506 8101 C0")
    device = Telephony(parse(array))
    assert [device.value(PHONE_MUTE, bytes([value])) for value in range(4)] == [0, 0, 1, 0]


def test_a_volume_key_in_a_wide_array_of_the_consumer_page_is_found_in_any_of_its_places() -> None:
    wide = bytes.fromhex("050C 0901 A101 8502 1500 27FFFF0000 1900 2AFFFF 7510 9502 8100 C0")
    device = Telephony(parse(wide))
    assert not device.telephone, "keyboards have these too"
    assert [device.value(VOLUME_UP, b"\x02" + body) for body in (b"\xe9\0\0\0", b"\0\0\xe9\0", bytes(4))] == [1, 1, 0]
    assert device.value(VOLUME_DOWN, b"\x02\xea\x00\xe9\x00") == 1


# 050B 0905 A101, then the key's usage, range, size, and how it moves (its main item).
def control(usage: int, item: str, range_: str = "1500 2501", size: str = "7501") -> Telephony:
    return Telephony(parse(bytes.fromhex(f"050B 0905 A101 09{usage & 0xFF:02X} {range_} {size} 9501 {item} C0")))


MOVES = [  # usage tables 3.4.1.2: how a control is declared, what it then sends, and what that asks for
    ("8106", "auto", [1, 0, 1, 0], [True, True]),  # a button that toggles: relative
    ("8106", "auto", [1, 1], [True, True]),  # and does not say that it is let go
    ("8122", "auto", [1, 1, 0, 0], [True, False]),  # a switch that stays: no preferred state
    ("8102", "auto", [1, 1, 0, 1], [True, True]),  # a button that is down or up
    ("8102", "switch", [1, 0], [True, False]),
    ("8122", "press", [1, 0], [True]),
]


@pytest.mark.parametrize(("item", "style", "sent", "asked"), MOVES)
def test_a_mute_key_is_read_as_the_usage_tables_say(
    item: str, style: Style, sent: list[int], asked: list[bool]
) -> None:
    keys = Keys(control(PHONE_MUTE, item), mute=style)
    heard = [keys.hear(bytes([value]), 9.0, muted=False, in_call=True) for value in sent]
    assert [wish for one in heard for wish in one] == [("set_mute", "on", on) for on in asked]


def test_two_buttons_say_mute_and_open() -> None:
    keys = Keys(control(PHONE_MUTE, "8126", "15FF 2501", "7502"))
    heard = [keys.hear(bytes([value]), 9.0, muted=True, in_call=True) for value in (1, 0, 3, 0)]
    assert heard == [[("set_mute", "on", True)], [], [("set_mute", "on", False)], []]


def hook(item: str, moves: list[tuple[float, int, bool]], style: Style = "auto") -> list[bool]:
    """What a hook switch asks for: (seconds, value, whether our light says off-hook)."""
    keys = Keys(control(HOOK_SWITCH, item), hook=style)
    heard = [keys.hear(bytes([value]), now, muted=False, in_call=lit) for now, value, lit in moves]
    return [on for one in heard for _, _, on in one]


def test_a_hook_switch_that_follows_our_light_asks_for_nothing() -> None:
    for item in ("8122", "8102"):
        assert hook(item, [(0, 1, True), (9, 1, True), (99, 0, False), (100, 0, True), (100.1, 1, True)]) == []


def test_a_receiver_put_down_ends_and_one_lifted_takes_a_call() -> None:
    for item in ("8122", "8102"):
        assert hook(item, [(10, 1, True), (20, 0, True), (30, 1, False), (50, 0, True)]) == [False, True, False]


def test_a_hook_key_that_is_let_go_does_not_end_the_call_it_took() -> None:
    assert hook("8102", [(10, 1, False), (10.2, 0, True)]) == [True]
    assert hook("8106", [(10, 1, False), (10.2, 0, True), (20, 1, True)]) == [True, False]
    assert hook("8102", [(10, 1, False), (10.2, 0, True), (20, 1, True)], "press") == [True, False]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("A101", "never ends"),
        ("C0", "never began"),
        ("7521", "more than 32"),
        ("8500", "report numbers"),
        ("B4", "a pop without"),
        ("A4" * 17, "too many pushes"),
        ("A101" * 17, "too deep"),
        ("7520 96FFFF 8102", "too long"),
        ("1901 2900", "range of usages"),
        ("1B00000100 2B00000300", "range of usages"),
        ("26", "within an item"),
        ("FE", "within an item"),
        ("00" * 4097, "too long"),
    ],
)
def test_what_is_refused(data: str, why: str) -> None:
    with pytest.raises(BadDescriptor, match=why):
        parse(bytes.fromhex(data))


ITEMS = st.lists(
    st.tuples(st.sampled_from([b & ~3 for b in range(0, 256, 4)]), st.binary(min_size=4, max_size=4)).map(
        lambda item: bytes([item[0] | item[1][0] % 4]) + item[1][: (0, 1, 2, 4)[item[1][0] % 4]]
    ),
    max_size=60,
).map(b"".join)


@given(st.one_of(st.binary(max_size=300), ITEMS), st.binary(max_size=16))
def test_any_bytes_describe_reports_or_are_refused(data: bytes, report: bytes) -> None:
    with contextlib.suppress(BadDescriptor):
        described = parse(data)
        assert len(described.fields) <= 4096
        device = Telephony(described)
        keys = Keys(device)
        for _ in range(2):
            assert len(keys.hear(report, 1.0, muted=False, in_call=True)) <= 4
        device.lit(LED_MUTE, report)
        for lights in device.lights(frozenset({LED_MUTE})):
            assert device.lit(LED_MUTE, lights) in (True, None)


@given(st.integers(0, 40), st.integers(1, 255), st.binary(max_size=12))
def test_the_key_is_found_wherever_it_stands(padding: int, report: int, noise: bytes) -> None:
    head = bytes([0x05, 0x0B, 0xA1, 0x01, 0x85, report, 0x75, 0x01, 0x95, padding, 0x81, 0x03])
    described = parse(head + bytes([0x95, 0x01, 0x09, 0x2F, 0x81, 0x02, 0xC0]))
    field = described.find(Kind.INPUT, PHONE_MUTE)
    assert field is not None
    assert (field.offset, field.report) == (padding, report)
    device = Telephony(described)
    body = (1 << padding).to_bytes(described.length(Kind.INPUT, report), "little")
    assert device.value(PHONE_MUTE, bytes([report]) + body) == 1
    assert device.value(PHONE_MUTE, bytes([report]) + bytes(len(body))) == 0
    device.value(PHONE_MUTE, noise)


def test_an_empty_descriptor_has_nothing() -> None:
    assert parse(b"") == ReportMap((), {}, numbered=False)


def test_padding_is_no_key_even_when_a_usage_is_said_before_it() -> None:
    padded = parse(bytes.fromhex("050B 0901 A101 092F 7501 9501 8103 C0"))
    assert padded.fields == ()
    assert padded.length(Kind.INPUT, 0) == 1
