"""What an operator may choose about rooms and meetings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RoomSettings:
    """All times are seconds. `public_url` starts guest links; `media_url` (ws/wss) is where LiveKit clients connect."""

    public_url: str
    media_url: str
    heartbeat: float = 15.0  # both ways on a room's link; three missed ones close it
    ring_seconds: float = 30.0
    prepare_seconds: float = 120.0  # a room that answered and is not in the meeting by then is let go
    lost_seconds: float = 90.0  # a room whose agent fell silent within a meeting is expected back that long
    alone_seconds: float = 60.0  # people alone in a meeting all rooms left
    invitation_ttl: float = 24 * 3600.0
    token_ttl: int = 600  # join tokens of guests and rooms
    help_ttl: float = 3600.0  # a call for help nobody took is forgotten
    hello_seconds: float = 10.0  # a link that says nothing is closed
    only_meetings: bool = False  # refuse LiveKit rooms that are no meeting of ours
    rooms_per_meeting: int = 24
    guests_per_meeting: int = 200  # people let in by link who are there, or on their way
    guests_lately: int = 30  # of one link in ten seconds
    guests_ever: int = 5000  # of a meeting
    invitations_per_meeting: int = 50
    links_pending: int = 128  # connections not yet proven
    tries_per_minute: int = 20  # bad ones of one address, before answers turn into too_many
