"""What tests over links between network namespaces have in common."""

from __future__ import annotations

import os

import pytest

NETWORK = pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace needs root")
BROWSERS = [pytest.mark.browser, pytest.mark.slow, NETWORK]
"""Of those that drive browsers there."""
