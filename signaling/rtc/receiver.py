"""What a client of path V1 receives on the one connection it offers itself: its receiving lines, and our tracks on them.

The client offers lines it only receives on; our answers bind tracks to them, and say `inactive` of the others. What does
not fit waits: `media_sections_requirement` asks the client to offer again, with more lines. A line whose track is gone is
answered `inactive` once before it carries another, so that the client sees a new track begin.

There may be so many sections. Where they are used up, voices go before pictures: a picture's line is rejected (port 0),
and the client makes its next line in that section's place (RFC 9429 §5.2.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiortc.sdp import GroupDescription, MediaDescription, SsrcDescription

from relay.messages import Command, Subscribe
from signaling.rtc import codecs, sdp
from signaling.rtc.subscriptions import Subscription, Subscriptions, relay_track
from signaling.rtc.track import Track

MAX_MORE = 48  # lines asked for at once: new ones of Chromium make 442 each of the work that `sdp` takes at a time
MAX_FRUITLESS = 5  # offers that bring no line we asked for: then the tracks that wait are given up
_CNAME = "roomctl"


@dataclass
class Line:
    """A media section that the client receives on, and what it carries. `clean`: last answered as `inactive`, or new."""

    mid: str
    kind: str
    subscription: Subscription | None = None
    chosen: codecs.Chosen | None = None
    clean: bool = True
    closing: bool = False  # to be rejected by the next answer


@dataclass(frozen=True)
class Requirement:
    """Ask the client to offer again, with so many more lines."""

    audios: int
    videos: int


@dataclass
class Received:
    """What an offer brought: tracks that flow now, and tracks the client cannot take."""

    started: list[Track] = field(default_factory=list)
    refused: list[Track] = field(default_factory=list)


class Receiver(Subscriptions):
    """The subscriptions of a client of path V1. `transport` is its publisher's."""

    def __init__(self, transport: str, commands: list[Command], max_sections: int) -> None:
        super().__init__(transport, commands)
        self._max_sections = max_sections
        self._sections = 0  # of the client's last offer, without those that are rejected
        self._first = ""  # mid of its first one, which the transport is negotiated on
        self._rejected: set[str] = set()  # mids that the answer to it rejects
        self._lines: dict[str, Line] = {}
        self._waiting: list[Subscription] = []
        self._changed = False
        self._asked_at: float | None = None
        self._fruitless = 0
        self.solicited = False  # the next offer was asked for

    def restart(self, now: float) -> None:
        """The client offers by itself, as it does after joining and after resuming: nothing is asked of it before."""
        self._asked_at, self._changed = now, True

    def _place(self, track: Track) -> bool:
        """Let a track wait for a line. False where the client's offer would have too many sections: it waits for that."""
        full = self._sections - self._closing + sum(self._missing().values()) >= self._max_sections
        if full and not self._has_free(track.kind) and not (track.kind == "audio" and self._make_place()):
            self._unplaced[track.sid] = track
            return False
        self._waiting.append(self._mint(track))
        self._changed = True
        return True

    def unsubscribe(self, sid: str, *, ended: bool = False) -> bool:
        """Stop a track at once, and tell the client in the next answer. False where it was not subscribed.

        `ended`: the track itself is gone, and with it the relay's subscription.
        """
        if self._unplaced.pop(sid, None) is not None:
            return True
        if (subscription := self._wanted.pop(sid, None)) is None:
            return False
        if subscription in self._waiting:
            self._waiting.remove(subscription)
            return True
        if not ended:
            self._halt(subscription)
        for line in self._lines.values():
            if line.subscription is subscription:
                line.subscription = line.chosen = None
        self._changed = True
        return True

    def _make_place(self) -> bool:
        """Take the place of a picture for a voice; False where there is none.

        An idle line's place first, then the last one's that waits for a line, then the last one's; screens after all.
        """
        lines = [line for line in self._lines.values() if line.kind == "video" and not line.closing]
        lines = [line for line in lines if line.mid != self._first]
        idle = [line for line in lines if line.subscription is None]
        waiting = [entry for entry in self._waiting if entry.track.kind == "video"]
        carried = [line.subscription for line in lines if line.subscription is not None]
        if len(idle) <= len(waiting):
            if not (waiting or carried):
                return False
            gone = sorted(waiting or carried, key=lambda entry: entry.track.source != "screen_share")[-1]
            idle += [line for line in lines if line.subscription is gone]
            self._displace(gone)
        if len(idle) > len(waiting) or (waiting and len(idle) == len(waiting)):
            idle[-1].closing = True
        return True

    def _displace(self, subscription: Subscription) -> None:
        """A picture gives its place to a voice, and waits for another."""
        self.unsubscribe(subscription.track.sid)
        self._unplaced[subscription.track.sid] = subscription.track
        self._displaced.append(subscription.track)

    # --- negotiation --------------------------------------------------------------------------------------------

    @property
    def pending(self) -> bool:
        """Whether something changed that the client is to offer for, and nothing is outstanding."""
        return self._changed and self._asked_at is None

    def due(self, now: float) -> Requirement | None:
        """What to ask of the client now, if something is pending."""
        if not self.pending:
            return None
        self._changed, self._asked_at, self.solicited = False, now, True
        missing, places = self._missing(), self._max_sections - self._sections  # closing lines still have theirs
        places = min(places, MAX_MORE)  # the rest is asked for next
        audios = min(missing["audio"], places)
        return Requirement(audios, min(missing["video"], places - audios))

    @property
    def _closing(self) -> int:
        return sum(line.closing for line in self._lines.values())

    def _missing(self) -> Counter[str]:
        """Lines that lack, by kind."""
        missing: Counter[str] = Counter(subscription.track.kind for subscription in self._waiting)
        missing -= Counter(line.kind for line in self._lines.values() if line.subscription is None and not line.closing)
        return missing

    def _has_free(self, kind: str) -> bool:
        lines = [line for line in self._lines.values() if line.kind == kind and not line.closing]
        free = sum(line.subscription is None for line in lines)
        return free > sum(subscription.track.kind == kind for subscription in self._waiting)

    def answer(self, text: str, offer_id: int) -> None:
        """The client only offers: an answer of its is to no offer of ours."""

    def overdue(self, now: float, seconds: float) -> bool:
        """Whether the client has not offered for so long though we asked."""
        return self._asked_at is not None and now - self._asked_at > seconds

    def take(self, sections: Iterable[tuple[MediaDescription, bool]]) -> Received:
        """The client offered these sections (with whether each is alive): bind what waits to its receiving lines."""
        self._asked_at, self._changed, self.solicited = None, False, False
        before, self._lines = self._lines, {}
        medias: dict[str, MediaDescription] = {}
        self._sections, self._first, self._rejected = 0, "", set()
        for media, alive in sections:
            self._sections += alive
            self._first = self._first or media.rtp.muxId
            if alive and media.kind in ("audio", "video") and media.direction == "recvonly":
                mid = media.rtp.muxId
                medias[mid], self._lines[mid] = media, before.get(mid) or Line(mid, media.kind)
        self._unbind(line for mid, line in before.items() if mid not in medias)
        received = Received()
        for line in [line for line in self._lines.values() if line.closing]:
            del self._lines[line.mid]
            self._rejected.add(line.mid)
            self._sections -= 1
        cleaned = bool(self._rejected) or any(
            line.subscription is None and not line.clean for line in self._lines.values()
        )
        fruitful = cleaned or len(self._lines) > len(before)
        for mid, line in self._lines.items():
            self._serve(line, medias[mid], received)
        self._settle(fruitful or bool(received.started), received)
        return received

    def _unbind(self, gone: Iterable[Line]) -> None:
        """The client no longer receives on these lines: their tracks wait for others."""
        for line in gone:
            if (subscription := line.subscription) is not None:
                self._halt(subscription)
                self._waiting.append(subscription)

    def _serve(self, line: Line, media: MediaDescription, received: Received) -> None:
        """Bind the next track that waits to a line, or find its codec again in the client's new words."""
        if line.subscription is not None:
            again = _choose(media, line.subscription.track, line.subscription.second)
            line.chosen = again or line.chosen
            return
        was_clean, line.clean = line.clean, True
        for subscription in [s for s in self._waiting if s.track.kind == line.kind] if was_clean else []:
            self._waiting.remove(subscription)
            chosen = _choose(media, subscription.track, second=False)
            subscription.second = chosen is None
            chosen = chosen or _choose(media, subscription.track, second=True)
            if chosen is None:
                del self._wanted[subscription.track.sid]
                received.refused.append(subscription.track)
                continue
            line.subscription, line.chosen, line.clean = subscription, chosen, False
            self._flow(subscription, _subscribe(self.transport, line, subscription, chosen, media))
            received.started.append(subscription.track)
            return

    def _settle(self, fruitful: bool, received: Received) -> None:
        """Ask again for what still waits, unless the client never brings lines."""
        self._changed = bool(self._waiting)
        self._fruitless = 0 if fruitful or not self._waiting else self._fruitless + 1
        if self._fruitless >= MAX_FRUITLESS:
            received.refused.extend(subscription.track for subscription in self._waiting)
            for subscription in self._waiting:
                del self._wanted[subscription.track.sid]
            self._waiting, self._fruitless, self._changed = [], 0, False

    # --- answers ------------------------------------------------------------------------------------------------

    @property
    def mids(self) -> dict[str, str]:
        """Which track each line carries: `mid_to_track_id`."""
        return {line.mid: line.subscription.track.sid for line in self._lines.values() if line.subscription is not None}

    def section(self, media: MediaDescription) -> sdp.Section | None:
        """Our answer to a line that carries a track; None for every other section."""
        if media.rtp.muxId in self._rejected:
            return sdp.rejected(media)
        line = self._lines.get(media.rtp.muxId)
        if line is None or line.subscription is None or line.chosen is None:
            return None
        subscription, track = line.subscription, line.subscription.track
        kept = codecs.answer_codecs(media, line.chosen, dtx=False, stereo=track.info.stereo)
        section = sdp.Section(media.kind, line.mid, [codecs.payload_type(codec) for codec in kept])
        section.direction, section.rtp.codecs = "sendonly", kept
        section.rtp.headerExtensions = codecs.known_extensions(media)
        section.msid = f"{track.owner}|{track.stream} {track.sid}"
        section.ssrc = [SsrcDescription(subscription.ssrc, cname=_CNAME, msid=section.msid)]
        if subscription.rtx_ssrc is not None and line.chosen.rtx is not None:
            section.ssrc.append(SsrcDescription(subscription.rtx_ssrc, cname=_CNAME, msid=section.msid))
            section.ssrc_group = [GroupDescription("FID", [subscription.ssrc, subscription.rtx_ssrc])]
        section.extra.append("rtcp-rsize")
        return section


def _choose(media: MediaDescription, track: Track, second: bool) -> codecs.Chosen | None:
    """The track's codec, or its second one, as the client offers it; None where it does not."""
    assert track.codec is not None  # it is bound
    if (mime := track.spare if second else track.codec.mime) is None:
        return None
    chosen = codecs.choose(media, mime.partition("/")[2])
    return chosen if chosen is not None and chosen.codec.mimeType.lower() == mime.lower() else None


def _subscribe(
    transport: str, line: Line, subscription: Subscription, chosen: codecs.Chosen, media: MediaDescription
) -> Subscribe:
    with_rtx = chosen.rtx is not None and subscription.rtx_ssrc is not None
    return Subscribe(
        subscription=subscription.id,
        transport=transport,
        track=relay_track(subscription),
        ssrc=subscription.ssrc,
        payload_type=codecs.payload_type(chosen.codec),
        extensions=codecs.relay_extensions(codecs.known_extensions(media)),
        rtx_ssrc=subscription.rtx_ssrc if with_rtx else None,
        rtx_payload_type=chosen.rtx.payloadType if with_rtx and chosen.rtx is not None else None,
        red_payload_type=chosen.red.payloadType if chosen.red is not None else None,
        mid=line.mid,
    )
