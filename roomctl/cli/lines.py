"""On which line of a TOML file each key stands: TOML readers do not say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

_TABLE = re.compile(r"\s*\[(?P<array>\[)?\s*(?P<name>[^\]]+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""\s*(?P<name>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
_INLINE = re.compile(r"""[{,]\s*(?P<name>[A-Za-z0-9_-]+|"[^"]*"|'[^']*')\s*=""")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'')


@dataclass
class Lines:
    """Line numbers, from 1, by path: `("devices", 1, "settings", "host")`."""

    _at: dict[Path, int] = field(default_factory=dict)

    def of(self, path: Path) -> int | None:
        """The line of `path`, or of what it would stand in when it is missing."""
        for length in range(len(path), 0, -1):
            if (line := self._at.get(path[:length])) is not None:
                return line
        return None

    def note(self, path: Path, line: int) -> None:
        """Remember the first line of `path` and of what contains it."""
        for length in range(1, len(path) + 1):
            self._at.setdefault(path[:length], line)


def lines_of(text: str) -> Lines:
    """Where each key of `text` stands; best effort for text that is no TOML."""
    found = Lines()
    table: Path = ()
    counts: dict[Path, int] = {}
    open_quote, depth = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if open_quote:
            open_quote = "" if open_quote in line else open_quote
            continue
        bare = _STRING.sub('""', line)
        if depth:
            depth += _opened(bare)
            continue
        if heading := _TABLE.match(line):
            table = _entered(_parts(heading["name"]), array=heading["array"] is not None, counts=counts)
            found._at[table] = number
            found.note(table, number)
        elif key := _KEY.match(line):
            path = (*table, *_parts(key["name"]))
            found.note(path, number)
            value = line[key.end() :]
            for inner in _INLINE.finditer(_STRING.sub('""', value) if value.lstrip().startswith("{") else ""):
                found.note((*path, *_parts(inner["name"])), number)
            open_quote = next((quote for quote in ('"""', "'''") if value.count(quote) == 1), "")
            depth = 0 if open_quote else max(0, _opened(_STRING.sub('""', value)))
    return found


def _opened(bare: str) -> int:
    bare = bare.partition("#")[0]
    return sum(bare.count(one) for one in "[{") - sum(bare.count(one) for one in "]}")


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(name))


def _entered(names: tuple[str, ...], *, array: bool, counts: dict[Path, int]) -> Path:
    """The path of a table's heading, with the index of each array of tables it stands in."""
    path: Path = ()
    for index, name in enumerate(names):
        path = (*path, name)
        if array and index == len(names) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path
