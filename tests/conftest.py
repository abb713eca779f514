"""For all tests: generated examples are the same on every run, so that a failure is there for everyone."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("fixed", derandomize=True, deadline=None, database=None)
settings.load_profile("fixed")
