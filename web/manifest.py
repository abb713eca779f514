"""What Vite built: which script, styles and preloads each page needs (`dist/.vite/manifest.json`)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec


class PagesNotBuilt(RuntimeError):
    """`web/dist` is missing or lacks a page: run `npm ci && npm run build` in web/."""


class _Chunk(msgspec.Struct, rename="camel"):
    file: str
    css: list[str] = []
    imports: list[str] = []
    dynamic_imports: list[str] = []


@dataclass(frozen=True)
class Assets:
    """Addresses, without the static prefix, of what one page loads first."""

    script: str
    styles: tuple[str, ...]
    preloads: tuple[str, ...]  # modules the script imports at once, and the catalog of the language


class Manifest:
    """The manifest as read from `dist`; read again whenever a build replaced it."""

    def __init__(self, dist: Path) -> None:
        self._path = dist / ".vite" / "manifest.json"
        self._read_at = -1
        self._chunks: dict[str, _Chunk] = {}

    def assets(self, page: str, language: str) -> Assets:
        """What `page` needs. Raises PagesNotBuilt."""
        self._refresh()
        name = f"src/pages/{page}/main.tsx"
        if name not in self._chunks:
            raise PagesNotBuilt(f"no page {page!r} in {self._path}")
        reached = self._reached(name)
        catalog = self._chunks.get(f".build/catalogs/{language}.json")
        styles = dict.fromkeys(style for chunk in reached for style in chunk.css)
        modules = [chunk.file for chunk in reached[:-1]] + ([catalog.file] if catalog else [])
        return Assets(self._chunks[name].file, tuple(styles), tuple(modules))

    def _reached(self, name: str) -> list[_Chunk]:
        """The chunk and all it imports statically, dependencies first, itself last."""
        order: dict[str, None] = {}

        def visit(key: str) -> None:
            if key in order:
                return
            for dependency in self._chunks[key].imports:
                visit(dependency)
            order[key] = None

        visit(name)
        return [self._chunks[key] for key in order]

    def _refresh(self) -> None:
        try:
            changed = self._path.stat().st_mtime_ns
        except FileNotFoundError as missing:
            raise PagesNotBuilt(f"{self._path} is missing: run `npm ci && npm run build` in web/") from missing
        if changed != self._read_at:
            self._chunks = msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Chunk])
            self._read_at = changed
