"""What IT's pages are pictured with: a network on an ordinary morning, and worse ones."""

from __future__ import annotations

from tests.web.places import CENTERS, ROOMS
from wire.devices import Connection, Device, Property, Role
from wire.health import Health, Verdict
from wire.link import Phase
from wire.problems import Notice
from wire.views import DashboardRoom, DashboardView, DirectoryCenter

IN_MEETING = ("lln-hocaille", "msg-hevillers", "tou-beffroi", "sai-hain", "isn-escaille", "tou-escaut")


def morning(now: float) -> DashboardView:
    """31 rooms at `now` (Unix seconds): two unusable, two degraded, one unknown, one in maintenance, one asks for help."""
    verdicts = _verdicts(now)
    rooms = {}
    for order, room in enumerate(ROOMS.values()):
        busy = room.id in IN_MEETING
        silent = room.id == "red-euro-space"
        rooms[room.id] = DashboardRoom(
            room=room,
            order=order,
            verdict=verdicts.get(room.id, Verdict(Health.READY, since=now - 7200, observed_at=now - 2 - order % 9)),
            phase=Phase.OFFLINE if silent else Phase.IN_MEETING if busy else Phase.IDLE,
            meeting_since=now - 1480 if busy else None,
            agent_online=not silent,
            agent_seen=now - (1260 if silent else 2),
            software="0.1.0",
            help_asked_at=now - 95 if room.id == "sai-hain" else None,
            help_text="On ne nous entend pas." if room.id == "sai-hain" else "",
            devices=_devices(room.id, now),
        )
    centers = {center.id: DirectoryCenter(center, order) for order, center in enumerate(CENTERS.values())}
    return DashboardView(centers=centers, rooms=rooms, meetings=3, participants=11)


def quiet(now: float) -> DashboardView:
    """Every room ready."""
    view = morning(now)
    rooms = {
        id: DashboardRoom(
            room=room.room,
            order=room.order,
            verdict=Verdict(Health.READY, since=now - 7200, observed_at=now - 3),
            phase=Phase.IDLE,
            agent_online=True,
            agent_seen=now - 3,
        )
        for id, room in view.rooms.items()
    }
    return DashboardView(centers=view.centers, rooms=rooms)


def _verdicts(now: float) -> dict[str, Verdict]:
    def verdict(health: Health, age: float, code: str, step: str, who: str, **args: float | str) -> Verdict:
        notice = Notice(code, {"since": now - 840, **args})
        return Verdict(health, [notice], Notice(step) if step else None, who, now - 840, now - age)

    return {
        "sai-mussain": verdict(
            Health.UNUSABLE, 6, "health.camera_silent", "health.next.check_camera", "Accueil de Saintes"
        ),
        "tou-halle": verdict(
            Health.UNUSABLE, 9, "health.display_silent", "health.next.check_display", "Accueil de Tournai"
        ),
        "tou-escaut": verdict(
            Health.DEGRADED, 4, "health.display_replaced", "health.next.check_display", "Informatique de Tournai"
        ),
        "sai-coeurcq": verdict(
            Health.DEGRADED, 11, "health.content_silent", "health.next.check_content", "Informatique de Saintes"
        ),
        "red-euro-space": Verdict(
            Health.UNKNOWN,
            [Notice("health.agent_silent", {"since": now - 1260})],
            Notice("health.next.check_computer"),
            "Accueil de Redu",
            now - 1260,
            now - 1260,
        ),
        "lln-bruyeres": verdict(Health.MAINTENANCE, 5, "health.maintenance", "", ""),
    }


def _devices(room: str, now: float) -> dict[str, Device]:
    broken = room == "tou-escaut"
    on = Property(desired="on", reported="on", observed_at=now - 4)
    devices = [
        Device(
            "projector",
            Role.FRONT_DISPLAY,
            "pjlink",
            "Projecteur",
            Connection.UNREACHABLE if broken else Connection.ONLINE,
            ["power", "input"],
            {"power": Property(desired="on", reported="on", observed_at=now - 840)},
            model="Epson EB-L210",
            last_seen=now - (840 if broken else 4),
            last_words="%1POWR=1",
            fault=Notice("device.unreachable", {"device": "Projecteur"}) if broken else None,
        ),
        Device(
            "screen",
            Role.SECOND_DISPLAY,
            "pjlink",
            "Second écran",
            Connection.ONLINE,
            ["power"],
            {"power": Property(desired="on", reported="warming", observed_at=now - 2, remaining=20, total=40)},
            model="Sony FW-65",
            last_seen=now - 2,
            last_words="%1POWR=3",
        ),
        Device(
            "camera",
            Role.MAIN_CAMERA,
            "visca",
            "Caméra",
            Connection.ONLINE,
            ["power", "ptz", "presets"],
            {"power": on, "preset": Property(assumed=1)},
            {"1": "Table", "2": "Tableau"},
            last_seen=now - 3,
            last_words="90 50 02 ff",
        ),
        Device(
            "audio",
            Role.ROOM_MIC,
            "pulse",
            "Micros de plafond",
            Connection.ONLINE,
            ["volume", "mute"],
            {"mute": Property(desired=False, reported=False, observed_at=now - 2)},
            last_seen=now - 2,
        ),
        Device(
            "speaker",
            Role.ROOM_SPEAKER,
            "pulse",
            "Haut-parleurs",
            Connection.ONLINE,
            ["volume"],
            {"volume": Property(desired=0.7, reported=0.6, observed_at=now - 2)},
            last_seen=now - 2,
        ),
    ]
    return {device.id: device for device in devices}
