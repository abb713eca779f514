"""A client's subscriber connection: we offer, it answers; one media section per forwarded track.

Sections keep their place for the connection's life. A freed section becomes inactive and is reused for another track of
its kind once the client has answered that. One offer is outstanding at most; what changes meanwhile goes into the next.

Slot states: FREE -> TAKEN (a track waits to be offered) -> OFFERED -> FLOWING (answered: the relay forwards);
from any of these -> EMPTIED (track gone, the client not yet told) -> CLEARING (told, not answered) -> FREE.
A client that resumes may have missed an offer: OFFERED goes back to TAKEN, CLEARING to EMPTIED.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from aiortc.sdp import GroupDescription, MediaDescription, SsrcDescription

from relay.messages import (
    Codec,
    Command,
    DtlsRole,
    OpenDataChannel,
    OpenTransport,
    RestartIce,
    SetRemote,
    Subscribe,
)
from signaling.rtc import codecs, sdp
from signaling.rtc.ids import IceCredentials
from signaling.rtc.subscriptions import Subscription, Subscriptions, relay_track
from signaling.rtc.track import Track
from wire.problems import Code, Refusal

RELIABLE, LOSSY = "_reliable", "_lossy"
DATA_MID = "data"
_CNAME = "roomctl"
_OURS: dict[str | None, DtlsRole] = {sdp.ACTIVE: "server", sdp.PASSIVE: "client"}  # by the answer's a=setup


class SlotState(Enum):
    """Where a media section stands."""

    FREE = auto()
    TAKEN = auto()
    OFFERED = auto()
    FLOWING = auto()
    EMPTIED = auto()
    CLEARING = auto()


_NEXT = {
    SlotState.FREE: {SlotState.TAKEN},
    SlotState.TAKEN: {SlotState.OFFERED, SlotState.EMPTIED},
    SlotState.OFFERED: {SlotState.FLOWING, SlotState.EMPTIED, SlotState.TAKEN},
    SlotState.FLOWING: {SlotState.EMPTIED},
    SlotState.EMPTIED: {SlotState.CLEARING},
    SlotState.CLEARING: {SlotState.FREE, SlotState.EMPTIED},
}


@dataclass
class Slot:
    """A media section and what it carries."""

    mid: str
    kind: str
    state: SlotState = SlotState.FREE
    subscription: Subscription | None = None
    format: codecs.Format | None = None  # of what it carries
    spare: codecs.Format | None = None  # of that in its second codec, for clients that do not take the first
    section: sdp.Section | None = None  # as last described; offers of a big meeting repeat hundreds

    def move(self, state: SlotState) -> None:
        """Take a step of the table."""
        if state not in _NEXT[self.state]:
            raise ValueError(f"slot {self.mid}: {self.state.name} -> {state.name}")
        self.state = state

    def take(self, subscription: Subscription, chosen: codecs.Format, spare: codecs.Format | None) -> None:
        """Carry a track from the next offer on."""
        self.subscription, self.format, self.spare, self.section = subscription, chosen, spare, None
        self.move(SlotState.TAKEN)

    def empty(self) -> None:
        """Carry nothing from the next offer on."""
        self.subscription = self.format = self.spare = self.section = None
        self.move(SlotState.EMPTIED)


@dataclass(frozen=True)
class Offer:
    """An offer to send: its id, SDP, and which track each section carries."""

    id: int
    sdp: str
    mid_to_track: dict[str, str]


@dataclass(frozen=True)
class Answered:
    """What an answer decided: tracks that flow now, and tracks the client could not take."""

    started: list[Track]
    refused: list[Track]


class Subscriber(Subscriptions):
    """State of one subscriber connection. Commands for the relay are appended to `commands`."""

    def __init__(self, transport: str, local: sdp.Local, commands: list[Command], max_sections: int) -> None:
        super().__init__(transport, commands)
        self._local = local
        self._max_sections = max_sections
        self._origin = sdp.Origin()
        self._peer: sdp.Peer | None = None
        self._role: DtlsRole = "server"  # ours, once there is a peer
        self._slots: list[Slot] = []
        self._formats = codecs.Formats()
        self._offer_id = 0
        self._changed = True  # the first offer, with data channels at least
        self._offered_at: float | None = None
        self._restarted = False  # ICE, by us: the client's credentials are expected anew

    def open(self, room: str) -> None:
        """Create the relay's transport and our ends of the data channels."""
        ice = self._local.ice
        self._commands.append(OpenTransport(self.transport, room, ice.ufrag, ice.password))
        self._commands.append(OpenDataChannel(self.transport, RELIABLE))
        self._commands.append(OpenDataChannel(self.transport, LOSSY, ordered=False, max_retransmits=0))

    # --- what is subscribed -------------------------------------------------------------------------------------

    def _place(self, track: Track) -> bool:
        """Put a track into the next offer. False where no payload type is left, or no section: then it waits."""
        assert track.codec is not None  # it is bound
        chosen = self._formats.of(track.codec, stereo=track.info.stereo)
        if chosen is None:
            return False
        if (slot := self._free_slot(track.kind)) is None:
            self._unplaced[track.sid] = track
            return False
        spare = self._formats.of(Codec(track.spare, 0, track.codec.clock_rate)) if track.spare else None
        slot.take(self._mint(track), chosen, spare)
        self._changed = True
        return True

    def unsubscribe(self, sid: str, *, ended: bool = False) -> bool:
        """Stop a track at once, and tell the client in the next offer. False where it was not subscribed.

        `ended`: the track itself is gone, and with it the relay's subscription.
        """
        if self._unplaced.pop(sid, None) is not None:
            return True
        slot = self._slot(sid) if self.has(sid) else None
        if slot is None or slot.subscription is None:
            return False
        if not ended:
            self._halt(slot.subscription)
        del self._wanted[sid]
        slot.empty()
        self._changed = True
        return True

    def _slot(self, sid: str) -> Slot | None:
        return next((s for s in self._slots if s.subscription is not None and s.subscription.track.sid == sid), None)

    def _free_slot(self, kind: str) -> Slot | None:
        slot = next((s for s in self._slots if s.kind == kind and s.state is SlotState.FREE), None)
        if slot is None and len(self._slots) < self._max_sections - 1:
            slot = Slot(str(len(self._slots)), kind)
            self._slots.append(slot)
        return slot

    # --- negotiation --------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether something changed that the client is to be offered, and no offer is outstanding."""
        return self._changed and self._offered_at is None

    def due(self, now: float) -> Offer | None:
        """The offer to send now, if one is pending."""
        if not self.pending:
            return None
        self._changed, self._offered_at = False, now
        self._offer_id += 1
        for slot in self._slots:
            if slot.state is SlotState.TAKEN:
                slot.move(SlotState.OFFERED)
            elif slot.state is SlotState.EMPTIED:
                slot.move(SlotState.CLEARING)
        for slot in self._slots:
            slot.section = slot.section or _section(slot, self._formats)
        sections = [_data_section(), *(slot.section for slot in self._slots if slot.section is not None)]
        text = sdp.describe(sections, self._local, sdp.ACTPASS, self._origin)
        mids = {slot.mid: slot.subscription.track.sid for slot in self._slots if slot.subscription is not None}
        return Offer(self._offer_id, text, mids)

    def restart(self, now: float) -> None:
        """The client resumes: it is offered everything again, with new ICE credentials (RFC 8839 §4.4.1.1.1)."""
        if self._peer is not None:
            ice = IceCredentials.mint()
            self._local = sdp.Local(ice, self._local.fingerprint, self._local.candidates)
            self._commands.append(RestartIce(self.transport, ice.ufrag, ice.password))
            self._restarted = True
        self._changed, self._offered_at = True, None
        for slot in self._slots:
            slot.section = None
            if slot.state is SlotState.OFFERED:
                slot.move(SlotState.TAKEN)
            elif slot.state is SlotState.CLEARING:
                slot.move(SlotState.EMPTIED)

    def overdue(self, now: float, seconds: float) -> bool:
        """Whether the client has not answered an offer for so long."""
        return self._offered_at is not None and now - self._offered_at > seconds

    def answer(self, text: str, offer_id: int) -> Answered | None:
        """Take the client's answer; None for an answer to an older offer. Raises Refusal(bad_request)."""
        if self._offered_at is None or (offer_id and offer_id != self._offer_id):
            return None
        news = {slot.mid for slot in self._slots if slot.state is SlotState.OFFERED}
        remote = sdp.parse(sdp.narrow(text, news | {DATA_MID}), max_sections=self._max_sections)
        if (role := _OURS.get(remote.setup)) is None:
            raise Refusal(Code.BAD_REQUEST, "SDP: an answer chooses: setup active or passive")  # RFC 8842 section 5.3
        if self._peer is not None and remote.peer.fingerprint != self._peer.fingerprint:
            raise Refusal(Code.BAD_REQUEST, "SDP: the certificate may not change within a connection")
        if self._peer is not None and role != self._role:
            raise Refusal(Code.BAD_REQUEST, "SDP: setup may not change within a connection")
        self._offered_at, self._role = None, role
        self._take_peer(remote.peer)
        started: list[Track] = []
        refused: list[Track] = []
        answers = {media.rtp.muxId: media for media in remote.sections}
        for slot in self._slots:
            self._settle(slot, answers.get(slot.mid), started, refused)
        return Answered(started, refused)

    def _take_peer(self, peer: sdp.Peer) -> None:
        if peer != self._peer or self._restarted:
            self._commands.append(SetRemote(self.transport, peer.ufrag, peer.password, peer.fingerprint, self._role))
        self._peer, self._restarted = peer, False

    def _settle(self, slot: Slot, media: MediaDescription | None, started: list[Track], refused: list[Track]) -> None:
        if slot.state is SlotState.CLEARING:
            slot.move(SlotState.FREE)
        if slot.state is not SlotState.OFFERED or slot.subscription is None:
            return
        track = slot.subscription.track
        taken = next((of for of in (slot.format, slot.spare) if media is not None and _accepts(media, of)), None)
        if media is None or taken is None:
            del self._wanted[track.sid]
            slot.empty()
            self._changed = True
            refused.append(track)
            return
        slot.move(SlotState.FLOWING)
        slot.subscription.second = taken is not slot.format
        self._flow(slot.subscription, _subscribe(self.transport, slot.mid, slot.subscription, taken, media))
        started.append(track)


def _accepts(media: MediaDescription, wanted: codecs.Format | None) -> bool:
    """Whether the answered section receives our codec (a browser that cannot rejects it: port 0, or inactive)."""
    receives = media.direction in (None, "recvonly", "sendrecv")
    return media.port != 0 and receives and wanted is not None and wanted.payload_type in media.fmt


def _subscribe(
    transport: str, mid: str, subscription: Subscription, taken: codecs.Format, media: MediaDescription
) -> Subscribe:
    red = taken.red_payload_type if taken.red_payload_type in media.fmt else None
    with_rtx = taken.rtx_payload_type is not None and taken.rtx_payload_type in media.fmt
    return Subscribe(
        subscription=subscription.id,
        transport=transport,
        track=relay_track(subscription),
        ssrc=subscription.ssrc,
        payload_type=taken.payload_type,
        extensions=codecs.relay_extensions(codecs.known_extensions(media)),
        rtx_ssrc=subscription.rtx_ssrc if with_rtx else None,
        rtx_payload_type=taken.rtx_payload_type if with_rtx else None,
        red_payload_type=red,
        mid=mid,
    )


def _data_section() -> sdp.Section:
    return sdp.Section(sdp.DATA, DATA_MID, [sdp.DATA_FORMAT])


def _section(slot: Slot, formats: codecs.Formats) -> sdp.Section:
    """The section of a slot: sending its track, or inactive with the codecs every client knows."""
    subscription = slot.subscription
    if subscription is None or slot.format is None:
        fallback = formats.placeholder(slot.kind).codecs()
        section = sdp.Section(slot.kind, slot.mid, [codecs.payload_type(codec) for codec in fallback])
        section.direction, section.rtp.codecs = "inactive", fallback
        return section
    chosen = [*slot.format.codecs(), *(slot.spare.codecs() if slot.spare is not None else [])]
    section = sdp.Section(slot.kind, slot.mid, [codecs.payload_type(codec) for codec in chosen])
    track = subscription.track
    section.direction, section.rtp.codecs = "sendonly", chosen
    section.rtp.headerExtensions = codecs.our_extensions(slot.kind)
    section.msid = f"{track.owner}|{track.sid} {track.sid}"
    section.ssrc = [SsrcDescription(subscription.ssrc, cname=_CNAME, msid=section.msid)]
    if subscription.rtx_ssrc is not None:
        section.ssrc.append(SsrcDescription(subscription.rtx_ssrc, cname=_CNAME, msid=section.msid))
        section.ssrc_group = [GroupDescription("FID", [subscription.ssrc, subscription.rtx_ssrc])]
    section.extra.append("rtcp-rsize")
    return section
