"""Report descriptors and reports: known ones as their source says, and any bytes without an exception of ours."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.emulators.hid import BUTTON, SPEAKERPHONE
from devices.hid.descriptor import BadDescriptor, Kind, ReportMap, parse
from devices.hid.telephony import LED_MUTE, LED_OFF_HOOK, LED_RING, PHONE_MUTE, Telephony

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
    assert phone.mute_key is not None
    assert phone.mute_key.relative
    assert phone.key(b"\x08\x02") is True
    assert phone.key(b"\x08\x01") is False  # the hook switch
    assert phone.key(b"\x05\x02") is None  # another report
    assert phone.key(b"\x08") is None  # half a report
    assert phone.lights(frozenset({LED_MUTE})) == [b"\x09\x01"]
    assert phone.lights(frozenset({LED_OFF_HOOK, LED_RING})) == [b"\x09\x06"]
    assert phone.muted(b"\x09\x01") is True
    assert phone.muted(b"\x09\x06") is False
    assert phone.muted(b"\x07\x01") is None


def test_a_button_without_report_numbers() -> None:
    button = Telephony(parse(BUTTON))
    assert button.key(b"\x01") is True
    assert button.key(b"\x00") is False
    assert button.lights(frozenset({LED_MUTE})) == [b"\x00\x01"]


def test_a_key_in_an_array_is_active_when_its_index_is_sent() -> None:
    array = bytes.fromhex("050B 0901 A101 0920 092F 1501 2502 7502 9501 8100 7506 8101 C0")
    device = Telephony(parse(array))
    assert [device.key(bytes([value])) for value in range(4)] == [False, False, True, False]


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
        ("1900 2AFFFF", "range of usages"),
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
        device.key(report)
        device.muted(report)
        for lights in device.lights(frozenset({LED_MUTE})):
            assert device.muted(lights) in (True, None)


@given(st.integers(0, 40), st.integers(1, 255), st.binary(max_size=12))
def test_the_key_is_found_wherever_it_stands(padding: int, report: int, noise: bytes) -> None:
    head = bytes([0x05, 0x0B, 0xA1, 0x01, 0x85, report, 0x75, 0x01, 0x95, padding, 0x81, 0x03])
    described = parse(head + bytes([0x95, 0x01, 0x09, 0x2F, 0x81, 0x02, 0xC0]))
    field = described.find(Kind.INPUT, PHONE_MUTE)
    assert field is not None
    assert (field.offset, field.report) == (padding, report)
    device = Telephony(described)
    body = (1 << padding).to_bytes(described.length(Kind.INPUT, report), "little")
    assert device.key(bytes([report]) + body) is True
    assert device.key(bytes([report]) + bytes(len(body))) is False
    device.key(noise)


def test_an_empty_descriptor_has_nothing() -> None:
    assert parse(b"") == ReportMap((), {}, numbered=False)


def test_padding_is_no_key_even_when_a_usage_is_said_before_it() -> None:
    padded = parse(bytes.fromhex("050B 0901 A101 092F 7501 9501 8103 C0"))
    assert padded.fields == ()
    assert padded.length(Kind.INPUT, 0) == 1
