"""Drivers for room equipment: capabilities, the framework that runs them, protocol drivers, emulators.

hub.py        all devices of a room (start here)        runner.py    one device: dial, serve, poll, dial again
capabilities  what may be asked                         state.py     desired, reported, assumed
driver.py     what a driver is                          context.py   what a driver tells the framework
queue, lease, backoff, timing, sharing, channel         the runner's parts
probe.py      try a configuration once                  discovery.py find what is not configured yet
request.py    a device's own wish, for the room
journal.py    the log, bounded                          apart.py     drivers of packages, on threads
registry.py   driver ids                                notices.py   fault sentences
marks.py      secrets and files in settings             networks.py  which addresses are near, for mdns.py
visca/  pjlink/  pulse/  onvif/  rtsp/  mqtt/  ups/ …   the drivers
kernel/       nodes of this machine's kernel, for cec/, hid/ and uvc/
emulators/                                              the device's side of each wire, with faults
"""

from devices.config import DeviceConfig, DeviceSettingsError
from devices.discovery import Found, discover
from devices.hub import DeviceHub
from devices.probe import probe
from devices.request import DeviceRequest
from devices.sharing import Shared
from devices.timing import Timing

__all__ = [
    "DeviceConfig",
    "DeviceHub",
    "DeviceRequest",
    "DeviceSettingsError",
    "Found",
    "Shared",
    "Timing",
    "discover",
    "probe",
]
