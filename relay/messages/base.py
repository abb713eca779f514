"""What commands and events are made of."""

from __future__ import annotations

from typing import Literal

import msgspec

Kind = Literal["audio", "video"]
DtlsRole = Literal["server", "client"]
TransportPhase = Literal["new", "connecting", "connected", "failed", "closed"]
PauseReason = Literal["bandwidth", "last_n"]


class Message(msgspec.Struct, frozen=True, omit_defaults=False, tag_field="type"):
    """Base of every command and event; `type` carries the snake-case tag."""


class Codec(msgspec.Struct, frozen=True):
    """One negotiated codec of a track. `mime` is like `video/VP8`; `clock_rate` in Hz; `rtx_payload_type` as RFC 4588.

    `red_payload_type`: of the same with redundancy (RFC 2198), audio only.
    """

    mime: str
    payload_type: int
    clock_rate: int
    channels: int = 1
    rtx_payload_type: int | None = None
    red_payload_type: int | None = None
    fmtp: str = ""


class Encoding(msgspec.Struct, frozen=True):
    """One simulcast layer, lowest first. A layer is known by its RID (RFC 8852), or its SSRC where the SDP gives one."""

    rid: str | None = None
    ssrc: int | None = None
    rtx_ssrc: int | None = None


class Extensions(msgspec.Struct, frozen=True):
    """Negotiated RTP header extension ids (RFC 8285), None where not negotiated."""

    mid: int | None = None
    rid: int | None = None
    repaired_rid: int | None = None
    audio_level: int | None = None
    transport_cc: int | None = None
    abs_send_time: int | None = None
    dependency_descriptor: int | None = None  # RTP Payload Format For AV1, appendix A
