"""What a room says of its ONVIF camera."""

from __future__ import annotations

from typing import Annotated

import msgspec

from devices.config import DeviceConfig, DeviceSettingsError, Mistake
from devices.hosts import Host, bracketed
from devices.marks import READS, SECRET, WRITES

Fingerprint = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$",
        description="the SHA-256 fingerprint of the certificate: 32 bytes in hexadecimal, like '3A:5F:…'",
    ),
]


class OnvifSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`profile`: token of a media profile, the first that moves otherwise. `presets`: number to name.

    A number means the camera's position of that token (`1`, `Preset1`, `preset_1`), or of the name given here. `tls`: over
    HTTPS; `ca` (a PEM file) and `fingerprint` (SHA-256 of its own certificate) as in `devices/onvif/trust.py`. `memory`: the
    file that keeps the positions of a camera that keeps none.
    """

    host: Host
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None  # 80, with tls 443
    username: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema=SECRET)] = ""
    password: Annotated[str, msgspec.Meta(max_length=64, extra_json_schema=SECRET)] = ""
    profile: Annotated[str, msgspec.Meta(max_length=64)] = ""
    presets: dict[
        Annotated[str, msgspec.Meta(pattern=r"^(0|[1-9]\d{0,2})$", description="the number of the position, like '1'")],
        str,
    ] = {}
    memory: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, extra_json_schema=WRITES)] | None = None
    tls: bool = False
    ca: Annotated[str, msgspec.Meta(min_length=1, max_length=4096, extra_json_schema=READS)] | None = None
    fingerprint: Fingerprint | None = None

    @property
    def address(self) -> str:
        """Host and port."""
        return f"{bracketed(self.host)}:{self.port or (443 if self.tls else 80)}"

    def check(self, config: DeviceConfig) -> None:
        """Raises DeviceSettingsError for a certificate that nobody would look at."""
        if not self.tls and (self.ca or self.fingerprint):
            said = "is not true, although `ca` or `fingerprint` is given"
            raise DeviceSettingsError([Mistake(config.id, "settings.tls", said, "Write tls = true, or remove them.")])
