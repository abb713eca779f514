"""LiveKit-compatible media sessions: signal messages, SDP, subscriptions, as commands to the relay.

server.py      the face: routes, and what meetings ask     connection.py  one WebSocket with a bounded outbox
room.py        who is in, what is published to whom        requests.py    what each request of a client does
session.py     one client: rights and state                responses.py   the messages we send
publisher.py   the client's offers, tracks to sections     subscriber.py  our offers, sections to tracks
sdp.py         descriptions                                codecs.py      codecs, payload types, extensions
track.py       a published track                           speakers.py    who speaks
data.py        data packets between participants           effects.py     what the sans-IO side wants done
frames.py      protobuf and JSON                           quality.py     how connections do
counters.py    for operators                               limits.py, settings.py  bounds
"""

from signaling.rtc.server import MediaRelay, RtcServer
from signaling.rtc.settings import RtcSettings
from signaling.rtc.turn import TurnServers

__all__ = ["MediaRelay", "RtcServer", "RtcSettings", "TurnServers"]
