"""Pages as HTML: one Jinja2 shell with the page's data as JSON, made live by the page's script.

The HTML must be sent with `Cache-Control: no-store` (its `now` tells the page how far the person's clock is off) and
with `content_security_policy()`. Everything under `/static/assets/` has a hash in its name and never changes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from web.catalogs import LANGUAGES, Catalog, load_all
from web.manifest import Manifest

_HERE = Path(__file__).parent
_UNSAFE_IN_SCRIPT = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_SPOKEN = {"fr": "Français", "nl": "Nederlands", "de": "Deutsch", "en": "English"}


def content_security_policy(*connect: str) -> str:
    """The policy every page works under: no inline script or style. `connect`: other origins (media) it may reach."""
    reachable = " ".join(("'self'", *connect))
    return (
        f"default-src 'self'; connect-src {reachable}; img-src 'self' data: blob:; media-src 'self' blob:; "
        "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    )


class Pages:
    """Renders every page. `static_dir` is served under `/static/`."""

    def __init__(self, dist: Path = _HERE / "dist", clock: Callable[[], float] = time.time) -> None:
        self.static_dir = dist
        self._clock = clock
        self._manifest = Manifest(dist)
        self._catalogs = load_all()
        self._icons = Markup(_symbols((_HERE / "icons.svg").read_text(encoding="utf-8")))  # noqa: S704 our own file
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def catalog(self, language: str) -> Catalog:
        """The sentences of `language`, for what is written outside pages (mail, SVG)."""
        return self._catalogs[language]

    def render(
        self, page: str, *, language: str, data: Mapping[str, Any] | None = None, title: str | None = None
    ) -> str:
        """HTML of `page` in `language`; `data` (msgspec structs allowed) is what its script starts from.

        `title` defaults to the catalog's `title.<page>`. Raises PagesNotBuilt where `npm run build` was not run, and
        KeyError for a language we do not speak.
        """
        catalog = self._catalogs[language]
        island = {"page": page, "language": language, "now": self._clock(), "data": dict(data or {})}
        return self._templates.get_template("message.html" if page == "message" else "page.html").render(
            page=page,
            language=language,
            languages=[(code, _SPOKEN[code]) for code in LANGUAGES],
            title=title if title is not None else catalog.text(f"title.{page}"),
            assets=self._manifest.assets(page, language),
            icons=self._icons,
            island=_island(island),
            data=dict(data or {}),
            t=catalog.text,
            known=catalog.__contains__,
        )


def _island(value: object) -> Markup:
    """JSON that cannot end its script element."""
    text = msgspec.json.encode(value).decode()
    return Markup("".join(_UNSAFE_IN_SCRIPT.get(letter, letter) for letter in text))  # noqa: S704 escaped just now


def _symbols(svg: str) -> str:
    """The `<symbol>` elements of the icon file."""
    return svg[svg.index("<symbol") : svg.rindex("</svg>")].strip()
