"""A client's publisher connection: it offers, we answer, and published tracks are bound to media sections.

Sans-IO: offers and `add_track` requests in; answers, relay commands and newly bound or ended tracks out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from aiortc.sdp import MediaDescription

from relay.messages import AddTrack, Command, Encoding, Extensions, OpenTransport, RemoveTrack, RestartIce, SetRemote
from signaling.rtc import codecs, sdp
from signaling.rtc.ids import IceCredentials
from signaling.rtc.receiver import Received, Receiver
from signaling.rtc.track import Track, lowest_first
from wire.problems import Code, Refusal

CROWDED = 4  # where an offer has more than this part of the sections it may have


@dataclass
class Line:
    """A media section of the client's offer, and the track bound to it."""

    media: MediaDescription
    rids: list[str]
    sending: bool
    chosen: codecs.Chosen | None = None
    track: Track | None = None
    bound_msid: str | None = None
    sent: bool = False  # carried a track, once

    @property
    def is_over(self) -> bool:
        """Whether its track ended and it is offered for nothing else."""
        return self.sent and self.track is None and self.media.direction == "inactive"


@dataclass
class Bound:
    """What a negotiation changed: tracks that now have a section, tracks that lost it, tracks no codec fits.

    `seconds`: tracks whose second codec came or went, which `backup` tells.

    `received`: what it changed of the tracks that the client receives on the same connection (path V1).
    """

    started: list[Track] = field(default_factory=list)
    ended: list[Track] = field(default_factory=list)
    refused: list[Track] = field(default_factory=list)
    seconds: list[Track] = field(default_factory=list)
    received: Received = field(default_factory=Received)


class Publisher:
    """State of one publisher connection. Commands for the relay are appended to `commands`.

    `receiver`: what the client receives on it, on path V1.
    """

    def __init__(
        self,
        transport: str,
        local: sdp.Local,
        commands: list[Command],
        max_sections: int,
        receiver: Receiver | None = None,
    ) -> None:
        self.transport = transport
        self._receiver = receiver
        self._local = local
        self._commands = commands
        self._max_sections = max_sections
        self._origin = sdp.Origin()
        self._peer: sdp.Peer | None = None
        self._lines: dict[str, Line] = {}
        self._known = sdp.Known()
        self._pending: list[Track] = []
        self.has_data = False  # its client opened a data channel, or it would offer no section for it (RFC 9429 §5.2.1)
        self._crowded = False  # sections that are over are rejected, for the client to use again (RFC 9429 §5.2.2)

    def open(self, room: str) -> None:
        """Create the relay's transport."""
        ice = self._local.ice
        self._commands.append(OpenTransport(self.transport, room, ice.ufrag, ice.password))

    @property
    def tracks(self) -> list[Track]:
        """Bound tracks, in the order of their sections; second codecs are none of their own."""
        return [track for track in self._bound if track.main is None]

    @property
    def _bound(self) -> list[Track]:
        return [line.track for line in self._lines.values() if line.track is not None]

    @property
    def waiting(self) -> list[Track]:
        """Tracks announced, not yet in an offer."""
        return [track for track in self._pending if track.main is None]

    @property
    def count(self) -> int:
        """Tracks bound or waiting to be, second codecs too."""
        return len(self._bound) + len(self._pending)

    def find(self, sid: str) -> Track | None:
        """A bound or waiting track by its sid."""
        return next((track for track in (*self.tracks, *self.waiting) if track.sid == sid), None)

    def has_second(self, main: Track) -> bool:
        """Whether a second codec of a track is published, or announced."""
        return main.backup is not None or any(track.main is main for track in self._pending)

    def knows_cid(self, cid: str) -> bool:
        """Whether a track with this client id waits already."""
        return any(cid in track.cids for track in self._pending)

    def add(self, track: Track) -> Bound:
        """A track was announced by `add_track`; its section may have been offered before."""
        self._pending.append(track)
        bound = Bound()
        self._bind(bound)
        return bound

    def withdraw(self, track: Track) -> None:
        """Stop a track at our wish, with its second codec; their sections stay unbound."""
        for second in [entry for entry in (*self._bound, *self._pending) if entry.main is track]:
            self.withdraw(second)
        if track.main is not None and track.main.backup is track:
            track.main.backup = None
        if track in self._pending:
            self._pending.remove(track)
        for line in self._lines.values():
            if line.track is track:
                line.track = None
                self._commands.append(RemoveTrack(track.sid))

    def stop(self) -> str:
        """Its client left: nothing more of its tracks is forwarded. Returns the transport, which stays."""
        self._commands.extend(RemoveTrack(line.track.sid) for line in self._lines.values() if line.track is not None)
        return self.transport

    def offer(self, text: str) -> tuple[str, Bound]:
        """Answer an offer. Raises Refusal(bad_request); then nothing has changed."""
        remote = sdp.parse(text, max_sections=self._max_sections, known=self._known)
        if remote.setup == sdp.PASSIVE:
            raise Refusal(Code.BAD_REQUEST, "SDP: the relay is always the DTLS server; offer setup actpass or active")
        if self._peer is not None and remote.peer.fingerprint != self._peer.fingerprint:
            raise Refusal(Code.BAD_REQUEST, "SDP: the certificate may not change within a connection")
        bound = Bound()
        self._take_peer(remote.peer)
        self._take_sections(remote, bound)
        self._bind(bound)
        if self._receiver is not None:
            offered = zip(remote.sections, remote.bundle_only, strict=True)
            bound.received = self._receiver.take((media, media.port != 0 or bundled) for media, bundled in offered)
        self._crowded = len(remote.sections) > self._max_sections // CROWDED
        offered = zip(remote.sections, remote.bundle_only, strict=True)
        sections = [self._answer_section(media, media.port != 0 or bundled) for media, bundled in offered]
        return sdp.describe(sections, self._local, sdp.PASSIVE, self._origin), bound

    # --- transport ---------------------------------------------------------------------------------------------

    def _take_peer(self, peer: sdp.Peer) -> None:
        """Tell the relay the peer's credentials; new ones are an ICE restart (RFC 8839 §4.4.1.1.1)."""
        if self._peer == peer:
            return
        if self._peer is not None:
            ice = IceCredentials.mint()
            self._local = sdp.Local(ice, self._local.fingerprint, self._local.candidates)
            self._commands.append(RestartIce(self.transport, ice.ufrag, ice.password))
        self._peer = peer
        self._commands.append(SetRemote(self.transport, peer.ufrag, peer.password, peer.fingerprint))

    # --- sections and tracks -----------------------------------------------------------------------------------

    def _take_sections(self, remote: sdp.Remote, bound: Bound) -> None:
        offered: dict[str, Line] = {}
        for media, rids, bundle_only in zip(remote.sections, remote.rids, remote.bundle_only, strict=True):
            if media.kind not in ("audio", "video"):
                continue
            alive = media.port != 0 or bundle_only
            sending = alive and media.direction in (None, "sendrecv", "sendonly")
            line = Line(media, rids, sending)
            before = self._lines.get(media.rtp.muxId)
            if before is not None:
                line.track, line.bound_msid, line.chosen = before.track, before.bound_msid, _still(media, before.chosen)
                line.sent = before.sent
            offered[media.rtp.muxId] = line
        for mid, line in self._lines.items():
            if line.track is not None and self._has_ended(line, offered.get(mid)):
                if line.track.main is None:
                    bound.ended.append(line.track)
                else:
                    line.track.main.backup = None
                    bound.seconds.append(line.track.main)
                self._commands.append(RemoveTrack(line.track.sid))
                if mid in offered:
                    offered[mid].track = None
        self._lines = offered
        for second in [track for track in (*self._bound, *self._pending) if track.main in bound.ended]:
            self.withdraw(second)

    def _has_ended(self, before: Line, now: Line | None) -> bool:
        """Whether a section no longer carries its track: stopped, or reused for one that waits."""
        if now is None or not now.sending or now.chosen is None:
            return True
        replaced = now.media.msid != before.bound_msid
        return replaced and any(track.kind == now.media.kind for track in self._pending)

    def _bind(self, bound: Bound) -> None:
        """Match waiting tracks to sections: by the client's id in msid first, then by kind and order."""
        for exact in (True, False):
            for line in self._lines.values():
                if line.track is not None or not line.sending:
                    continue
                track = next((t for t in self._pending if t.kind == line.media.kind and _names(line, t, exact)), None)
                if track is not None:
                    self._pending.remove(track)
                    self._start(line, track, bound)

    def _start(self, line: Line, track: Track, bound: Bound) -> None:
        line.chosen = line.chosen or codecs.choose(line.media, track.wanted_codec)
        if line.chosen is None:
            bound.refused.append(track)
            return
        line.track, line.bound_msid, line.sent = track, line.media.msid, True
        track.bind(line.media.rtp.muxId, codecs.relay_codec(line.chosen), _encodings(line, track))
        (bound.started if track.main is None else bound.seconds).append(track.main or track)
        self._commands.append(
            AddTrack(
                transport=self.transport,
                track=track.sid,
                kind=track.kind,
                codec=codecs.relay_codec(line.chosen),
                encodings=track.encodings,
                extensions=_extensions(line),
                mid=track.mid,
                scalability=track.scalability,
            )
        )

    # --- answer ------------------------------------------------------------------------------------------------

    def _answer_section(self, media: MediaDescription, alive: bool) -> sdp.Section:
        """Our answer to one section; `alive` unless it has port 0 and is not bundle-only (RFC 9143 §6)."""
        line = self._lines.get(media.rtp.muxId)
        if media.kind == sdp.DATA and alive:
            self.has_data = True
            return sdp.Section(sdp.DATA, media.rtp.muxId, [sdp.DATA_FORMAT])
        if line is None or not media.rtp.codecs or not alive:
            return sdp.rejected(media)
        if self._receiver is not None and (sent := self._receiver.section(media)) is not None:
            return sent
        chosen = line.chosen = line.chosen or codecs.choose(media, None)
        if self._crowded and line.is_over:
            return sdp.rejected(media)
        if chosen is None or not line.sending:
            return _inactive(media, chosen)
        info = line.track.info if line.track is not None else None
        dtx, stereo = not (info and info.disable_dtx), bool(info and info.stereo)
        red = info is None or not info.disable_red
        kept = codecs.answer_codecs(media, chosen, dtx=dtx, stereo=stereo, red=red)
        section = sdp.Section(media.kind, media.rtp.muxId, [codecs.payload_type(codec) for codec in kept])
        section.direction = "recvonly"
        section.rtp.codecs = kept
        section.rtp.headerExtensions = codecs.known_extensions(media, chosen)
        section.extra.append("rtcp-rsize")
        if line.rids:
            section.extra.extend(f"rid:{rid} recv" for rid in line.rids)
            section.extra.append("simulcast:recv " + ";".join(line.rids))
        return section


def _inactive(media: MediaDescription, chosen: codecs.Chosen | None) -> sdp.Section:
    """The answer to a section that carries nothing now.

    It names header extensions all the same: Chromium offers, in later sections, no extension that an answer left out.
    """
    codec = chosen.codec if chosen is not None else media.rtp.codecs[0]
    section = sdp.Section(media.kind, media.rtp.muxId, [codecs.payload_type(codec)])
    section.direction = "inactive"
    section.rtp.codecs = [codec]
    section.rtp.headerExtensions = codecs.known_extensions(media)
    section.extra.append("rtcp-rsize")
    return section


def _still(media: MediaDescription, chosen: codecs.Chosen | None) -> codecs.Chosen | None:
    """The codec chosen before, as this offer spells it; None where it is no longer offered."""
    if chosen is None:
        return None
    again = codecs.choose(media, chosen.codec.mimeType.partition("/")[2])
    same = again is not None and again.codec.mimeType == chosen.codec.mimeType
    return again if same else None


def _names(line: Line, track: Track, exact: bool) -> bool:
    """Whether a section may carry a track: `exact` asks for the client's track id in `a=msid`."""
    if not exact:
        return True
    words = (line.media.msid or "").split()
    return bool(words) and words[-1] in track.cids


def _extensions(line: Line) -> Extensions:
    return codecs.relay_extensions(codecs.known_extensions(line.media, line.chosen))


def _encodings(line: Line, track: Track) -> list[Encoding]:
    """The layers of a section, lowest first: by RID, else by SSRC (FID pairs, SIM groups), else by MID alone."""
    if line.rids:
        return [Encoding(rid=rid) for rid in lowest_first(line.rids, track.info.layers)]
    groups = line.media.ssrc_group
    rtx = {group.items[0]: group.items[1] for group in groups if group.semantic == "FID" and len(group.items) == 2}
    simulcast = next((group.items for group in groups if group.semantic == "SIM"), [])
    main = [info.ssrc for info in line.media.ssrc if info.ssrc not in rtx.values()]
    ssrcs = [int(ssrc) for ssrc in (simulcast or main[:1])][: sdp.MAX_RIDS]
    if not ssrcs:
        return [Encoding()]
    return [Encoding(ssrc=ssrc, rtx_ssrc=_ssrc(rtx.get(ssrc))) for ssrc in ssrcs]


def _ssrc(value: int | str | None) -> int | None:
    return None if value is None else int(value)
