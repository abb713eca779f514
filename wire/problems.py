"""Stable error codes, the error body of every API, and notices that pages put into the person's language."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Argument = str | int | float


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sentence for people: `code` is a key of the translation catalog, `args` fill its places."""

    code: str
    args: dict[str, Argument] = {}


class Code(StrEnum):
    """Every error code of the control API and the link. Once released a code never changes its meaning."""

    BAD_REQUEST = "bad_request"  # malformed JSON, missing or wrong fields
    TOO_LARGE = "too_large"  # a message over its bound
    TOO_MANY = "too_many"  # a rate or count bound
    NOT_FOUND = "not_found"
    UNAUTHENTICATED = "unauthenticated"  # no credential, or one we cannot accept
    FORBIDDEN = "forbidden"  # known, but may not do this
    BAD_ORIGIN = "bad_origin"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    LINK_UNKNOWN = "link_unknown"  # invitation never existed
    LINK_EXPIRED = "link_expired"
    LINK_REVOKED = "link_revoked"
    LINK_USED = "link_used"  # a one-time link, second use
    MEETING_OVER = "meeting_over"
    MEETING_UNKNOWN = "meeting_unknown"
    ROOM_UNKNOWN = "room_unknown"
    ROOM_BUSY = "room_busy"
    ROOM_OFFLINE = "room_offline"
    ROOM_UNUSABLE = "room_unusable"
    ROOM_UNVERIFIED = "room_unverified"  # verdict unknown
    ROOM_MAINTENANCE = "room_maintenance"
    NO_ROOMS = "no_rooms"  # a call with nobody to call
    KEY_UNKNOWN = "key_unknown"  # agent key not enrolled for this room
    KEY_REVOKED = "key_revoked"
    SIGNATURE_INVALID = "signature_invalid"
    PROTOCOL_UNSUPPORTED = "protocol_unsupported"
    AGENT_REPLACED = "agent_replaced"  # a second agent of the same room took over
    AGENT_PRESENT = "agent_present"  # a second agent was refused
    COMMAND_EXPIRED = "command_expired"
    COMMAND_UNKNOWN = "command_unknown"
    DEVICE_UNKNOWN = "device_unknown"
    DEVICE_UNSUPPORTED = "device_unsupported"
    DEVICE_TIMED_OUT = "device_timed_out"
    DEVICE_FAILED = "device_failed"
    DEVICE_UNREACHABLE = "device_unreachable"
    STORAGE_FULL = "storage_full"
    UNAVAILABLE = "unavailable"  # try again later
    INTERNAL = "internal"  # our fault; `reference` finds it in the log


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error body of every API. `message` is plain English for the developer; pages translate `code`.

    `room` names the room it is about, `instead` a free healthy stand-in of the same center; `reference` finds an
    internal error in the log.
    """

    code: Code
    message: str
    room: str | None = None
    instead: str | None = None
    retry_after: float | None = None  # seconds
    reference: str | None = None


class Refusal(Exception):
    """Raised where a request cannot be done; carries the `Problem` to answer with."""

    def __init__(self, code: Code, message: str, *, room: str | None = None, instead: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, room=room, instead=instead)
