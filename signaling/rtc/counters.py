"""What media signaling counts, for operators (Prometheus, process-wide)."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

REFUSED = Counter("roomctl_rtc_refused_total", "Requests refused by media signaling", ["code", "request"])
DROPPED_DATA = Counter("roomctl_rtc_data_dropped_total", "Data packets not forwarded", ["reason"])
RELAY_FAILED = Counter("roomctl_rtc_relay_failed_total", "Commands the relay could not do", ["command", "code"])
SESSIONS = Gauge("roomctl_rtc_sessions", "Media sessions open")
JOINED = Counter("roomctl_rtc_joined_total", "Media sessions that joined")
LEFT = Counter("roomctl_rtc_left_total", "Media sessions that ended", ["reason"])
