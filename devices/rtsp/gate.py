"""What passes between FFmpeg and a camera: everything but a way elsewhere, and our password only in our own answers.

FFmpeg follows a redirection (RFC 2326 §11.3) of OPTIONS, DESCRIBE or SETUP to any host, and would log in there. It is
therefore given an address of this machine and no password; behind that, a `Gate` asks the camera in its place: with the
camera's address in each request, the password where the camera asks for it, and redirections turned into refusals.
No sockets here: `devices/rtsp/passage.py` has them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from devices.rtsp import messages

MOST = 16  # requests without an answer
LONGEST = 128 * 1024  # bytes of a message or a frame that is not whole
_REQUEST = re.compile(rb"([A-Z_]{1,32}) (\S{1,2048}) (RTSP/1\.\d)")
_STATUS = re.compile(rb"RTSP/1\.\d (\d{3})(?: |$)")
_CSEQ = re.compile(rb"(?im)^cseq[ \t]*:[^\r\n]*")


class Broken(Exception):
    """What came is neither a message nor a frame."""


@dataclass(frozen=True)
class _Asked:
    """A request of FFmpeg: its number there, its header lines without CSeq; `tried`: with the password."""

    number: bytes
    method: str
    url: str
    lines: tuple[bytes, ...]
    tried: bool = False


class Gate:
    """`near`: how the addresses of FFmpeg's requests begin; `far`: how they begin for the camera (`rtsp://host:port`)."""

    def __init__(self, near: str, far: str, login: tuple[str, str]) -> None:
        self._near, self._far, self._login = near, far, login
        self._asking, self._answering = bytearray(), bytearray()
        self._asked: dict[int, _Asked] = {}
        self._number = 0
        self._challenges: tuple[str, ...] = ()
        self._count = 0  # answers to these challenges
        self._known = False  # its first request was FFmpeg's
        self._playing = False  # FFmpeg follows no redirection any more
        self._open = False  # the camera's frames cannot be told apart any more: all passes
        self.elsewhere = False  # the camera wanted us to go to another address

    def ask(self, data: bytes) -> bytes:
        """What the camera is sent for what FFmpeg sent; raises Broken."""
        self._asking += data
        sent = bytearray()
        for one in _pieces(self._asking):
            if one[:1] == b"$" or one.startswith(b"RTSP/"):
                sent += one  # its receiver reports
            else:
                sent += self._request(one)
        return bytes(sent)

    def answer(self, data: bytes) -> tuple[bytes, bytes]:
        """What FFmpeg is sent for what the camera sent, and what the camera is sent; raises Broken."""
        self._answering += data
        told, asked = bytearray(), bytearray()
        try:
            for one in _pieces(self._answering) if not self._open else ():
                if one[:1] == b"$":
                    told += one
                elif (status := _STATUS.match(one)) is not None:
                    again, answer = self._response(int(status[1]), one)
                    asked += again
                    told += answer
                elif _REQUEST.match(one) is None:  # what a camera asks of us is not passed on
                    raise Broken("no RTSP")
        except Broken:
            if not self._playing:
                raise
            self._open = True
        if self._open:
            told += self._answering
            self._answering.clear()
        return bytes(told), bytes(asked)

    def _request(self, one: bytes) -> bytes:
        first, _, rest = one.partition(b"\r\n")
        read = _REQUEST.fullmatch(first)
        if read is None or len(self._asked) >= MOST:
            raise Broken("no request")
        url = read[2].decode("latin-1")
        near = url == self._near or url.startswith((f"{self._near}/", f"{self._near}?"))
        if not (near or self._known):
            raise Broken("a stranger")
        self._known = True
        head, _, _ = rest.partition(b"\r\n\r\n")
        lines = tuple(line for line in head.split(b"\r\n") if line and not _CSEQ.match(line))
        number = _CSEQ.search(rest)
        said = number[0].partition(b":")[2].strip() if number else b"0"
        return self._send(_Asked(said, read[1].decode(), self._far + url[len(self._near) :] if near else url, lines))

    def _send(self, one: _Asked) -> bytes:
        self._number += 1
        self._asked[self._number] = one
        lines = [f"{one.method} {one.url} RTSP/1.0".encode("latin-1"), b"CSeq: %d" % self._number, *one.lines]
        if self._challenges:
            self._count += 1
            words = messages.authorization(self._challenges, one.method, one.url, *self._login, count=self._count)
            lines += [f"Authorization: {words}".encode("latin-1", "replace")] if words else []
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def _response(self, status: int, one: bytes) -> tuple[bytes, bytes]:
        """What the camera is asked again, and what FFmpeg is told."""
        headers, challenges = messages.headers(one.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:])
        said = headers.get("cseq", "")
        number = int(said) if said.isascii() and said.isdigit() and len(said) < 10 else self._number
        asked = self._asked.pop(number, None)
        if asked is None or status < 200:
            return b"", b""
        if status == 401 and self._login[0] and not asked.tried and challenges:
            self._challenges, self._count = challenges, 0
            return self._send(replace(asked, tried=True)), b""
        if 300 <= status < 400:
            self.elsewhere = True
            return b"", b"RTSP/1.0 403 Forbidden\r\nCSeq: %b\r\n\r\n" % asked.number
        self._playing |= asked.method == "PLAY" and status == 200
        return b"", _CSEQ.sub(lambda _: b"CSeq: " + asked.number, one, count=1)


def _pieces(buffer: bytearray) -> list[bytes]:
    """The messages, and runs of interleaved frames (RFC 2326 §10.12), that are whole; the rest stays. Raises Broken."""
    found: list[bytes] = []
    at = begin = 0
    while at < len(buffer):
        if buffer[at] == 0x24:
            end = at + 4 + int.from_bytes(buffer[at + 2 : at + 4], "big")
            if at + 4 > len(buffer) or end > len(buffer):
                break
            at = end
            continue
        if at > begin:
            found.append(bytes(buffer[begin:at]))
        begin = at
        if (whole := _end_of_message(buffer, at)) is None:
            break
        found.append(bytes(buffer[at:whole]))
        at = begin = whole
    if at > begin:
        found.append(bytes(buffer[begin:at]))
    del buffer[:at]
    if len(buffer) > LONGEST:
        raise Broken("too long")
    return found


def _end_of_message(buffer: bytearray, at: int) -> int | None:
    if not chr(buffer[at]).isalpha():
        raise Broken("no RTSP")
    end = buffer.find(b"\r\n\r\n", at, at + messages.LONGEST_HEAD + 4)
    if end < 0:
        if len(buffer) - at > messages.LONGEST_HEAD:
            raise Broken("a message without end")
        return None
    said = messages.headers(bytes(buffer[at:end]).split(b"\r\n")[1:])[0].get("content-length", "0")
    if not (said.isascii() and said.isdigit()) or len(said) > 6 or int(said) > messages.LONGEST_BODY:
        raise Broken("a body without end")
    whole = end + 4 + int(said)
    return whole if whole <= len(buffer) else None
