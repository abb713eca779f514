"""Emulated devices that speak the real wire protocol over real sockets, with faults to switch at run time.

Every emulator has `async start()`, `async stop()`, `async with`, `.address`, `.available_faults`, `.faults`,
`.fault(name, on)`, and readable state. `reboot` ends by itself; the others stay until switched off.
"""

from devices.emulators.pjlink import PjlinkEmulator
from devices.emulators.pulse import PulseNode, PulseServer
from devices.emulators.visca import ViscaEmulator

__all__ = ["PjlinkEmulator", "PulseNode", "PulseServer", "ViscaEmulator"]
