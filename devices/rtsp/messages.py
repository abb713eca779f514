"""RTSP/1.0 requests and responses without a socket, as much as asking a camera about its stream needs.

Source: RFC 2326 (sections below), RFC 2617 for Basic and Digest.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex

LONGEST_HEAD = 16 * 1024  # bytes
LONGEST_BODY = 64 * 1024
_STATUS = re.compile(rb"RTSP/1\.[01] (\d{3})(?: |$)")
_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


@dataclass(frozen=True)
class Response:
    """An answer; header names are in lower case. `challenges`: each WWW-Authenticate."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    challenges: tuple[str, ...] = ()
    body: bytes = b""

    @property
    def number(self) -> int:
        """CSeq of the request it answers, -1 when it does not say (§12.17)."""
        text = self.headers.get("cseq", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


@dataclass(frozen=True)
class Malformed:
    """What came is not RTSP; nothing after it can be read."""

    data: bytes


def request(method: str, url: str, number: int, *, authorization: str = "") -> bytes:
    """A request without body (§6)."""
    lines = [f"{method} {url} RTSP/1.0", f"CSeq: {number}", "User-Agent: roomctl"]
    lines += ["Accept: application/sdp"] if method == "DESCRIBE" else []
    lines += [f"Authorization: {authorization}"] if authorization else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def authorization(
    challenges: tuple[str, ...],
    method: str,
    url: str,
    name: str,
    password: str,
    *,
    count: int = 1,
    random: Callable[[], str] = lambda: token_hex(8),
) -> str:
    """The answer to a challenge: Digest with MD5 where it is offered, else Basic, "" when it is neither (RFC 2617).

    `count`: how many requests were answered for this challenge, this one included; `random`: makes a client's nonce.
    """
    for challenge in sorted(challenges, reverse=True):  # D after B
        scheme, _, rest = challenge.partition(" ")
        said = {key.lower(): quoted or plain for key, quoted, plain in _PARAMETER.findall(rest)}
        if scheme.lower() == "basic":
            return "Basic " + b64encode(f"{name}:{password}".encode()).decode()
        if scheme.lower() == "digest" and said.get("algorithm", "MD5").upper() == "MD5":
            realm, nonce = said.get("realm", ""), said.get("nonce", "")
            secret, asked, more = _md5(f"{name}:{realm}:{password}"), _md5(f"{method}:{url}"), ""
            if "auth" in re.split(r"[\s,]+", said.get("qop", "")):  # §3.2.2
                more = f'qop=auth, nc={count:08x}, cnonce="{(own := random())}", '
                answer = _md5(f"{secret}:{nonce}:{count:08x}:{own}:auth:{asked}")
            else:
                answer = _md5(f"{secret}:{nonce}:{asked}")
            opaque = f', opaque="{said["opaque"]}"' if "opaque" in said else ""
            named = f'username="{name}", realm="{realm}", nonce="{nonce}", uri="{url}"'
            return f'Digest {named}, {more}response="{answer}"{opaque}'
    return ""


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


class Reader:
    """Responses out of a stream. After Malformed nothing more is read."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._broken = False

    def feed(self, data: bytes) -> list[Response | Malformed]:
        """Every response that is whole now."""
        found: list[Response | Malformed] = []
        self._rest += b"" if self._broken else data
        at = 0
        while not self._broken:
            one, length = self._at(at)
            if one is None:
                break
            at += length
            self._broken = isinstance(one, Malformed)
            found.append(one)
        del self._rest[: len(self._rest) if self._broken else at]
        return found

    def _at(self, begin: int) -> tuple[Response | Malformed | None, int]:
        """The response that begins there and its length; None until it is whole."""
        start = b"RTSP/1."
        first = self._rest[begin : begin + len(start)]
        end = self._rest.find(b"\r\n\r\n", begin, begin + LONGEST_HEAD + 4)
        malformed = Malformed(bytes(self._rest[begin : begin + 200]))
        if start[: len(first)] != first or (end < 0 and len(self._rest) - begin > LONGEST_HEAD):
            return malformed, 0
        if end < 0:
            return None, 0
        line, *lines = bytes(self._rest[begin:end]).split(b"\r\n")
        status = _STATUS.match(line)
        told, challenges = headers(lines)
        said = told.get("content-length", "0")
        if status is None or not (said.isascii() and said.isdigit()) or len(said) > 9 or int(said) > LONGEST_BODY:
            return malformed, 0
        body, after = end + 4, end + 4 + int(said)
        if len(self._rest) < after:
            return None, 0
        return Response(int(status[1]), told, challenges, bytes(self._rest[body:after])), after - begin


def headers(lines: list[bytes]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The header lines of a message, names in lower case, and each WWW-Authenticate by itself."""
    found: dict[str, str] = {}
    challenges = []
    for line in lines:
        name, _, value = line.decode("latin-1").partition(":")
        found[name.strip().lower()] = value.strip()
        if name.strip().lower() == "www-authenticate":
            challenges.append(value.strip())
    return found, tuple(challenges)


def codec(sdp: bytes) -> str:
    """Name of the first video codec of a description (RFC 4566 §6, rtpmap), "" when there is no video."""
    video = sdp.decode("latin-1").partition("m=video")[2]
    found = re.search(r"a=rtpmap:\d+ ([\w.-]{1,32})/", video)
    return found[1] if found else ""
