"""Bounds and times of the media signaling, in one frozen object."""

from __future__ import annotations

from dataclasses import dataclass

from signaling.rtc.turn import TurnServers


@dataclass(frozen=True)
class RtcSettings:
    """Sizes in bytes, times in seconds, counts per session unless said otherwise."""

    # sizes
    max_message: int = 64 * 1024  # a signal message without SDP
    max_sdp: int = 768 * 1024  # a signal message with SDP: 128 sections of Chromium's, twice in a sync_state of path V1
    max_join: int = 256 * 1024  # a `join_request`, inflated
    history_bytes: int = 512 * 1024  # of memory for the reliable data that a room keeps for those who resume
    max_data: int = 64 * 1024  # a data packet as it leaves us
    max_metadata: int = 16 * 1024  # metadata and attributes a session may set on itself, together
    # counts
    max_rooms: int = 500  # of the server
    max_sessions: int = 200  # of a room
    max_tracks: int = 16
    max_sections: int = 128  # media sections of one SDP
    max_lines: int = (
        112  # the same of path V1 up to which tracks are given lines; what the client publishes comes on top
    )
    max_candidates: int = 200  # trickled per ICE generation
    max_subscriptions: int = 400
    max_faults: int = 20  # bad requests before the session is ended
    max_kept: int = 500  # sessions of the server that wait for their client to resume
    max_leaving: int = 500  # sessions of the server that left, while the relay may tell of data that had come of them
    max_missed: int = 256  # signal messages kept for one of them
    outbox: int = 1024  # signal messages waiting for a slow client
    outbox_bytes: int = 4 * 1024 * 1024
    # rates: a bucket of `burst` refilled at `rate` per second
    request_rate: float = 50.0
    request_burst: int = 500
    offer_rate: float = 2.0  # of ours to one client (V1: asked of it); what changes meanwhile goes into the next
    offer_burst: int = 10
    data_rate: float = 500.0
    data_burst: int = 1000
    reliable_rate: float = 500.0  # of reliable data, which the relay spaces: more than that lets through
    reliable_burst: int = 12_000  # and all at once that waits there as one leaves: 576 KiB, a message counts 64 or more
    # times
    ping_interval: int = 2
    ping_timeout: int = 8  # well before the relay gives a silent client up (docs/decisions/023)
    silence: float = 35.0  # nothing heard from a client: it is gone
    connect: float = 30.0  # join to a connected primary transport
    resume: float = 20.0  # a broken signal connection to its client's return
    answer: float = 20.0  # our offer to the client's answer
    parting: float = 5.0  # the end of a session to the end of its signal connection, whether its client reads or not;
    # and to the time when all others know of it, whether they have its data or not
    linger: float = (
        0.5  # the request to leave to the end of the connection that data came on, where its client ends none
    )
    token_ttl: float = 600.0  # of refreshed tokens
    tick: float = 1.0
    measure: float = 5.0  # between looks at the relay's counters
    coalesce: float = 0.05  # MediaChanged after a change
    turn: TurnServers | None = None
    # of a room: only so many voices, and cameras of those who spoke last, are forwarded; None = all
    loudest_audio: int | None = None
    last_video: int | None = None
