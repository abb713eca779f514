"""A small network to picture pages with: the demo's eight centers and their 31 rooms, as wire structs."""

from __future__ import annotations

import unicodedata

from wire.places import Center, Room

_CENTERS = {
    "lln": ("Louvain-la-Neuve", 50.668, 4.614, "Lauzelle 12, Hocaille 8, Biéreau 6, Blocry 6, Bruyères 4, Cyclotron 4"),
    "msg": ("Mont-Saint-Guibert", 50.634, 4.611, "Orne 10, Hévillers 6, Corbais 6, Houssière 4, Fleurs 4"),
    "tou": ("Tournai", 50.606, 3.389, "Escaut 14, Beffroi 8, Negundo 6, Halle 4, Wapi 4"),
    "eng": ("Enghien", 50.691, 4.041, "Arenberg 10, Parc 6, Dodane 4"),
    "sai": ("Saintes", 50.704, 4.166, "Senne 12, Hain 6, Coeurcq 6, Mussain 4"),
    "isn": ("Les Isnes", 50.506, 4.735, "Crealys 16, Orneau 8, Escaille 6, Bovesse 4"),
    "red": ("Redu", 50.005, 5.160, "Euro Space 8, Lesse 4"),
    "wem": ("Wemmel", 50.909, 4.307, "Atomium 10, Maalbeek 6"),
}


def room_id(center: str, name: str) -> str:
    """`lln-biereau` for Biéreau of Louvain-la-Neuve."""
    plain = unicodedata.normalize("NFD", name).encode("ascii", "ignore").decode()
    return f"{center}-{plain.lower().replace(' ', '-')}"


def _rooms(center: str, text: str) -> list[Room]:
    rooms = []
    for entry in text.split(", "):
        name, seats = entry.rsplit(" ", 1)
        equipment = "board" if int(seats) >= 10 else "meeting" if int(seats) >= 6 else "huddle"
        rooms.append(Room(room_id(center, name), name, center, int(seats), equipment))  # type: ignore[arg-type]
    return rooms


CENTERS = {
    id: Center(id=id, name=name, latitude=latitude, longitude=longitude, contact=f"Accueil de {name}")
    for id, (name, latitude, longitude, _) in _CENTERS.items()
}
ROOMS = {room.id: room for id, (_, _, _, text) in _CENTERS.items() for room in _rooms(id, text)}
