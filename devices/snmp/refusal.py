"""What an SNMP agent says no with. Source: RFC 3416 §3 (error-status), §4.2."""

from __future__ import annotations

from devices.errors import DeviceError, NotSupported, Refused, Rejected

NOT_WRITABLE = {"noAccess", "notWritable", "readOnly", "authorizationError"}


class TooBig(Rejected):
    """The answer fits into none of its messages: ask for less (§4.2.1)."""


def refusal(status: str) -> DeviceError:
    """The error of an error-status other than noError."""
    if status == "tooBig":
        return TooBig("the switch answers tooBig")
    if status in NOT_WRITABLE:
        return Refused(status) if status == "authorizationError" else NotSupported(f"the switch answers {status}")
    return Rejected(f"the switch answers {status}", retryable=status in ("resourceUnavailable", "commitFailed"))
