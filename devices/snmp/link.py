"""Questions to an SNMP agent. The framework asks again; then an answer to any of the tries counts.

One pysnmp engine serves every agent with the same login: it knows a user by name alone.
Source: RFC 3416 (v2c and v3 operations), RFC 3414 (v3 users).
"""

from __future__ import annotations

import logging
from typing import Any

from pysnmp.carrier.asyncio.dgram.udp import DOMAIN_NAME, UdpAsyncioTransport
from pysnmp.carrier.error import CarrierError
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    UsmUserData,
    get_cmd,
    set_cmd,
    usmAesCfb128Protocol,
    usmHMAC192SHA256AuthProtocol,
    usmHMACMD5AuthProtocol,
    usmHMACSHAAuthProtocol,
)
from pysnmp.proto import errind
from pysnmp.proto.rfc1902 import Integer32

from devices.errors import Garbage, Lost, WrongPassword
from devices.names import NAMES
from devices.snmp.login import Login
from devices.snmp.refusal import refusal

log = logging.getLogger(__name__)

AUTHENTICATION = {
    "md5": usmHMACMD5AuthProtocol,
    "sha": usmHMACSHAAuthProtocol,
    "sha256": usmHMAC192SHA256AuthProtocol,
}
DENIED = (
    *(errind.UnknownUserName, errind.WrongDigest, errind.DecryptionError, errind.UnsupportedSecurityLevel),
    *(errind.AuthenticationFailure, errind.UnknownSecurityName),
)


def credentials(login: Login) -> Any:
    """As pysnmp wants them; raises ValueError for passwords that SNMP does not take."""
    if not login.user:
        return CommunityData(login.community, mpModel=1)  # noqa: S508  # many switches know no other
    protocol = {"authProtocol": AUTHENTICATION[login.authentication]} if login.password else {}
    protocol |= {"privProtocol": usmAesCfb128Protocol} if login.privacy else {}
    return UsmUserData(login.user, login.password or None, login.privacy or None, **protocol)


class _Socket(UdpAsyncioTransport):  # type: ignore[misc]  # pysnmp has no types
    """pysnmp's own hands a datagram over one turn of the loop later, when the engine may be closed."""

    heard = False

    def datagram_received(self, datagram: bytes, transportAddress: Any) -> None:
        """At once; what pysnmp cannot read is thrown away, whoever sent it."""
        if self._callback_function is None:
            return
        self.heard = True
        try:
            self._callback_function(self, transportAddress, datagram)
        except Exception as error:
            log.debug("a datagram from %s was thrown away: %r", transportAddress, error)


class _Target(UdpTransportTarget):  # type: ignore[misc]
    PROTO_TRANSPORT = _Socket

    async def _resolve_address(self, address: tuple[str, int]) -> tuple[str, int]:
        """Not on the loop's own threads; raises Lost."""
        return (await NAMES.addresses_v4(address[0]))[0], address[1]


def has_heard(one: SnmpEngine) -> bool:
    """Any datagram came to it."""
    try:
        return bool(one.transport_dispatcher and one.transport_dispatcher.get_transport(DOMAIN_NAME).heard)
    except CarrierError:  # it never asked anything
        return False


def close(one: SnmpEngine) -> None:
    """Release its socket."""
    one.close_dispatcher()


class SnmpLink:
    """One agent. `patience`: seconds after which pysnmp forgets a question."""

    def __init__(self, one: SnmpEngine, target: UdpTransportTarget, login: Login) -> None:
        self._engine = one
        self._target = target
        self._login = credentials(login)

    @classmethod
    async def open(cls, one: SnmpEngine, address: tuple[str, int], login: Login, patience: float) -> SnmpLink:
        """Nothing is sent yet; raises Lost when the name has no address."""
        try:
            target = await _Target.create(address, timeout=patience, retries=0)
        except PySnmpError as error:
            raise Lost(str(error)) from error
        return cls(one, target, login)

    async def get(self, *oids: str) -> list[Any]:
        """The value of each, None where there is none; raises TimeoutError or a DeviceError."""
        bound = await self._ask(get_cmd, [ObjectType(ObjectIdentity(oid)) for oid in oids])
        if [str(name) for name, _ in bound] != list(oids):
            raise Garbage("an answer to another question")
        missing = ("NoSuchObject", "NoSuchInstance", "EndOfMibView", "Null")
        return [None if type(value).__name__ in missing else value for _, value in bound]

    async def set(self, oid: str, value: int) -> None:
        """An INTEGER; raises TimeoutError or a DeviceError."""
        await self._ask(set_cmd, [ObjectType(ObjectIdentity(oid), Integer32(value))])

    async def _ask(self, command: Any, what: list[ObjectType]) -> list[tuple[Any, Any]]:
        try:
            failed, status, _, bound = await command(
                self._engine, self._login, self._target, ContextData(), *what, lookupMib=False
            )
        except PySnmpError as error:
            raise Lost(str(error)) from error
        if failed is not None:
            raise _failure(failed)
        if int(status):
            raise refusal(status.prettyPrint())
        return [(one[0], one[1]) for one in bound]


def _failure(failed: Any) -> Exception:
    if isinstance(failed, errind.RequestTimedOut):
        return TimeoutError()
    return WrongPassword(str(failed)) if isinstance(failed, DENIED) else Lost(str(failed))
