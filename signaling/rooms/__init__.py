"""Agents' control link, meetings, room states, health. The face is `RoomService`.

meeting.py, inputs.py, effects.py, progress.py   a meeting as a pure state machine
book.py, dispatch.py                             owner of the running ones; effects become commands and media calls
calling.py                                       may rooms be called: all or none
verdict.py, notices.py, presence.py              health rules as data; what is known of one room
handshake.py, link.py, desk.py, requests.py      /link: proof, bounds, heartbeats; what agents say and ask
courier.py                                       commands until done or expired
invitations.py, guests.py, admission.py          guest links; who may be in a LiveKit room
board.py, views.py, participants.py              live documents
"""

from signaling.rooms.service import RoomService
from signaling.rooms.settings import RoomSettings

__all__ = ["RoomService", "RoomSettings"]
