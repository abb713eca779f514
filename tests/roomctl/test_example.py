"""The example that operators start from is one that works."""

from __future__ import annotations

from pathlib import Path

from devices import DeviceHub
from roomctl.config import read_config

EXAMPLE = Path(__file__).parents[2] / "docker" / "room.toml"


def test_the_example_configuration_is_accepted() -> None:
    config = read_config(EXAMPLE)
    hub = DeviceHub(config.room.id, list(config.devices), lambda: None)
    assert [device.role for device in hub.snapshot().values()] == ["main_camera", "front_display"]
    assert config.media.mode == "display"
