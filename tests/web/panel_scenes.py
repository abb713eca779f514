"""Documents of a room's panel and display, state by state, for tests and pictures. Nothing of it ships."""

from __future__ import annotations

import time

import msgspec
import segno

from tests.web.places import CENTERS, ROOMS, room_id
from wire.devices import Connection, Device, Property, Role
from wire.health import Health, Verdict
from wire.link import Phase
from wire.meetings import Invitation, Meeting, MeetingRoom, Participant, RoomCall
from wire.problems import Notice
from wire.views import DirectoryCenter, DirectoryRoom, DirectoryView, DisplayView, IncomingCall, MediaState, PanelView

LAUZELLE = room_id("lln", "Lauzelle")
SENNE = room_id("sai", "Senne")
COEURCQ = room_id("sai", "Coeurcq")
HAIN = room_id("sai", "Hain")
MUSSAIN = room_id("sai", "Mussain")
ATOMIUM = room_id("wem", "Atomium")


def directory() -> DirectoryView:
    """Everything free and healthy, but for three rooms of Saintes and one of Redu."""
    rooms = {id: DirectoryRoom(room, order, "free") for order, (id, room) in enumerate(ROOMS.items())}
    rooms[COEURCQ] = DirectoryRoom(ROOMS[COEURCQ], rooms[COEURCQ].order, "free", Notice("panel.device.unreachable"))
    rooms[HAIN] = DirectoryRoom(ROOMS[HAIN], rooms[HAIN].order, "busy")
    because = Notice("panel.camera.unreachable")
    rooms[MUSSAIN] = DirectoryRoom(ROOMS[MUSSAIN], rooms[MUSSAIN].order, "unusable", because, SENNE)
    lesse = room_id("red", "Lesse")
    rooms[lesse] = DirectoryRoom(ROOMS[lesse], rooms[lesse].order, "offline", None, room_id("red", "Euro Space"))
    centers = {id: DirectoryCenter(center, order) for order, (id, center) in enumerate(CENTERS.items())}
    return DirectoryView(centers, rooms)


def devices(now: float, *, warming: float | None = None, camera: bool = True) -> dict[str, Device]:
    """A projector (`warming`: seconds left of 35), a camera that moves, and the room's sound."""
    power = Property(desired="on", reported="on", observed_at=now)
    if warming is not None:
        power = Property(desired="on", reported="warming", observed_at=now, remaining=warming, total=35.0)
    online, gone = Connection.ONLINE, Connection.UNREACHABLE
    presets = {"1": "Toute la table", "2": "Orateur", "3": "Tableau"}
    eye = Device(
        "camera", Role.MAIN_CAMERA, "visca", "Caméra", online if camera else gone, ["power", "ptz", "presets"],
        {"power": Property(reported="on", observed_at=now), "preset": Property(reported=1, observed_at=now)}, presets,
    )  # fmt: skip
    return {
        "projector": Device(
            "projector", Role.FRONT_DISPLAY, "pjlink", "Projecteur", online, ["power"], {"power": power}
        ),
        "camera": eye,
        "mic": Device("mic", Role.ROOM_MIC, "pulse", "Micros", online, ["mute"], {"mute": Property(reported=False)}),
        "speaker": Device(
            "speaker",
            Role.ROOM_SPEAKER,
            "pulse",
            "Haut-parleurs",
            online,
            ["volume"],
            {"volume": Property(desired=0.6, reported=0.6, observed_at=now)},
        ),
    }


def board(now: float) -> dict[str, Device]:
    """All that a board room has: a camera that follows people, two displays with inputs, sound, sensors, a supply."""
    online = Connection.ONLINE

    def said(value: str | float | bool) -> Property:
        return Property(reported=value, observed_at=now)

    inputs = ["Ordinateur de la salle", "Câble de table"]
    basic = devices(now)
    camera = msgspec.structs.replace(
        basic["camera"],
        capabilities=["power", "ptz", "presets", "framing"],
        properties={**basic["camera"].properties, "framing": said(False)},
    )
    shown = {"power": said("on"), "input": said(inputs[0]), "blank": said(False)}
    can = ["power", "input", "blank"]
    people, air = {"occupied": said(True), "people": said(4)}, {"co2": said(790), "temperature": said(21.3)}
    more = [
        Device("projector", Role.FRONT_DISPLAY, "pjlink", "Projecteur", online, can, shown, inputs=inputs),
        Device("screen", Role.SECOND_DISPLAY, "cec", "Écran latéral", online, can[:2], shown, inputs=inputs),
        camera,
        Device("presence", Role.OCCUPANCY_SENSOR, "mqtt", "Capteur de présence", online, ["occupancy"], people),
        Device("air", Role.AIR_SENSOR, "mqtt", "Capteur d’air", online, ["environment"], air),
        Device("ups", Role.UPS, "ups", "Onduleur", online, ["supply"], {"supply": said("line"), "charge": said(100)}),
    ]
    return basic | {device.id: device for device in more}


def faulty(now: float) -> dict[str, Device]:
    """A board room on its worst day: each device that people use has a fault of its own."""
    gone = {"camera": "password", "mic": "unplugged", "speaker": "unplugged", "screen": "unreachable"}
    complain = {"projector": "lamp", "ups": "on_battery"}
    broken = dict(board(now))
    for id, code in {**gone, **complain}.items():
        connection = Connection.UNREACHABLE if id in gone else Connection.ONLINE
        fault = Notice(f"device.{code}", {"device": broken[id].name})
        broken[id] = msgspec.structs.replace(broken[id], connection=connection, fault=fault, last_seen=now - 90)
    return broken


def idle(now: float) -> PanelView:
    """At rest and ready."""
    room = ROOMS[LAUZELLE]
    return PanelView(
        room=room,
        center=CENTERS["lln"],
        phase=Phase.IDLE,
        phase_since=now - 600,
        server=True,
        verdict=Verdict(Health.READY, since=now - 3600, observed_at=now - 20),
        media=MediaState(volume=0.6, volume_wanted=0.6),
        devices=devices(now),
        directory=directory(),
    )


def room_in(id: str, call: RoomCall = RoomCall.JOINED, until: float | None = None) -> MeetingRoom:
    """A room of a meeting."""
    return MeetingRoom(id, call, until)


def meeting(now: float, *rooms: MeetingRoom, title: str = "", since: float = 1440) -> Meeting:
    """Started by Lauzelle; rooms that joined take part."""
    there = {
        f"room:{room.id}": Participant(
            f"room:{room.id}", "room", ROOMS[room.id].name, ROOMS[room.id].center, mic=True, camera=True,
            joined_at=now - since, speaking=room.id == SENNE,
        )
        for room in rooms if room.call is RoomCall.JOINED
    }  # fmt: skip
    return Meeting("m1", "m1", title, now - since, f"room:{LAUZELLE}", {room.id: room for room in rooms}, there)


def with_people(of: Meeting, now: float) -> Meeting:
    """Two people by link, one of them silent."""
    koen = Participant("guest:koen", "person", "Koen Peeters", mic=True, camera=True, joined_at=now - 900)
    nadia = Participant("guest:nadia", "person", "Nadia Benali", camera=True, joined_at=now - 800)
    return Meeting(of.id, of.media, of.title, of.started_at, of.started_by, of.rooms,
                   {**of.participants, koen.id: koen, nadia.id: nadia})  # fmt: skip


def outgoing(now: float, *called: str) -> PanelView:
    """Calling: eight seconds in."""
    base = idle(now)
    rooms = [
        room_in(LAUZELLE, RoomCall.PREPARING),
        *(room_in(id, RoomCall.RINGING, now + 22) for id in called or (SENNE,)),
    ]
    return _like(base, phase=Phase.CALLING, phase_since=now - 8, devices=devices(now, warming=20),
                 meeting=meeting(now, *rooms, since=8))  # fmt: skip


def incoming(now: float, answers_in: float | None = None) -> PanelView:
    """Senne calls."""
    at = None if answers_in is None else now + answers_in
    call = IncomingCall("m1", "", SENNE, now + 30, at)
    return _like(idle(now), phase=Phase.RINGING, phase_since=now, incoming=call)


OPEN = MediaState(
    mic=True, mic_wanted=True, camera=True, camera_wanted=True, volume=0.6, volume_wanted=0.6, connected=True
)


def in_meeting(now: float) -> PanelView:
    """With Senne and two people; the projector warms up."""
    running = with_people(meeting(now, room_in(LAUZELLE), room_in(SENNE), title="Suivi des chantiers"), now)
    return _like(idle(now), phase=Phase.IN_MEETING, phase_since=now - 1440, meeting=running, media=OPEN,
                 devices=devices(now, warming=20))  # fmt: skip


def unsure(view: PanelView) -> PanelView:
    """Camera and microphones do not answer, and the display page sends what comes from them, if anything."""
    media = view.media
    silent = msgspec.structs.replace(media, mic=False, mic_silent=media.mic, camera=False, camera_silent=media.camera)
    return _like(view, media=silent)


def invited(now: float) -> PanelView:
    """In a meeting with a guest link."""
    url = "https://meet.example.org/join/uW3tq7Yx2bN8vKfJp5Rz"
    qr = segno.make(url).svg_inline(scale=4, border=2)
    return _like(in_meeting(now), invitation=Invitation("i1", url, now + 7200), invitation_qr=qr)


def display(panel: PanelView) -> DisplayView:
    """What the screen of the same room shows."""
    names = {id: ROOMS[id].name for id in (LAUZELLE, SENNE, COEURCQ, ATOMIUM)}
    return DisplayView(
        room=panel.room, center=panel.center, phase=panel.phase, server=panel.server, incoming=panel.incoming,
        scene="idle" if panel.meeting is None else "call", meeting=panel.meeting, media=panel.media,
        verdict=panel.verdict, centers={id: center.name for id, center in CENTERS.items()}, rooms=names,
    )  # fmt: skip


def _like(view: PanelView, **changes: object) -> PanelView:
    """`view` with some fields changed."""
    return msgspec.structs.replace(view, **changes)


def now() -> float:
    """Unix seconds."""
    return time.time()
