"""Which certificate a camera must show over HTTPS: one signed for it by an authority, or the very one that it has."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from devices.errors import Refused

if TYPE_CHECKING:
    import aiohttp

UNTRUSTED = "device.certificate"


@dataclass(frozen=True)
class Trust:
    """`ca`: PEM file of the authority, None for the machine's own. `fingerprint`: SHA-256 of the camera's own certificate.

    A certificate that a camera signed itself is refused unless its fingerprint is given: then no name or date counts.
    """

    ca: str | None = None
    fingerprint: str | None = None

    def check(self) -> ssl.SSLContext | aiohttp.Fingerprint:
        """What aiohttp holds the certificate against (blocking); raises Refused for a file that cannot be read."""
        import aiohttp

        if self.fingerprint is not None:
            return aiohttp.Fingerprint(bytes.fromhex(self.fingerprint.replace(":", "")))
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError as error:
            raise Refused(f"{self.ca}: {error}", code=UNTRUSTED) from error


def distrusted(error: aiohttp.ClientError) -> Refused | None:
    """What to say when a connection failed for its certificate; None when it did not."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ServerFingerprintMismatch):
        return Refused(str(error), code=UNTRUSTED)
    return None
