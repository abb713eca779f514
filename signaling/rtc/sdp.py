"""Session descriptions: `aiortc.sdp` plus what it leaves out (RFC 8851 rid, RFC 8853 simulcast, rtcp-rsize, bundle-only).

`parse` bounds its input and turns every way to be malformed into one Refusal; `Section` and `describe` build what we send.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceCandidate, RTCIceParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities
from aiortc.sdp import MediaDescription, SessionDescription

from signaling.rtc.ids import IceCredentials
from wire.problems import Code, Refusal

MAX_RIDS = 3
MAX_LINES = 512  # of one section; Chromium's longest has some 250
MAX_WORK = 30_000  # see `_bound`; of Chromium's video sections one that sends makes 184, one that receives 442
DATA = "application"  # the media kind of the SCTP section
DATA_PROFILE, DATA_FORMAT, SCTP_PORT = "UDP/DTLS/SCTP", "webrtc-datachannel", 5000
RTP_PROFILE = "UDP/TLS/RTP/SAVPF"
ACTPASS, ACTIVE, PASSIVE = "auto", "client", "server"  # aiortc's words for a=setup
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,16}\Z")
_ICE = re.compile(r"[A-Za-z0-9+/=_-]{4,256}\Z")  # RFC 8839 ice-char, and the two some clients add
_SHA256 = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31}\Z")


@dataclass(frozen=True)
class Peer:
    """What the other side's SDP says of its transport. `fingerprint` is SHA-256, upper case."""

    ufrag: str
    password: str
    fingerprint: str


@dataclass(frozen=True)
class Remote:
    """A parsed description: transport, media sections, and per section the RIDs the peer sends, lowest first."""

    peer: Peer
    sections: list[MediaDescription]
    rids: list[list[str]]
    bundle_only: list[bool]
    setup: str | None


@dataclass(frozen=True)
class Parsed:
    """A media section as read: with the RIDs its sender sends, and whether it is bundle-only."""

    media: MediaDescription
    rids: list[str]
    bundle_only: bool


class Known:
    """The sections of a peer's last description: in a big meeting the next one repeats hundreds, few of them new.

    A section that was not changed is the same object as before.
    """

    def __init__(self) -> None:
        self.sections: dict[bytes, Parsed] = {}


def parse(sdp: str, *, max_sections: int, known: Known | None = None) -> Remote:
    """Read a browser's offer or answer. Raises Refusal(bad_request) naming what is wrong; then `known` is as before."""
    head, *bodies = _split(sdp)
    if len(bodies) > max_sections:
        raise _bad(f"more than {max_sections} media sections")
    if len(head.splitlines()) > MAX_LINES:
        raise _bad(f"more than {MAX_LINES} lines before the sections")
    common = _for_all(head)
    keys = [blake2b((common + body).encode("utf-8", "surrogatepass")).digest() for body in bodies]
    before = known.sections if known is not None else {}
    _bound([body for key, body in zip(keys, bodies, strict=True) if key not in before])
    try:
        session = SessionDescription.parse(head)
        sections = {key: before.get(key) or _parse(common, body) for key, body in zip(keys, bodies, strict=True)}
    except (AssertionError, ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration):
        raise _bad("not a session description") from None
    if not sections:
        raise _bad("no media section")
    session.media = [sections[key].media for key in keys]
    mids = [media.rtp.muxId for media in session.media]
    if len(set(mids)) != len(mids) or not all(_TOKEN.match(mid) for mid in mids):
        raise _bad("each media section needs its own mid")
    bundled = _bundled(session)
    peer = _peer(bundled)
    if known is not None:
        known.sections = sections
    rids, bundle_only = [entry.rids for entry in sections.values()], [entry.bundle_only for entry in sections.values()]
    return Remote(peer, session.media, rids, bundle_only, _setup(bundled))


def _split(sdp: str) -> list[str]:
    """The lines before the first section, then each section."""
    head, *bodies = ("\n" + sdp).split("\nm=")  # much faster than a pattern
    parts = [head, *(f"m={body}" for body in bodies)]
    head, *sections = [f"{part}\n" for part in parts[:-1]] + parts[-1:]
    return [head[1:], *sections]


def _for_all(head: str) -> str:
    """The lines before the sections that say something of every section; the origin's version counts up, for one."""
    kept = [
        line
        for line in head.splitlines()
        if line[:8] not in ("a=group:", "a=msid-s") and line[:2] in ("v=", "c=", "a=")
    ]
    return "".join(f"{line}\r\n" for line in kept)


def _parse(common: str, body: str) -> Parsed:
    session = SessionDescription.parse(common + body)
    (media,) = session.media  # else a line break hid another one
    if not all(0 < info.ssrc <= 0xFFFFFFFF for info in media.ssrc):
        raise ValueError("ssrc")
    return Parsed(media, *_extras(body.splitlines()))


def _bound(bodies: Sequence[str]) -> None:
    """Refuse what takes long to read: `aiortc.sdp` goes through all codecs for each line about one, and so for SSRCs."""
    work = 0
    for lines in [body.splitlines() for body in bodies]:
        if len(lines) > MAX_LINES:
            raise _bad(f"more than {MAX_LINES} lines in a section")
        codecs = [line[9:].split(" ", 1)[0] for line in lines if line.startswith("a=rtpmap:")]
        if len(set(codecs)) != len(codecs):
            raise _bad("a payload type is there twice")
        for_all = sum(line.startswith("a=rtcp-fb:*") for line in lines)
        for_one = sum(line.startswith(("a=fmtp:", "a=rtcp-fb:")) for line in lines)
        ssrcs = sum(line.startswith("a=ssrc:") for line in lines)
        work += len(codecs) * (for_all + for_one // 8) + ssrcs * ssrcs // 16
    if work > MAX_WORK:
        raise _bad("too many codecs or SSRCs")


def narrow(sdp: str, mids: Collection[str]) -> str:
    """A description with only the sections of some mids: in a big meeting an answer repeats hundreds, few of them new."""
    head, *bodies = _split(sdp)
    return head + "".join(body for body in bodies if _mid(body) in mids)


def _mid(body: str) -> str:
    """The mid that a section names first; empty where it names none."""
    _, named, rest = body.partition("\na=mid:")
    return rest.partition("\n")[0].strip() if named else ""


def _bad(message: str) -> Refusal:
    return Refusal(Code.BAD_REQUEST, f"SDP: {message}")


def _bundled(session: SessionDescription) -> MediaDescription:
    """The section whose transport all share (RFC 9143 §7.2): the first of the BUNDLE group."""
    sections = {media.rtp.muxId: media for media in session.media}
    for group in session.group:
        if group.semantic == "BUNDLE":
            for mid in group.items:
                if mid in sections:
                    return sections[str(mid)]
    if len(session.media) == 1:
        return session.media[0]
    raise _bad("the sections are not bundled")


def _peer(media: MediaDescription) -> Peer:
    ice, dtls = media.ice, media.dtls
    if ice is None or not _ICE.match(ice.usernameFragment or "") or not _ICE.match(ice.password or ""):
        raise _bad("no ICE credentials")
    for fingerprint in dtls.fingerprints if dtls is not None else []:
        if fingerprint.algorithm.lower() == "sha-256" and _SHA256.match(fingerprint.value):
            return Peer(str(ice.usernameFragment), str(ice.password), fingerprint.value.upper())
    raise _bad("no SHA-256 certificate fingerprint")


def _setup(media: MediaDescription) -> str | None:
    return media.dtls.role if media.dtls is not None else None


def _extras(lines: list[str]) -> tuple[list[str], bool]:
    """(rids the peer sends in the order of a=simulcast, bundle-only) of one section."""
    declared: list[str] = []
    order: list[str] = []
    bundle_only = False
    for line in lines:
        if line.startswith("a=rid:"):
            rid, direction, *_ = line[6:].split()
            if direction == "send":
                declared.append(rid)
        elif line.startswith("a=simulcast:"):
            words = line[12:].split()
            for direction, value in zip(words[::2], words[1::2], strict=True):
                if direction == "send":
                    order = [alternatives.split(",")[0].lstrip("~") for alternatives in value.split(";")]
        elif line.strip() == "a=bundle-only":
            bundle_only = True
    rids = [rid for rid in order if rid in declared] if order else declared
    if len(rids) > MAX_RIDS or not all(_TOKEN.match(rid) for rid in rids) or len(set(rids)) != len(rids):
        raise ValueError("rids")
    return rids, bundle_only


# --- what we send ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Local:
    """Our end of a transport, as every section repeats it: credentials, DTLS fingerprint, candidates.

    A candidate is (address, port, "udp" or "tcp").
    """

    ice: IceCredentials
    fingerprint: str
    candidates: Sequence[tuple[str, int, str]]


class Section(MediaDescription):
    """A media section of ours; `extra` holds attribute lines that aiortc does not write."""

    def __init__(self, kind: str, mid: str, fmt: list[int] | list[str]) -> None:
        data = kind == DATA
        super().__init__(kind, 9, DATA_PROFILE if data else RTP_PROFILE, fmt)
        # RFC 8285 section 4.1: a dependency descriptor may need the two-byte form, the other extensions do not.
        self.extra: list[str] = [] if data else ["extmap-allow-mixed"]
        self._text: str | None = None
        self.host = "0.0.0.0"  # noqa: S104  (RFC 8839: the address is in the candidates)
        self.rtp.muxId = mid
        if data:
            self.sctp_port = SCTP_PORT
            self.sctpCapabilities = RTCSctpCapabilities(maxMessageSize=65536)
        else:
            self.rtcp_port, self.rtcp_host, self.rtcp_mux = 9, "0.0.0.0", True  # noqa: S104

    def written(self, local: Local, setup: str, *, first: bool) -> str:
        """The section's lines. A section is not changed after its first description, nor is its place."""
        if self._text is None:
            self.ice = RTCIceParameters(iceLite=True, usernameFragment=local.ice.ufrag, password=local.ice.password)
            self.dtls = RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint("sha-256", local.fingerprint)], role=setup)
            if first:
                self.ice_candidates = [_candidate(index, *at) for index, at in enumerate(local.candidates)]
                self.ice_candidates_complete = True
            self._text = str(self) + "".join(f"a={line}\r\n" for line in self.extra)
        return self._text


def rejected(media: MediaDescription) -> Section:
    """The answer to a section we do not want (port 0, RFC 3264 §6)."""
    section = Section(media.kind, media.rtp.muxId, list(media.fmt))
    section.port, section.profile, section.direction = 0, media.profile, "inactive"
    return section


@dataclass
class Origin:
    """The `o=` line (RFC 8866 §5.2): one session id, a version that counts up."""

    session: int = field(default_factory=lambda: secrets.randbelow(2**62))
    version: int = 0

    def next(self) -> str:
        """The line of the next description."""
        self.version += 1
        return f"- {self.session} {self.version} IN IP4 127.0.0.1"


def describe(sections: Sequence[Section], local: Local, setup: str, origin: Origin) -> str:
    """Write an ICE-lite description in which all live sections share one transport."""
    live = [section for section in sections if section.port != 0]
    head = ["v=0", f"o={origin.next()}", "s=-", "t=0 0", "a=ice-lite"]
    head += [f"a=group:BUNDLE {' '.join(section.rtp.muxId for section in live)}", "a=msid-semantic:WMS *"]
    first = live[0] if live else None
    written = (section.written(local, setup, first=section is first) for section in sections)
    return "\r\n".join([*head, ""]) + "".join(written)


def _candidate(index: int, address: str, port: int, protocol: str) -> RTCIceCandidate:
    """A host candidate; the earlier, the higher its priority (RFC 8445 §5.1.2). TCP after all UDP (RFC 6544 §4.2)."""
    preference, tcptype = (126, None) if protocol == "udp" else (90, "passive")
    return RTCIceCandidate(
        component=1,
        foundation=str(index + 1),
        ip=address,
        port=port,
        priority=(preference << 24) | ((65535 - index) << 8) | 255,
        protocol=protocol,
        type="host",
        tcpType=tcptype,
    )
