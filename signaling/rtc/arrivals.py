"""What the request for a WebSocket says of its client's wishes: the query of path V0, the `join_request` of path V1.

Path V1 packs a `JoinRequest` into a `WrappedJoinRequest`, often gzipped, in base64url; it may carry the first offer.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from livekit.protocol.models import ClientInfo
from livekit.protocol.rtc import (
    AddTrackRequest,
    JoinRequest,
    SessionDescription,
    SyncState,
    UpdateParticipantMetadata,
    WrappedJoinRequest,
)

from wire.problems import Code, Refusal

_CAPABILITIES = (ClientInfo.CAP_PACKET_TRAILER, ClientInfo.CAP_COMPRESSION_DEFLATE_RAW)
_KNOWN = {known: one for one in _CAPABILITIES for known in (ClientInfo.Capability.Name(one), int(one))}
_GZIP = 16 + zlib.MAX_WBITS  # zlib's word for the gzip format (RFC 1952)


@dataclass(frozen=True)
class Wishes:
    """What a client asks for as it arrives. `single`: path V1, one connection. `resume`: it comes back to session `sid`."""

    single: bool = False
    auto_subscribe: bool = True
    allow_pause: bool = True  # of pictures that its link does not carry
    client_protocol: int = 0
    capabilities: tuple[ClientInfo.Capability, ...] = ()  # what others may send to it
    resume: bool = False
    sid: str = ""
    offer: SessionDescription | None = None
    tracks: tuple[AddTrackRequest, ...] = ()
    sync: SyncState | None = None
    about: UpdateParticipantMetadata | None = None  # what it says of itself


def from_query(query: Mapping[str, str], *, single: bool, max_join: int) -> Wishes:
    """The wishes of one request. Raises Refusal (bad_request, too_large); `max_join` bounds the inflated JoinRequest (bytes)."""
    if single and (packed := query.get("join_request")):
        return _from_join(unwrap(packed, max_join))
    protocol = query.get("client_protocol", "")
    return Wishes(
        single=single,
        auto_subscribe=query.get("auto_subscribe", "1") not in ("0", "false"),
        allow_pause=query.get("subscriber_allow_pause", "1") not in ("0", "false"),
        client_protocol=int(protocol) if protocol.isascii() and protocol.isdigit() and len(protocol) < 4 else 0,
        capabilities=_capabilities(query.get("capabilities", "").split(",", 16)),
        resume=query.get("reconnect") in ("1", "true"),
        sid=query.get("sid", ""),
    )


def unwrap(packed: str, max_join: int) -> JoinRequest:
    """The JoinRequest in a `join_request` parameter. Raises Refusal; no more than `max_join` bytes are ever inflated."""
    try:
        raw = base64.b64decode(packed.translate(_FROM_URL) + "=" * (-len(packed) % 4), validate=True)
        wrapped = WrappedJoinRequest.FromString(raw)
        if wrapped.compression == WrappedJoinRequest.GZIP:
            plain = _inflate(wrapped.join_request, max_join)
        elif wrapped.compression == WrappedJoinRequest.NONE:
            plain = wrapped.join_request
        else:
            raise Refusal(Code.BAD_REQUEST, "join_request: unknown compression")
        if len(plain) > max_join:
            raise Refusal(Code.TOO_LARGE, f"join_request: at most {max_join} bytes")
        return JoinRequest.FromString(plain)
    except (binascii.Error, DecodeError, zlib.error, ValueError):
        raise Refusal(Code.BAD_REQUEST, "join_request is not a WrappedJoinRequest in base64url") from None


_FROM_URL = str.maketrans("-_", "+/")


def _inflate(packed: bytes, most: int) -> bytes:
    inflater = zlib.decompressobj(_GZIP)
    plain = inflater.decompress(packed, most + 1)
    if len(plain) <= most and not inflater.eof:
        raise zlib.error("cut short")
    return plain


def _from_join(join: JoinRequest) -> Wishes:
    protocol, connection = join.client_info.client_protocol, join.connection_settings
    return Wishes(
        single=True,
        auto_subscribe=connection.auto_subscribe or not join.HasField("connection_settings"),
        allow_pause=connection.subscriber_allow_pause or not connection.HasField("subscriber_allow_pause"),
        client_protocol=protocol if 0 <= protocol < 1000 else 0,
        capabilities=_capabilities(join.client_info.capabilities),
        resume=join.reconnect,
        sid=join.participant_sid,
        offer=join.publisher_offer if join.publisher_offer.sdp else None,
        tracks=tuple(join.add_track_requests),
        sync=join.sync_state if join.HasField("sync_state") else None,
        about=_about(join),
    )


def _capabilities(named: Iterable[str | int]) -> tuple[ClientInfo.Capability, ...]:
    """Those of them we know, each once: all are told to everyone in the room."""
    return tuple(dict.fromkeys(_KNOWN[name] for name in named if name in _KNOWN))


def _about(join: JoinRequest) -> UpdateParticipantMetadata | None:
    if not join.metadata and not join.participant_attributes:
        return None
    return UpdateParticipantMetadata(metadata=join.metadata, attributes=join.participant_attributes)
