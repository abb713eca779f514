"""Templates of sensors' announcements: what is read, and that no other does harm."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.mqtt import templates


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 'ON' if value_json.o else 'OFF' }}", "ON"),
        ("{{ value_json.missing | default('OFF') }}", "OFF"),
        ("{% if value_json.a.b > 4 %}ON{% else %}OFF{% endif %}", "ON"),
        ("{{ (value_json.t | float(0) * 1.8 + 32) | round(1) }}", "69.8"),
        ("{{ value_json.t | int }}", "21"),
        ("{{ value_json['a'].b | round(1) }}", "4.6"),
        ("{{ value_json.o and value_json.t > 2 }}", "true"),
        ("{{ value_json.missing }}", None),
        ("{{ value_json.missing | float + 1 }}", None),
        ("{{ value_json.l[0] }}", "7"),
    ],
)
def test_common_templates_are_read(template: str, said: str | None) -> None:
    assert templates.known(template)
    assert templates.render(template, '{"o": true, "t": 21, "a": {"b": 4.567}, "l": [7]}') == said


@pytest.mark.parametrize(
    "template",
    [
        "{% for one in value_json %}{{ one }}{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}",
        "{% set x = value %}{{ x }}",
        "{{ value.__class__.__mro__ }}",
        "{{ value.format(value) }}",
        "{{ states('x') }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ value ~ value }}",
        "{{ '9' * 999999999 }}",
        "{{ [1] * 999999999 }}",
        "{{ '%0999999999d' % 1 }}",
        "{{ value | center(999999999) }}",
        "{{ 1 | round(999999999, 'ceil') }}",
        "{{ 1 | round(-999999999) }}",
        "{{ " + "(" * 200 + "1" + ")" * 200 + " }}",
        "{{ value }}" * 47,
        "x" * 513,
    ],
)
def test_templates_that_loop_call_or_grow_are_not(template: str) -> None:
    with pytest.raises(templates.Unread):
        templates.render(template, "x" * 60_000)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_template_is_read_or_not(template: str, payload: str) -> None:
    for text in (template, "{{ " + template + " }}", "{% " + template + " %}"):
        with suppress(templates.Unread):
            templates.render(text, payload)
