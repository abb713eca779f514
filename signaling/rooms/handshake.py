"""An agent proves itself: it signs the server's nonce with the Ed25519 key that IT enrolled for its room.

The signed text is `roomctl-link-1`, the room and the nonce, one per line (`wire.link`): a signature is good for one
connection, one room and this purpose only. Verification is RFC 8032 Ed25519 by `cryptography`.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections import OrderedDict
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from signaling.rooms.ports import Records
from wire.link import PROTOCOL, SIGNING_CONTEXT, Hello
from wire.problems import Code, Refusal

KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MAX_FIELD: Final = 200  # characters of room, software and boot
MAX_ADDRESSES: Final = 4096


def new_nonce() -> str:
    """32 random bytes in base64."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def signed_text(room: str, nonce: str) -> bytes:
    """What an agent signs to open a link."""
    return SIGNING_CONTEXT + room.encode() + b"\n" + nonce.encode()


def negotiate(protocols: tuple[int, int]) -> int:
    """The protocol version both speak. Raises Refusal(protocol_unsupported)."""
    low, high = protocols
    if not low <= PROTOCOL <= high:
        raise Refusal(Code.PROTOCOL_UNSUPPORTED, f"this server speaks link protocol {PROTOCOL}, not {low} to {high}")
    return PROTOCOL


def check_signature(hello: Hello, nonce: str) -> None:
    """Raise Refusal (bad_request, signature_invalid) unless the key in `hello` signed this nonce for its room."""
    if max(len(hello.room), len(hello.software), len(hello.boot)) > MAX_FIELD or not hello.boot:
        raise Refusal(Code.BAD_REQUEST, "room, software and boot are 1 to 200 characters")
    key, signature = _bytes(hello.key, KEY_BYTES, "key"), _bytes(hello.signature, SIGNATURE_BYTES, "signature")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed_text(hello.room, nonce))
    except (InvalidSignature, ValueError):
        raise Refusal(Code.SIGNATURE_INVALID, "the signature is not of this nonce by this key") from None


async def check_enrolment(records: Records, hello: Hello) -> None:
    """Raise Refusal (key_unknown, key_revoked) unless the key is enrolled for the room."""
    canonical = base64.b64encode(_bytes(hello.key, KEY_BYTES, "key")).decode()
    credential = await records.credential(hello.room, canonical)
    if credential is None:
        raise Refusal(Code.KEY_UNKNOWN, "this key is not enrolled for this room; IT enrols it", room=hello.room)
    if credential.revoked_at is not None:
        raise Refusal(Code.KEY_REVOKED, "this key was revoked; enrol a new one", room=hello.room)


def _bytes(text: str, length: int, name: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != length:
        raise Refusal(Code.BAD_REQUEST, f"{name} is {length} bytes in base64")
    return raw


class Tries:
    """Bad tries per address within the last minute. The bound changes the answer only: a valid key is never shut out."""

    def __init__(self, per_minute: int) -> None:
        self._limit = per_minute
        self._counts: OrderedDict[str, tuple[float, int]] = OrderedDict()  # address -> (start of the minute, bad tries)

    def failed(self, address: str, now: float) -> float | None:
        """Note a bad try: None, or after how many seconds to try again where there were too many."""
        start, count = self._counts.pop(address, (now, 0))
        if now - start >= 60.0:
            start, count = now, 0
        self._counts[address] = (start, count + 1)
        while len(self._counts) > MAX_ADDRESSES:
            self._counts.popitem(last=False)
        return None if count < self._limit else max(1.0, start + 60.0 - now)
