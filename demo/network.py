"""The demo network: the eight founding centers and their 31 rooms. Towns are real, names of rooms are invented."""

from __future__ import annotations

import unicodedata

from wire.places import Center, Equipment, Network, Room

RUNNING_MEETING = ("lln-lauzelle", "sai-senne")  # in a meeting from the start
CALL_TO_TRY = ("red-lesse", "wem-atomium")  # from a free room to one that rings
RINGING_CENTER = "wem"  # its rooms ring; the others answer by themselves

_CENTERS = [
    ("lln", "Louvain-la-Neuve", 50.668, 4.614, "private A", "Accueil de Louvain-la-Neuve"),
    ("msg", "Mont-Saint-Guibert", 50.634, 4.611, "private B", "Accueil de Mont-Saint-Guibert"),
    ("tou", "Tournai", 50.606, 3.389, "inter-municipal A", "Accueil de Tournai"),
    ("eng", "Enghien", 50.691, 4.041, "private C", "Accueil d’Enghien"),
    ("sai", "Saintes", 50.704, 4.166, "private D", "Accueil de Saintes"),
    ("isn", "Les Isnes", 50.506, 4.735, "inter-municipal B", "Accueil des Isnes"),
    ("red", "Redu", 50.005, 5.160, "private E", "Accueil de Redu"),
    ("wem", "Wemmel", 50.909, 4.307, "private F", "Onthaal Wemmel"),
]

_ROOMS = {
    "lln": [("Lauzelle", 12), ("Hocaille", 8), ("Biéreau", 6), ("Blocry", 6), ("Bruyères", 4), ("Cyclotron", 4)],
    "msg": [("Orne", 10), ("Hévillers", 6), ("Corbais", 6), ("Houssière", 4), ("Fleurs", 4)],
    "tou": [("Escaut", 14), ("Beffroi", 8), ("Negundo", 6), ("Halle", 4), ("Wapi", 4)],
    "eng": [("Arenberg", 10), ("Parc", 6), ("Dodane", 4)],
    "sai": [("Senne", 12), ("Hain", 6), ("Coeurcq", 6), ("Mussain", 4)],
    "isn": [("Crealys", 16), ("Orneau", 8), ("Escaille", 6), ("Bovesse", 4)],
    "red": [("Euro Space", 8), ("Lesse", 4)],
    "wem": [("Atomium", 10), ("Maalbeek", 6)],
}


def network() -> Network:
    """Centers and rooms in the order people know them."""
    centers = [
        Center(
            id=id,
            name=name,
            latitude=latitude,
            longitude=longitude,
            operator=operator,
            language="nl" if id == "wem" else "fr",
            contact=contact,
        )
        for id, name, latitude, longitude, operator, contact in _CENTERS
    ]
    rooms = [
        Room(id=room_id(center, name), name=name, center=center, seats=seats, equipment=_equipment(seats))
        for center, entries in _ROOMS.items()
        for name, seats in entries
    ]
    return Network(centers=centers, rooms=rooms)


def room_id(center: str, name: str) -> str:
    """`lln-biereau` for Biéreau of Louvain-la-Neuve."""
    plain = unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode()
    return f"{center}-{plain.lower().replace(' ', '-')}"


def _equipment(seats: int) -> Equipment:
    if seats >= 10:
        return "board"
    return "meeting" if seats >= 6 else "huddle"
