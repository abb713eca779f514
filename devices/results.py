"""The wire's result of how a task ended."""

from __future__ import annotations

from devices.errors import DeviceError, Lost, NotSupported
from devices.queue import Outcome
from wire.devices import DeviceResult
from wire.problems import Code


def result_of(device: str, op: str, outcome: Outcome) -> DeviceResult:
    """`outcome` for whoever asked."""
    error = outcome.error
    if outcome.superseded:
        return DeviceResult(device, op, "superseded")
    if error is None:
        return DeviceResult(device, op, "accepted" if outcome.accepted else "done")
    if isinstance(error, TimeoutError):
        return DeviceResult(device, op, "timed_out", Code.DEVICE_TIMED_OUT, retryable=True)
    if isinstance(error, NotSupported):
        return DeviceResult(device, op, "unsupported", Code.DEVICE_UNSUPPORTED, detail=str(error))
    if isinstance(error, Lost):
        return DeviceResult(device, op, "failed", Code.DEVICE_UNREACHABLE, retryable=True, detail=str(error))
    if isinstance(error, DeviceError):
        return DeviceResult(device, op, "failed", Code.DEVICE_FAILED, retryable=error.retryable, detail=str(error))
    return DeviceResult(device, op, "failed", Code.DEVICE_FAILED, retryable=True)
