"""An installer reads what is wrong without knowing Python."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import pytest

from roomctl.cli.complaints import plainly


class _Inner(msgspec.Struct, forbid_unknown_fields=True):
    name: str


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        (int, "14", "has to be a whole number, and is text"),
        (float | None, "20", "has to be a number, and is text"),
        (list[str], {}, "has to be a list, and is a table"),
        (Annotated[int, msgspec.Meta(ge=1)], 0, "has to be a whole number, at least 1"),
        (Annotated[float, msgspec.Meta(lt=1.5)], 2.5, "has to be a number, less than 1.5"),
        (Annotated[str, msgspec.Meta(min_length=1)], "", "may not be empty"),
        (Annotated[str, msgspec.Meta(min_length=2)], "", "has to have at least 2 characters"),
        (Annotated[list[int], msgspec.Meta(max_length=1)], [1, 2], "has to have at most 1 entry"),
        (Annotated[str, msgspec.Meta(pattern=r"^\d$")], "x", r"has to be written like the pattern ^\d$"),
        (Literal["idle", "standby"], "standbye", "is 'standbye', which does not exist"),
        (_Inner, {}, "lacks 'name'"),
        (_Inner, {"name": "x", "hots": 1}, "has 'hots', which does not exist"),
    ],
)
def test_what_does_not_fit_is_said_in_plain_words(kind: Any, value: Any, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        msgspec.convert(value, kind)
    assert plainly(str(refused.value)) == said


def test_what_has_no_rule_is_passed_on() -> None:
    assert plainly("Something `new`") == "is wrong: Something 'new'"
