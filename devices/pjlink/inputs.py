"""What the inputs of a projector are called: by the settings, by the projector itself, or by their kind.

Source: "PJLink Specifications" class 1 (1.04), 4.4 and 4.10 (`INPT`, `INST`): an input is a kind and a number; class 2
(2.00), 4.19 (`INNM`): what the projector calls it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from devices.errors import NotNow, NotSupported, Rejected

USUAL: Mapping[str, str] = {"hdmi1": "31", "hdmi2": "32"}
"""What may be chosen where the settings name no input, whatever the projector calls it; offered until it said what it has."""

KINDS = {"1": "rgb", "2": "video", "3": "digital", "4": "storage", "5": "network", "6": "internal"}
MOST = 16  # inputs whose names are asked
LONGEST = 64  # characters of a name
_CODE = re.compile("[1-6][1-9A-Z]")


def read_inputs(value: str) -> list[str]:
    """INST: the codes of the inputs there are; what is no code is left out."""
    return list(dict.fromkeys(code for code in value.upper().split() if _CODE.fullmatch(code)))


def read_name(value: str) -> str:
    """INNM: what people can read of a name."""
    return "".join(letter for letter in value if letter.isprintable()).strip()[:LONGEST]


class Inputs:
    """Name to code of the inputs that are offered; `missing`: those of the settings that the projector does not have."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings
        self._codes = dict(settings or USUAL)
        self.missing: list[str] = []
        self.codes: list[str] = []  # there are, once it told

    @property
    def names(self) -> list[str]:
        """In the order in which they are offered."""
        return list(self._codes)

    async def ask(self, ask: Callable[[str, str], Awaitable[str]], *, names: bool) -> bool:
        """Learn which there are, and their `names` where the settings have none; False when it does not tell."""
        try:
            codes = read_inputs(await ask("INST", "?"))
        except (NotSupported, NotNow, Rejected):
            return False
        told = {}
        for code in codes[:MOST] if names and not self._settings else ():
            try:
                told[code] = read_name(await ask("INNM", f"?{code}"))
            except (NotSupported, NotNow, Rejected):
                continue
        if codes:
            self.learn(codes, told)
        return bool(codes)

    def learn(self, codes: list[str], told: Mapping[str, str]) -> None:
        """The projector has `codes` and calls them as it `told`; names that two inputs share tell nothing of either."""
        self.codes = codes
        if self._settings:
            self.missing = [f"{name} = {code}" for name, code in self._settings.items() if code not in codes]
            self._codes = {name: code for name, code in self._settings.items() if code in codes}
            return
        names = [told.get(code) or _by_kind(code) for code in codes]
        clear = len(set(names)) == len(codes)
        self._codes = {name if clear else _by_kind(code): code for name, code in zip(names, codes, strict=True)}

    def choose(self, name: str) -> str | None:
        """The code of `name`; an input that is asked for by its usual name is called so from then on."""
        if not self._settings and name not in self._codes and (code := USUAL.get(name)) in self._codes.values():
            self._codes = {name if one == code else called: one for called, one in self._codes.items()}
        return self._codes.get(name)

    def name(self, code: str) -> str | None:
        """What the input shown is called, None when the projector does not say which that is."""
        called = next((name for name, one in self._codes.items() if one == code), None)
        return called or (_by_kind(code) if _CODE.fullmatch(code) else code) or None


def _by_kind(code: str) -> str:
    usual = next((name for name, one in USUAL.items() if one == code), None)
    return usual or f"{KINDS[code[0]]} {code[1]}"
