"""The agent's Ed25519 key: made once, kept in a file only its owner may read, proved by signing the server's nonce."""

from __future__ import annotations

import base64
import os
import pwd
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from roomctl.errors import ConfigError
from wire.link import SIGNING_CONTEXT

MISSING, DENIED = "config.key_missing", "config.key_denied"


class AgentKey:
    """A private key that signs for one room."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @classmethod
    def generate(cls) -> AgentKey:
        """A fresh key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path) -> AgentKey:
        """The key in a PEM file. Raises ConfigError naming file and remedy: a key that is there is not to be made anew."""
        remedy = f"make one with: python -m roomctl keygen --key {path}"
        try:
            private = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except PermissionError as error:
            said = f"may not be read by {_user(os.geteuid())}: {_whose(path)}"
            remedy = f"run this as the agent's user; if it is that, give it the key: chown USER {path}"
            raise ConfigError(path, "key_file", said, remedy, DENIED) from error
        except OSError as error:
            raise ConfigError(path, "key_file", f"cannot be read ({error.strerror})", remedy, MISSING) from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ConfigError(path, "key_file", "is no unencrypted PEM private key", remedy, MISSING) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise ConfigError(path, "key_file", "is no Ed25519 key", remedy, MISSING)
        return cls(private)

    def write(self, path: Path) -> None:
        """Write a new PEM file (mode 600). Raises FileExistsError rather than replace a key that is enrolled somewhere."""
        pem = self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)

    @property
    def public(self) -> str:
        """The raw public key in base64: what IT enrols."""
        raw = self._private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return base64.b64encode(raw).decode()

    def sign(self, room: str, nonce: str) -> str:
        """Proof for `room` over the server's nonce, in base64 (see `wire.link`)."""
        message = SIGNING_CONTEXT + room.encode() + b"\n" + nonce.encode()
        return base64.b64encode(self._private.sign(message)).decode()


def _whose(path: Path) -> str:
    try:
        known = path.stat()
    except OSError:
        return "its folder is closed"
    return f"it belongs to {_user(known.st_uid)} (mode {stat.S_IMODE(known.st_mode):o})"


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
