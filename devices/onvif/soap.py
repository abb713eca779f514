"""SOAP 1.2 envelopes with a WS-Security UsernameToken, written and read without a socket.

Sources: ONVIF Core Specification (5.9 fault codes, 5.12.1 user token), OASIS WS-Security UsernameToken Profile 1.0.
"""

from __future__ import annotations

import hashlib
import math
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree
from xml.parsers import expat
from xml.sax.saxutils import escape

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
SECURITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
UTILITY = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
MEDIA = "http://www.onvif.org/ver10/media/wsdl"
MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
PTZ = "http://www.onvif.org/ver20/ptz/wsdl"
SCHEMA = "http://www.onvif.org/ver10/schema"

LONGEST = 1024 * 1024  # bytes of an answer
_WORD = re.compile(r"[\w.:-]{1,80}")


class NoSoap(ValueError):
    """What came is no SOAP envelope that we read."""


@dataclass(frozen=True)
class Fault:
    """The camera said no. `codes`: the fault code and its subcodes without their prefixes, outermost first."""

    codes: tuple[str, ...]
    reason: str = ""


Element = ElementTree.Element


def digest(nonce: bytes, created: str, password: str) -> str:
    """Of a UsernameToken (Profile 1.0, 3.1)."""
    return b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()  # noqa: S324


def security(name: str, password: str, nonce: bytes, now: datetime) -> str:
    """The header that says who asks; `now` is the camera's own time."""
    created = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}Z"
    return (
        f'<wsse:Security xmlns:wsse="{SECURITY}" xmlns:wsu="{UTILITY}" s:mustUnderstand="true"><wsse:UsernameToken>'
        f"<wsse:Username>{escape(name)}</wsse:Username>"
        f'<wsse:Password Type="{DIGEST}">{digest(nonce, created, password)}</wsse:Password>'
        f"<wsse:Nonce>{b64encode(nonce).decode()}</wsse:Nonce><wsu:Created>{created}</wsu:Created>"
        "</wsse:UsernameToken></wsse:Security>"
    )


def envelope(body: str, header: str = "") -> bytes:
    """A request; `body` and `header` are XML."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="{ENVELOPE}" xmlns:tds="{DEVICE}"'
        f' xmlns:trt="{MEDIA}" xmlns:tr2="{MEDIA2}" xmlns:tptz="{PTZ}" xmlns:tt="{SCHEMA}">'
        f"<s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def parse(data: bytes) -> Element:
    """An XML document of bounded size, without a document type: it has no entities of its own; raises NoSoap.

    Bytes that are no UTF-8 become U+FFFD: makers write their own name in the letters of their country.
    """
    text = data.decode(errors="replace") if len(data) <= LONGEST else ""
    if not text:
        raise NoSoap("nothing, or too long")
    try:
        if "<!" in text:  # a comment, a CDATA section, or what we refuse
            _refuse_types(text)
        return ElementTree.fromstring(text)  # noqa: S314
    except (ElementTree.ParseError, expat.ExpatError) as error:
        raise NoSoap(str(error)) from None


def _refuse_types(text: str) -> None:
    """Raises NoSoap at the head of a document type, before any entity of it is read; one pass, whatever is in it."""

    def refuse(*said: object) -> None:
        raise NoSoap("a document type")

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(text, True)


def read(data: bytes) -> Element | Fault:
    """What the body of an envelope says; raises NoSoap."""
    root = parse(data)
    body = root.find(f"{{{ENVELOPE}}}Body")
    if root.tag != f"{{{ENVELOPE}}}Envelope" or body is None or len(body) == 0:
        raise NoSoap("no envelope")
    first = body[0]
    if first.tag != f"{{{ENVELOPE}}}Fault":
        return first
    values = first.iter(f"{{{ENVELOPE}}}Value")
    codes = tuple(
        _WORD.findall(value.text or "")[0].rpartition(":")[2] for value in values if _WORD.search(value.text or "")
    )
    return Fault(codes, text(first, f".//{{{ENVELOPE}}}Text"))


def text(element: Element, path: str) -> str:
    """Of the element at `path`, at most 500 characters; "" when there is none."""
    found = element.findtext(path)
    return found.strip()[:500] if found else ""


def number(element: Element | None, name: str) -> float | None:
    """An attribute as a finite number."""
    try:
        value = float(element.get(name, "")) if element is not None else None
    except ValueError:
        return None
    return value if value is not None and math.isfinite(value) else None
