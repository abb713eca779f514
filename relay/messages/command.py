"""Commands: what the server tells the media relay to do."""

from __future__ import annotations

from relay.messages.base import Codec, DtlsRole, Encoding, Extensions, Kind, Message


class OpenTransport(Message, frozen=True, tag="open_transport"):
    """Create an ICE-lite transport in `room`. `ufrag` (4+ ice-chars) and `password` (22+) are ours."""

    transport: str
    room: str
    ufrag: str
    password: str


class SetRemote(Message, frozen=True, tag="set_remote"):
    """What the peer's SDP said: ICE credentials, SHA-256 certificate fingerprint (`AB:CD:…`).

    `role`: our end of DTLS, for the life of the transport; `client` where the peer answered `a=setup:passive`.
    """

    transport: str
    ufrag: str
    password: str
    fingerprint: str
    role: DtlsRole = "server"


class RestartIce(Message, frozen=True, tag="restart_ice"):
    """New local credentials; the new remote ones follow by `SetRemote`. Media flows on meanwhile."""

    transport: str
    ufrag: str
    password: str


class CloseTransport(Message, frozen=True, tag="close_transport"):
    """End a transport with its tracks, subscriptions and data channels."""

    transport: str


class AddTrack(Message, frozen=True, tag="add_track"):
    """A published track. Packets are bound to it by SSRC, or by MID and RID header extensions until SSRCs are known.

    `scalability`: a W3C webrtc-svc mode such as `L3T3_KEY` (VP9, AV1) where the one encoding holds several layers; then
    "layer" in every message means the spatial layer.
    """

    transport: str
    track: str
    kind: Kind
    codec: Codec
    encodings: list[Encoding]
    extensions: Extensions
    mid: str | None = None
    scalability: str | None = None


class RemoveTrack(Message, frozen=True, tag="remove_track"):
    """End a track and every subscription to it."""

    track: str


class MuteTrack(Message, frozen=True, tag="mute_track"):
    """Stop (or resume) forwarding a track; a muted track forwards nothing at all."""

    track: str
    muted: bool


class Subscribe(Message, frozen=True, tag="subscribe"):
    """Forward `track` to `transport` as `ssrc` with the subscriber's payload types and extension ids.

    Without `red_payload_type` redundant audio (RFC 2198) is taken apart: the subscriber gets the packets proper.
    """

    subscription: str
    transport: str
    track: str
    ssrc: int
    payload_type: int
    extensions: Extensions
    rtx_ssrc: int | None = None
    rtx_payload_type: int | None = None
    red_payload_type: int | None = None
    mid: str | None = None


class Unsubscribe(Message, frozen=True, tag="unsubscribe"):
    """Stop a subscription."""

    subscription: str


class SetSubscription(Message, frozen=True, tag="set_subscription"):
    """Pause or resume, cap the layer, and say how important it is. Each one replaces all fields of the one before.

    The highest live layer ≤ `max_layer` (index into `encodings`) that the subscriber's link carries is forwarded. Where
    not everything fits, `priority` (larger first) comes before `screen` (a shared screen, to be readable), that before
    the active speaker, and that before `visible`, the pixels (width × height) it is shown at. A `priority` above 0 pins:
    `SetRoom.last_video` does not hide it.
    `max_temporal` caps the temporal layer of a scalable track. `keep`: at least the lowest layer is sent, whatever the
    link carries.
    """

    subscription: str
    paused: bool = False
    max_layer: int | None = None
    max_temporal: int | None = None
    screen: bool = False
    visible: int | None = None
    priority: int = 0
    keep: bool = False


class SetRoom(Message, frozen=True, tag="set_room"):
    """Limit what a large room forwards; None = all. Forgotten with the room's last transport.

    Only the `loudest_audio` loudest audio tracks, and only cameras of the `last_video` transports that spoke last
    (screens and pinned videos always).
    """

    room: str
    loudest_audio: int | None = None
    last_video: int | None = None


class RequestKeyFrame(Message, frozen=True, tag="request_key_frame"):
    """Ask the publisher of `track` for a key frame (PLI, throttled)."""

    track: str


class OpenDataChannel(Message, frozen=True, tag="open_data_channel"):
    """Open a data channel (RFC 8832) from our side. `max_retransmits` None = reliable."""

    transport: str
    label: str
    ordered: bool = True
    max_retransmits: int | None = None


class SendData(Message, frozen=True, tag="send_data"):
    """Send one binary message on the channel `label` of each transport; silently skips transports without it open.

    `source`: the transport whose reliable message this passes on, and which is answered by it. It is held back while one of
    `transports` that takes what it is sent has much of it waiting.
    """

    transports: list[str]
    label: str
    payload: bytes
    source: str | None = None


class DropData(Message, frozen=True, tag="drop_data"):
    """A reliable message of this transport goes nowhere: it is answered by this."""

    transport: str


class AwaitData(Message, frozen=True, tag="await_data"):
    """Answered by `DataTaken` with the same `request` once this transport has taken all reliable data sent to it so far."""

    request: str
    transport: str


class DumpFlight(Message, frozen=True, tag="dump_flight"):
    """Answered by one `Flight` event with the same `request`. `unix`: wall clock now, µs since 1970."""

    request: int
    transport: str
    unix: int


class GetStats(Message, frozen=True, tag="get_stats"):
    """Answered by one `Stats` event with the same `request`; `room` None = the whole relay."""

    request: int
    room: str | None = None


Command = (
    OpenTransport
    | SetRemote
    | RestartIce
    | CloseTransport
    | AddTrack
    | RemoveTrack
    | MuteTrack
    | Subscribe
    | Unsubscribe
    | SetSubscription
    | SetRoom
    | RequestKeyFrame
    | OpenDataChannel
    | SendData
    | DropData
    | AwaitData
    | DumpFlight
    | GetStats
)
