"""`python -m signaling --config FILE`: run a server, and the small jobs an operator does beside it."""

from __future__ import annotations

import argparse
import asyncio
import errno
import logging
import os
import secrets
import signal
import ssl
import sys
import time
from pathlib import Path

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from signaling.app import Server
from signaling.auth import Auth
from signaling.config import Config, ConfigError, load, split_address
from signaling.store import AuditRecord, CredentialRecord, Store, sqlite_url
from wire.problems import Refusal


def main(arguments: list[str] | None = None) -> int:
    """Entry point; the exit code is 0 when all went well, 2 for a mistake in how it was called or configured."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiohttp.server").addFilter(hide_malformed)
    os.umask(0o077)  # what we write has people's names in it
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        if options.job == "keygen":
            print(f'[keys]\nkey{secrets.token_hex(4)} = "{secrets.token_urlsafe(36)}"')
            return 0
        config = load(options.config)
        job = {"run": _serve, "sign-in": _sign_in, "enroll": _enroll, "revoke": _revoke}[options.job]
        return asyncio.run(job(config, options))
    except (ConfigError, Refusal) as error:
        print(f"roomctl: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"roomctl: {_in_words(error)}", file=sys.stderr)
        return 2


def hide_malformed(record: logging.LogRecord) -> bool:
    """Log filter: a request that is no HTTP is one line, without its text, which may hold a token or a link's secret."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, HttpProcessingError):
        record.msg, record.args = "a request that is no HTTP was refused: %s", (type(error).__name__,)
        record.levelno, record.levelname = logging.INFO, "INFO"
        record.exc_info = record.exc_text = None
    return True


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m signaling", description="The roomctl server.")
    parser.add_argument("job", nargs="?", default="run", choices=["run", "sign-in", "enroll", "revoke", "keygen"])
    parser.add_argument("--config", type=Path, default=Path("signaling.toml"), help="TOML file (signaling/config.py)")
    parser.add_argument("--room", help="enroll, revoke: the room's id")
    parser.add_argument("--key", help="enroll, revoke: the agent's public key (python -m roomctl keygen prints it)")
    return parser


async def _serve(config: Config, options: argparse.Namespace) -> int:
    host, port = split_address(config.bind)
    tls = None
    if config.tls:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(config.tls.certificate, config.tls.key)
    async with Server.open(config) as server:
        # Tokens travel in the URL, hence no access log and long lines: livekit-client's V1 request carries its offer.
        runner = web.AppRunner(server.app, access_log=None, shutdown_timeout=2, max_line_size=16384)
        await runner.setup()
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
        logging.getLogger("signaling").info("serving %s", config.public_url)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        await runner.cleanup()
    return 0


async def _sign_in(config: Config, options: argparse.Namespace) -> int:
    store = await Store.open(sqlite_url(config.data / "roomctl.sqlite"))
    code = await Auth(store, (), secure=False).new_sign_in()
    await store.close()
    print(f"{config.public_url}/it/{code}")
    return 0


async def _enroll(config: Config, options: argparse.Namespace) -> int:
    return await _credential(config, options, "enroll", None)


async def _revoke(config: Config, options: argparse.Namespace) -> int:
    return await _credential(config, options, "revoke", time.time())


async def _credential(config: Config, options: argparse.Namespace, action: str, revoked_at: float | None) -> int:
    if not options.room or not options.key:
        raise ConfigError(f"{action} needs --room ID and --key KEY")
    store = await Store.open(sqlite_url(config.data / "roomctl.sqlite"))
    try:
        known = {room.id for room in (await store.network()).rooms}
        if options.room not in known:
            why = "Correct the name" if known else "The server reads its network when it starts: start it once"
            raise ConfigError(f"there is no room {options.room!r} in this network. {why}.")
        now = time.time()
        audit = AuditRecord(now, "it:console", action, options.room, {"key": options.key})
        await store.put_credential(CredentialRecord(options.room, options.key, now, revoked_at), audit)
    finally:
        await store.close()
    return 0


def _in_words(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"the port is taken by another program ({error}); stop that program or choose another bind"
    if error.errno == errno.EACCES:
        return f"not permitted: {error}; ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
