"""Data packets between participants: who sent it is filled in by us, who gets it is named by the sender."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from google.protobuf.message import DecodeError
from livekit.protocol.models import DataPacket

from relay.messages import DataReceived, SendData
from signaling.rtc.counters import DROPPED_DATA
from signaling.rtc.session import Session, State
from signaling.rtc.subscriber import LOSSY, RELIABLE

MAX_DESTINATIONS = 256
DROPPED = frozenset({"speaker"})  # kinds of packets that nobody may send: only the server says who speaks


def route(sender: Session, event: DataReceived, others: Iterable[Session], *, max_bytes: int) -> SendData | None:
    """The relay command for one packet of `sender`, its answer if that came reliably; None where it goes nowhere (counted)."""
    # What was sent unreliably arrives as its sender meant it: no more, or it would fill backlogs that hold it back nowhere.
    label = event.label if event.reliable or event.label != RELIABLE else LOSSY
    packet = _parse(sender, label, event.payload)
    if packet is None or (label == RELIABLE and not _in_sequence(sender, packet)):
        return None
    identities, sids = _destinations(packet)
    if len(identities) + len(sids) > MAX_DESTINATIONS:
        drop("too_many_destinations")
        return None
    _sign(packet, sender)
    command = _send(packet, label, (one for one in others if one is not sender), identities, sids, max_bytes)
    return msgspec.structs.replace(command, source=event.transport) if command and event.reliable else command


def from_server(
    packet: DataPacket, label: str, sessions: Iterable[Session], destinations: tuple[set[str], set[str]], max_bytes: int
) -> SendData | None:
    """The relay command for a packet of our own to (identities, participant sids), both empty for everyone."""
    return _send(packet, label, sessions, *destinations, max_bytes)


def _send(
    packet: DataPacket, label: str, others: Iterable[Session], identities: set[str], sids: set[str], max_bytes: int
) -> SendData | None:
    everyone = not identities and not sids
    transports = [
        other.subscriber.transport
        for other in others
        if other.grants.can_subscribe
        and not other.deaf
        and other.state is State.ACTIVE
        and (everyone or other.identity in identities or other.sid in sids)
    ]
    payload = packet.SerializeToString()
    if len(payload) > max_bytes:
        drop("too_large")
        return None
    return SendData(transports, label, payload) if transports else None


def _parse(sender: Session, label: str, payload: bytes) -> DataPacket | None:
    if label not in (RELIABLE, LOSSY):
        drop("unknown_channel")
        return None
    if not sender.grants.can_publish_data:
        drop("not_allowed")
        return None
    try:
        packet = DataPacket.FromString(payload)
    except DecodeError:
        drop("malformed")
        return None
    kind = packet.WhichOneof("value")
    if kind is None or kind in DROPPED:
        drop("malformed")
        return None
    return packet


def _in_sequence(sender: Session, packet: DataPacket) -> bool:
    """Whether a reliable packet is new: who resumes sends again what we may not have. Old clients do not number theirs."""
    if packet.sequence:
        if packet.sequence <= sender.last_sequence:
            drop("duplicate")
            return False
        sender.last_sequence = packet.sequence
    return True


def drop(reason: str) -> bool:
    """Count a packet that goes nowhere, and why; False."""
    DROPPED_DATA.labels(reason).inc()
    return False


def _destinations(packet: DataPacket) -> tuple[set[str], set[str]]:
    """(identities, participant sids) named by the packet, in the new place or in the old."""
    identities, sids = set(packet.destination_identities), set[str]()
    if packet.WhichOneof("value") == "user":
        identities |= set(packet.user.destination_identities)
        sids = set(packet.user.destination_sids)
    return identities, sids


def _sign(packet: DataPacket, sender: Session) -> None:
    """Say who sent it, whatever the sender claimed; others need not know who else got it."""
    identity, sid = ("", "") if sender.grants.hidden else (sender.identity, sender.sid)
    packet.participant_identity, packet.participant_sid = identity, sid
    packet.ClearField("destination_identities")
    if packet.WhichOneof("value") == "user":
        packet.user.participant_identity, packet.user.participant_sid = identity, sid
        packet.user.ClearField("destination_identities")
        packet.user.ClearField("destination_sids")
