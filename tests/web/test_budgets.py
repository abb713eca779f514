"""How much each page may load, gzipped: people join from phones on bad networks, panels are small computers."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec
import pytest

from web import LANGUAGES

DIST = Path(__file__).parents[2] / "web" / "dist"
KB = 1000
FIRST_LOAD = {  # page -> kB before it can be used
    "start": 60,
    "join": 60,
    "dashboard": 60,
    "room": 60,
    "panel": 60,
    "display": 60,
    "faults": 60,
    "message": 60,
}
IN_MEETING = 230


class _Chunk(msgspec.Struct, rename="camel"):
    file: str
    css: list[str] = []
    imports: list[str] = []
    dynamic_imports: list[str] = []


@pytest.fixture(scope="module")
def chunks() -> dict[str, _Chunk]:
    manifest = DIST / ".vite" / "manifest.json"
    assert manifest.exists(), "run `npm run build` in web/ first"
    return msgspec.json.decode(manifest.read_bytes(), type=dict[str, _Chunk])


def _weight(chunks: dict[str, _Chunk], *roots: str) -> float:
    """Kilobytes, gzipped, of these chunks and all they import at once, with styles, and the heaviest catalog."""
    reached: set[str] = set()
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            waiting.extend(chunks[key].imports)
    files = {file for key in reached for file in (chunks[key].file, *chunks[key].css)}
    catalogs = [chunks[f".build/catalogs/{language}.json"].file for language in LANGUAGES]
    return (sum(map(_gzipped, files)) + max(map(_gzipped, catalogs))) / KB


def _gzipped(file: str) -> int:
    return len(gzip.compress((DIST / file).read_bytes(), 6, mtime=0))


@pytest.mark.parametrize("page", FIRST_LOAD)
def test_first_load(chunks: dict[str, _Chunk], page: str) -> None:
    assert _weight(chunks, f"src/pages/{page}/main.tsx") <= FIRST_LOAD[page]


def test_in_the_meeting(chunks: dict[str, _Chunk]) -> None:
    assert _weight(chunks, "src/pages/join/main.tsx", "src/pages/join/meeting/Meeting.tsx") <= IN_MEETING


def test_media_does_not_delay_the_check(chunks: dict[str, _Chunk]) -> None:
    assert "src/pages/join/meeting/Meeting.tsx" in chunks["src/pages/join/main.tsx"].dynamic_imports
