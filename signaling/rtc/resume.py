"""Resuming: a client whose signal connection broke comes back to its session, whose media went on meanwhile.

The answer is `reconnect`, then everything as it is now, then what was said to this client alone meanwhile; the client's
`sync_state` says what it wants and has. Who cannot resume is asked to join again.
"""

from __future__ import annotations

from livekit.protocol.rtc import SyncState

from relay.messages import SendData
from signaling.media import Grants
from signaling.rtc import responses, turn
from signaling.rtc.receiver import Receiver
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import RESERVED_ATTRIBUTES, Arrival, Session, State
from signaling.rtc.subscriber import RELIABLE

COST = 20  # requests that one resumption counts as
MAX_SIDS = 1000  # tracks named in one sync_state
_MARGIN = 5.0  # s before a connection was seen to break, in which messages may have been lost already


def is_own(session: Session, arrival: Arrival) -> bool:
    """Whether the arriving client proves by its token that the session is its own."""
    return (session.identity, session.grants.media) == (arrival.grants.identity, arrival.grants.media)


def may_resume(session: Session, arrival: Arrival, now: float) -> bool:
    """Whether a session is the arriving client's own, alive, and of the same rights; each try counts as requests."""
    rights = (_rights(session.grants), _rights(session.first_grants))  # what it may, and what its first token said
    same = _rights(arrival.grants) in rights and arrival.wishes.single == isinstance(session.subscriber, Receiver)
    return is_own(session, arrival) and same and session.state is State.ACTIVE and session.requests.take(now, COST)


def _rights(grants: Grants) -> tuple[object, ...]:
    fixed = {name: value for name, value in grants.attributes.items() if name in RESERVED_ATTRIBUTES}
    return (
        grants.can_publish,
        grants.can_subscribe,
        grants.can_publish_data,
        frozenset(grants.can_publish_sources),
        grants.can_update_own_metadata,
        grants.hidden,
        grants.room_admin,
        tuple(sorted(fixed.items())),
    )


def resume(room: MediaRoom, session: Session, arrival: Arrival, now: float) -> None:
    """The client is back on a new signal connection."""
    missed = session.found(arrival, now)
    targets = [session.sid]
    send = room.effects.send
    servers = turn.announced(room.settings.turn, session.identity, arrival.at)
    send(targets, responses.reconnected(session.last_sequence, servers))
    present = [other for other in room.sessions.values() if other is session or not other.grants.hidden]
    names = {other.identity for other in room.sessions.values()}
    gone = [info for info in room.departed if info.identity not in names]
    send(targets, responses.update([*gone, *(other.info() for other in present)]))
    send(targets, responses.room_update(room.info()))
    send(targets, responses.speakers(room.speakers.current()))
    for message in missed:
        send(targets, message)
    for track in session.publisher.waiting:
        send(targets, responses.track_published(track.cids[0], track))
    _remind(room, session)
    session.subscriber.restart(now)
    room.negotiate(session, now)


def _remind(room: MediaRoom, session: Session) -> None:
    """What is wanted of its tracks, and what is withheld from it: it may have missed a change."""
    for track in session.publisher.tracks:
        if track.told is not None:
            room.effects.send([session.sid], responses.subscribed_quality(track.told))
    for subscription in session.subscriber.video:
        paused = subscription.withheld is not None
        room.effects.send([session.sid], responses.stream_state(subscription.track, paused=paused))


def sync(room: MediaRoom, session: Session, state: SyncState, now: float) -> None:
    """What the client wants and has, once after it resumed; at any other time it says nothing new."""
    if session.broken_at is None:
        return
    since, session.broken_at = session.broken_at - _MARGIN, None
    _subscribe(room, session, state)
    _published(room, session, state)
    last = {entry.publisher_sid: entry.last_seq for entry in state.datachannel_receive_states[:MAX_SIDS]}
    transport = session.subscriber.transport
    room.effects.commands.extend(
        SendData([transport], RELIABLE, payload) for payload in room.history.missed(transport, last, since)
    )
    room.negotiate(session, now)


def _subscribe(room: MediaRoom, session: Session, state: SyncState) -> None:
    """`subscription` names the tracks it does not want where it gets all without asking, else those it wants."""
    asked = state.subscription
    sids = [*asked.track_sids, *(sid for entry in asked.participant_tracks for sid in entry.track_sids)]
    named = set(sids[:MAX_SIDS])
    for owner in room.sessions.values() if asked.subscribe != session.auto_subscribe else ():
        for track in owner.publisher.tracks:
            wanted = session.may_hear(owner, track) and (track.sid in named) == asked.subscribe
            has = session.subscriber.has(track.sid)
            if has and not wanted:
                session.subscriber.unsubscribe(track.sid)
                session.declined.add(track.sid)
            elif wanted and not has and (asked.subscribe or not session.same_room(owner)):
                session.declined.discard(track.sid)
                room.start(session, track)
    disabled = set(state.track_sids_disabled[:MAX_SIDS])
    for sid in session.subscriber.sids:
        session.subscriber.pause(sid, sid in disabled)


def _published(room: MediaRoom, session: Session, state: SyncState) -> None:
    """Bring both sides' lists of published tracks together."""
    known = {entry.track.sid: entry.track.muted for entry in state.publish_tracks[:MAX_SIDS]}
    for sid in known:
        if session.publisher.find(sid) is None:
            room.effects.send([session.sid], responses.track_unpublished(sid))
    for track in session.publisher.tracks:
        if track.sid not in known:
            room.effects.send([session.sid], responses.track_published(track.cids[0], track))
        elif known[track.sid] != track.info.muted:
            if track.silenced:
                room.effects.send([session.sid], responses.mute(track.sid, muted=True))
            elif known[track.sid] or session.may_publish(track.source):
                room.mute(session, track, known[track.sid])
