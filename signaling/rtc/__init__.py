"""LiveKit-compatible media sessions: signal messages, SDP, subscriptions, as commands to the relay.

server.py         the face: clients, and what meetings ask  door.py        who may come in, by which path
arrivals.py       what a client asks for as it comes        connection.py  one WebSocket with a bounded outbox
room.py           who is in, what is published to whom      requests.py    what each request of a client does
session.py        one client: rights and state              responses.py   the messages we send
publisher.py      the client's offers, tracks to sections   track.py       a published track
subscriptions.py  tracks on their way to a client           resume.py      a client that comes back
wish.py           how a client wants one of them            demand.py      which layers and codecs are wanted of publishers
subscriber.py     path V0: our offers, sections to tracks   receiver.py    path V1: lines of the client's offers
sdp.py            descriptions                              codecs.py      codecs, payload types, extensions
data.py           data packets between participants         history.py     the last of them, for those who resume
quality.py        how connections do                        speakers.py    who speaks
frames.py         protobuf and JSON                         effects.py     what the sans-IO side wants done
turn.py           TURN servers and their credentials        counters.py    for operators
media_relay.py    what is asked of the relay                events.py      what the relay says
ends.py           our ends of its connections               delivery.py    what reaches whom, what is kept for whom
limits.py, settings.py  bounds
"""

from signaling.rtc.media_relay import MediaRelay
from signaling.rtc.server import RtcServer
from signaling.rtc.settings import RtcSettings
from signaling.rtc.turn import TurnServers

__all__ = ["MediaRelay", "RtcServer", "RtcSettings", "TurnServers"]
