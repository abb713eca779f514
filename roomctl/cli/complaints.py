"""What msgspec says of a value that does not fit, in words of people who write TOML and no Python."""

from __future__ import annotations

import re

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "object": "a table",
    "array": "a list",
    "null": "nothing",
}
_BOUNDS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than"}
_ONE = {
    "has to have at least 1 characters": "may not be empty",
    "has to have at least 1 entries": "may not be empty",
    "has to have at most 1 characters": "has to have at most 1 character",
    "has to have at most 1 entries": "has to have at most 1 entry",
}
_RULES = (
    (re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`"), "has to be {wanted}, and is {given}"),
    (re.compile(r"Expected `str` of length (?P<bound>[<>]=?) (?P<n>\d+)"), "has to have {bound} {n} characters"),
    (
        re.compile(r"Expected `(?:array|object)` of length (?P<bound>[<>]=?) (?P<n>\d+)"),
        "has to have {bound} {n} entries",
    ),
    (
        re.compile(r"Expected `(?P<wanted>int|float)` (?P<bound>[<>]=?) (?P<n>[-+.\de]+)"),
        "has to be {wanted}, {bound} {n}",
    ),
    (re.compile(r"Expected `str` matching regex '(?P<n>.+)'"), "has to be written like the pattern {n}"),
    (re.compile(r"Invalid enum value (?P<n>.+)"), "is {n}, which does not exist"),
    (re.compile(r"Object missing required field `(?P<n>[^`]+)`"), "lacks {n!r}"),
    (re.compile(r"Object contains unknown field `(?P<n>[^`]+)`"), "has {n!r}, which does not exist"),
)


def plainly(said: str) -> str:
    """The words after the name of a key: `has to be a whole number, and is text`. What is not known stays as it is."""
    said = said.partition(" - at ")[0]
    for rule, words in _RULES:
        if found := rule.fullmatch(said):
            told = words.format(**{name: _word(name, value) for name, value in found.groupdict().items()})
            return _ONE.get(told, told)
    return f"is wrong: {said.replace('`', chr(39))}"


def _word(name: str, value: str) -> str:
    if name == "bound":
        return _BOUNDS[value]
    if name in ("wanted", "given"):
        kinds = [one for one in value.split(" | ") if one != "null"] or ["null"]
        return " or ".join(dict.fromkeys(_KINDS.get(one, one) for one in kinds))
    return value.replace("\\\\", "\\")
