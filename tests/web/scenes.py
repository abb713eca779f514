"""Canned documents for the stage: what pages are pictured and tested with."""

from __future__ import annotations

from tests.web.stage import Stage


def furnish(stage: Stage) -> None:
    """Put every scene on the stage."""
    stage.page("/", "start")
