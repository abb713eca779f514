"""What somebody meant who wrote a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(name: object, names: Iterable[str]) -> str:
    """`Did you mean 'power'? ` where one of the names is close, else nothing."""
    close = difflib.get_close_matches(str(name), list(names), n=1)
    return f"Did you mean {close[0]!r}? " if close else ""
