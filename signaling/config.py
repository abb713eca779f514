"""The server's configuration: one TOML file, read once, frozen, every mistake named with its remedy.

bind = "0.0.0.0:443"                     # HTTP and WebSocket
public_url = "https://meet.example.org"  # as browsers and agents reach it
data = "/var/lib/roomctl"                # database and generated secrets
network = "network.json"                 # centers, rooms, agents' public keys

[tls]                                    # or a proxy in front; browsers give no camera without HTTPS
certificate = "fullchain.pem"
key = "privkey.pem"

[media]
bind = ["0.0.0.0:7882"]                  # UDP and TCP; with more shards the ports after it, one each
tcp = true                               # false: UDP only
announce = ["203.0.113.7"]               # addresses browsers can reach, where they differ from bind
shards = 2                               # threads
loudest_audio = 5                        # of a room, forward only so many voices, and cameras of so many who spoke
last_video = 25                          # last (optional; screens and pinned pictures always)

[turn]                                   # for clients whose network lets nothing through to media.bind (optional)
urls = ["turn:turn.example.org:3478?transport=udp", "turns:turn.example.org:443?transport=tcp"]
secret = "as static-auth-secret of coturn"
ttl = 21600                              # seconds that credentials are good for

[keys]                                   # LiveKit API keys whose tokens are accepted (optional)
mykey = "a secret of 32 characters or more"

[api]
tokens = ["…"]                           # operators' bearer tokens (optional)
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from relay.config import Media
from wire.places import Center, Room

DEMO_KEY, DEMO_SECRET = "devkey", "secret"
MIN_SECRET = 32  # characters
MIN_TURN_SECRET = 16
_TURN_URL = re.compile(r"turns?:(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:\d{1,5})?(\?transport=(udp|tcp))?")  # RFC 7065


class ConfigError(Exception):
    """The configuration cannot be used; the message names file, key and remedy."""


class Tls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PEM files."""

    certificate: Path
    key: Path


class Turn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """TURN servers that share `secret` with us; clients get credentials good for `ttl` seconds."""

    urls: list[str]
    secret: str
    ttl: float = 6 * 3600.0


class Api(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bearer tokens with the rights of IT."""

    tokens: list[str] = []


class Hooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Webhooks: where events of media rooms are posted, and the API key of `[keys]` that signs them (else our own)."""

    urls: list[str] = []
    key: str | None = None


class Demo(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The demo network: `links` is a JSON file with what the start page shows."""

    links: Path


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A server. Durations in seconds."""

    bind: str = "127.0.0.1:7880"
    public_url: str = "http://127.0.0.1:7880"
    data: Path = Path("data")
    network: Path | None = None
    tls: Tls | None = None
    media: Media = Media()
    turn: Turn | None = None
    keys: dict[str, str] = {}
    api: Api = Api()
    webhooks: Hooks = Hooks()
    heartbeat: float = 15.0
    ring: float = 30.0
    only_meetings: bool = False
    demo: Demo | None = None

    @property
    def media_url(self) -> str:
        """Where livekit-client connects: the public URL with ws or wss."""
        return "ws" + self.public_url.removeprefix("http")


class RoomEntry(Room, frozen=True, omit_defaults=True):
    """A room in the network file, with the public keys of its agent."""

    agent_keys: list[str] = []


class NetworkFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`network.json`."""

    centers: list[Center]
    rooms: list[RoomEntry]


def load(path: Path) -> Config:
    """Read and check a configuration; relative paths in it are relative to the file. Raises ConfigError."""
    try:
        config = msgspec.convert(tomllib.loads(path.read_text()), Config, strict=False, dec_hook=_path)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; copy docker/signaling.toml and edit it") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    base = path.parent
    tls = config.tls and Tls(base / config.tls.certificate, base / config.tls.key)
    demo = config.demo and Demo(base / config.demo.links)
    network = config.network and base / config.network
    config = msgspec.structs.replace(config, data=base / config.data, tls=tls, demo=demo, network=network)
    check(config, path)
    return config


def check(config: Config, path: Path) -> None:
    """Refuse what cannot work or is not safe. Raises ConfigError."""
    for address in (config.bind, *config.media.bind):
        split_address(address)
    url = urlsplit(config.public_url)
    if url.scheme not in ("http", "https") or not url.hostname or url.path not in ("", "/"):
        raise ConfigError(f"{path}: public_url must look like https://meet.example.org, not {config.public_url!r}")
    for hook in config.webhooks.urls:
        if urlsplit(hook).scheme not in ("http", "https") or not urlsplit(hook).hostname:
            raise ConfigError(
                f"{path}: webhooks.urls: {hook!r} is no address; write it like https://hooks.example.org/"
            )
    if config.webhooks.key is not None and config.webhooks.key not in config.keys:
        raise ConfigError(f"{path}: webhooks.key names {config.webhooks.key!r}, which is not in [keys]")
    if (mistake := config.media.mistake()) is not None:
        raise ConfigError(f"{path}: {mistake}")
    if not 1 <= config.heartbeat <= 60 or not 5 <= config.ring <= 300:
        raise ConfigError(f"{path}: heartbeat must be 1 to 60 s, ring 5 to 300 s")
    if config.turn is not None:
        _check_turn(config.turn, path)
    exposed = [a for a in (config.bind, *config.media.bind) if not is_loopback(split_address(a)[0])]
    exposed += [a for a in config.media.announce if not is_loopback(a)]
    if not is_loopback(url.hostname):
        exposed.append(config.public_url)
    if exposed and DEMO_KEY in config.keys:
        raise ConfigError(
            f"{path}: the demo key {DEMO_KEY!r} works on loopback only, but the server would listen on {exposed[0]}. "
            f"Remove it from [keys], or make your own: python -m signaling keygen"
        )
    for name, secret in config.keys.items():
        if (name, secret) != (DEMO_KEY, DEMO_SECRET) and len(secret) < MIN_SECRET:
            raise ConfigError(
                f"{path}: keys.{name} is shorter than 32 characters; make one: python -m signaling keygen"
            )
    for token in config.api.tokens:
        if len(token) < MIN_SECRET:
            raise ConfigError(f"{path}: a token in api.tokens is shorter than 32 characters")
    for file in (config.tls.certificate, config.tls.key) if config.tls else ():
        if not file.is_file():
            raise ConfigError(f"{path}: {file} does not exist; tls needs a certificate chain and its key as PEM files")


def _check_turn(turn: Turn, path: Path) -> None:
    if not turn.urls or not all(_TURN_URL.fullmatch(url) for url in turn.urls):
        raise ConfigError(
            f"{path}: turn.urls must look like turn:turn.example.org:3478?transport=udp (or tcp, or turns:)"
        )
    if len(turn.secret) < MIN_TURN_SECRET:
        raise ConfigError(
            f"{path}: turn.secret is shorter than {MIN_TURN_SECRET} characters; it is static-auth-secret of the TURN server"
        )
    if not 60 <= turn.ttl <= 7 * 24 * 3600:
        raise ConfigError(f"{path}: turn.ttl must be 60 s to a week (604800 s)")


def read_network(path: Path) -> NetworkFile:
    """The network file. Raises ConfigError for unknown centers, double ids, bad JSON."""
    try:
        network = msgspec.json.decode(path.read_bytes(), type=NetworkFile)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; it holds the centers and rooms as JSON") from None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{path}: {error}") from None
    centers = [center.id for center in network.centers]
    rooms = [room.id for room in network.rooms]
    for double in {id for ids in (centers, rooms) for id in ids if ids.count(id) > 1}:
        raise ConfigError(f"{path}: the id {double!r} is used twice")
    for room in network.rooms:
        if room.center not in centers:
            raise ConfigError(f"{path}: room {room.id!r} names center {room.center!r}, which is not in centers")
    return network


def own_secret(config: Config, name: str = "server.key") -> str:
    """The server's own token secret, made on first start and kept readable by its owner only.

    What a full disk or a crash left of it is no secret: another is made.
    """
    file = config.data / name
    config.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    if file.exists() and len(known := file.read_text().strip()) >= MIN_SECRET:
        return known
    secret = secrets.token_urlsafe(48)
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as writing:
        writing.write(secret)
        writing.flush()
        os.fsync(writing.fileno())
    new.replace(file)
    return secret


def split_address(address: str) -> tuple[str, int]:
    """`host:port` or `[v6]:port`. Raises ConfigError."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise ConfigError(f"{address!r} is no address; write it like 127.0.0.1:7880 or [::1]:7880")
    return host.strip("[]"), int(port)


def split_host(host: str) -> str:
    """The name or address in a `Host` header."""
    return host[: host.rindex("]") + 1] if host.startswith("[") and "]" in host else host.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _path(kind: type, value: object) -> object:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError
