"""Session descriptions: `aiortc.sdp` plus what it leaves out (RFC 8851 rid, RFC 8853 simulcast, rtcp-rsize, bundle-only).

`parse` bounds its input and turns every way to be malformed into one Refusal; `Section` and `describe` build what we send.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceCandidate, RTCIceParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription, grouplines

from signaling.rtc.ids import IceCredentials
from wire.problems import Code, Refusal

MAX_RIDS = 3
MAX_LINES = 512  # of one section; Chromium's longest has some 250
MAX_WORK = 30_000  # see `_bound`; 128 of Chromium's video sections make 26,000
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


def parse(sdp: str, *, max_sections: int) -> Remote:
    """Read a browser's offer or answer. Raises Refusal(bad_request) naming what is wrong."""
    _bound(sdp, max_sections)
    try:
        session = SessionDescription.parse(sdp)
        extras = [_extras(lines) for lines in grouplines(sdp)[1]]
    except (AssertionError, ValueError, KeyError, IndexError, TypeError, AttributeError, StopIteration):
        raise _bad("not a session description") from None
    if not session.media:
        raise _bad("no media section")
    mids = [media.rtp.muxId for media in session.media]
    if len(set(mids)) != len(mids) or not all(_TOKEN.match(mid) for mid in mids):
        raise _bad("each media section needs its own mid")
    for media in session.media:
        for number in [info.ssrc for info in media.ssrc]:
            if not 0 < number <= 0xFFFFFFFF:
                raise _bad("an SSRC is out of range")
    bundled = _bundled(session)
    return Remote(_peer(bundled), session.media, [e[0] for e in extras], [e[1] for e in extras], _setup(bundled))


def _bound(sdp: str, max_sections: int) -> None:
    """Refuse what takes long to read: `aiortc.sdp` goes through all codecs for each line about one, and so for SSRCs."""
    session, sections = grouplines(sdp)
    if len(sections) > max_sections:
        raise _bad(f"more than {max_sections} media sections")
    if any(len(lines) > MAX_LINES for lines in (session, *sections)):
        raise _bad(f"more than {MAX_LINES} lines in a section")
    work = 0
    for lines in sections:
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
    session, sections = grouplines(sdp)
    kept = [lines for lines in sections if any(line[6:].strip() in mids for line in lines if line.startswith("a=mid:"))]
    return "\r\n".join([*session, *(line for lines in kept for line in lines), ""])


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

    def __str__(self) -> str:
        """The section's lines, written once: a section is not changed after its first description."""
        if self._text is None:
            self._text = super().__str__() + "".join(f"a={line}\r\n" for line in self.extra)
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
    session = SessionDescription()
    session.origin = origin.next()
    live = [section for section in sections if section.port != 0]
    session.group = [GroupDescription("BUNDLE", [section.rtp.muxId for section in live])]
    session.msid_semantic = [GroupDescription("WMS", ["*"])]
    for section in sections:
        section.ice = RTCIceParameters(iceLite=True, usernameFragment=local.ice.ufrag, password=local.ice.password)
        section.dtls = RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint("sha-256", local.fingerprint)], role=setup)
        if section is (live[0] if live else None):
            section.ice_candidates = [_candidate(index, *at) for index, at in enumerate(local.candidates)]
            section.ice_candidates_complete = True
        session.media.append(section)
    return str(session)


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
