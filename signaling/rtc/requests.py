"""What each request of a client does. One function per message; `docs/livekit.md` lists them all."""

from __future__ import annotations

import json
from collections.abc import Callable

from livekit.protocol.models import SubscriptionError, TrackType
from livekit.protocol.rtc import AddTrackRequest, RequestResponse, SignalRequest, UpdateSubscription

from signaling.media import Leave
from signaling.rtc import responses, resume, wish
from signaling.rtc.counters import REFUSED
from signaling.rtc.effects import POLICY
from signaling.rtc.receiver import Receiver
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import RESERVED_ATTRIBUTES, Permission, Session, State
from signaling.rtc.track import SOURCE_NAMES, from_request, second_codec
from wire.problems import Code, Refusal

MAX_ATTRIBUTES = 64
MAX_SIDS = 500  # tracks named in one request
PER_REQUEST = 16 * 1024  # bytes: a larger one counts as several
PER_OFFER = 2 * 1024  # the same of offers, of which every line is read and answered; with three tracks it has 15 KiB
PER_UPDATE = 1024  # bytes of what everyone else is told after a request, likewise
PER_TRACKS = 16  # tracks named, or tracks times people for whom a permission is looked at, likewise
_TOLD = frozenset({"offer", "add_track", "mute", "update_metadata", "update_audio_track", "update_video_track"})

_REASONS = {
    Code.BAD_REQUEST: RequestResponse.INVALID_REQUEST,
    Code.FORBIDDEN: RequestResponse.NOT_ALLOWED,
    Code.NOT_FOUND: RequestResponse.NOT_FOUND,
    Code.TOO_MANY: RequestResponse.LIMIT_EXCEEDED,
    Code.TOO_LARGE: RequestResponse.LIMIT_EXCEEDED,
    Code.PROTOCOL_UNSUPPORTED: RequestResponse.UNSUPPORTED_TYPE,
}


def handle(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    """Do a request. What cannot be done is answered by `request_response` with a stable code, and counted."""
    if session.state is State.CLOSED:
        return
    session.heard_at = now
    kind = request.WhichOneof("message") or "unknown"
    if not session.requests.take(now, _cost(room, session, kind, request)):
        REFUSED.labels(Code.TOO_MANY, kind).inc()
        room.expel(session, POLICY, "too_many: slow down")
        return
    try:
        _HANDLERS.get(kind, _unsupported)(room, session, request, now)
    except Refusal as refusal:
        problem = refusal.problem
        REFUSED.labels(problem.code, kind).inc()
        reason = _REASONS.get(problem.code, RequestResponse.UNCLASSIFIED_ERROR)
        text = f"{problem.code}: {problem.message}"
        request_id = request.update_metadata.request_id if kind == "update_metadata" else 0
        room.effects.send([session.sid], responses.request_response(request, reason, text, request_id))
        if problem.code in (Code.BAD_REQUEST, Code.TOO_LARGE):
            room.fault(session, problem.code)


def _cost(room: MediaRoom, session: Session, kind: str, request: SignalRequest) -> int:
    """How much a request counts against its client's rate: 1, more where it, its work or what others are told is long."""
    told = session.info().ByteSize() // PER_UPDATE if kind in _TOLD else 0
    if kind == "offer" and isinstance(session.subscriber, Receiver) and session.subscriber.solicited:
        return 1 + told  # we asked for it
    length = request.ByteSize() // (PER_OFFER if kind == "offer" else PER_REQUEST)
    return 1 + told + length + _looked_at(room, session, kind, request) // PER_TRACKS


def _looked_at(room: MediaRoom, session: Session, kind: str, request: SignalRequest) -> int:
    """Of how many tracks, each for one subscriber, a request decides."""
    if kind == "subscription":
        return len(_named(request.subscription))
    if kind == "track_setting":
        return len(request.track_setting.track_sids)
    if kind == "subscription_permission":
        return len(room.sessions) * len(session.publisher.tracks)
    return 0


def _named(asked: UpdateSubscription) -> list[str]:
    """The tracks a `subscription` names, in both of its places."""
    return [*asked.track_sids, *(sid for entry in asked.participant_tracks for sid in entry.track_sids)]


# --- connections ----------------------------------------------------------------------------------------------------


def _offer(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    answer, bound = session.publisher.offer(request.offer.sdp)
    session.candidates = 0
    mids = session.subscriber.mids if isinstance(session.subscriber, Receiver) else {}
    room.effects.send([session.sid], responses.answer(answer, request.offer.id, mids))
    room.bound(session, bound, now)


def _answer(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    answered = session.subscriber.answer(request.answer.sdp, request.answer.id)
    if answered is None:
        return  # to an offer that is no longer the latest
    room.received(session, answered.started, answered.refused)
    room.negotiate(session, now)


def _trickle(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    """The relay is ICE-lite and learns addresses from checks: candidates are checked for form, counted, and not needed."""
    session.candidates += 1
    if session.candidates > room.settings.max_candidates:
        raise Refusal(Code.TOO_MANY, f"more than {room.settings.max_candidates} ICE candidates")
    if not request.trickle.candidateInit:
        return
    try:
        candidate = json.loads(request.trickle.candidateInit)
    except (ValueError, RecursionError):
        candidate = None
    if not isinstance(candidate, dict) or not isinstance(candidate.get("candidate", ""), str):
        raise Refusal(Code.BAD_REQUEST, "candidateInit is not an RTCIceCandidateInit in JSON")


# --- publishing -----------------------------------------------------------------------------------------------------


def _add_track(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    asked = request.add_track
    if asked.type not in (TrackType.AUDIO, TrackType.VIDEO):
        raise Refusal(Code.PROTOCOL_UNSUPPORTED, "only audio and video tracks can be published")
    if asked.sid:
        _add_second(room, session, asked, now)
        return
    source = SOURCE_NAMES.get(asked.source, "")
    if not session.may_publish(source):
        raise Refusal(Code.FORBIDDEN, f"the token does not allow publishing {source or 'an unnamed source'}")
    _check_new(room, session, asked)
    track = from_request(session.sid, asked)
    bound = session.publisher.add(track)
    room.effects.send([session.sid], responses.track_published(asked.cid, track))
    room.bound(session, bound, now)


def _add_second(room: MediaRoom, session: Session, asked: AddTrackRequest, now: float) -> None:
    """The second codec of a track that is published already; we asked for it because somebody cannot decode the first."""
    main = session.publisher.find(asked.sid)
    if main is None:
        raise Refusal(Code.NOT_FOUND, "no such track of yours")
    if session.publisher.has_second(main):
        raise Refusal(Code.BAD_REQUEST, "the track has a second codec already")
    _check_new(room, session, asked)
    if (track := second_codec(main, asked)) is None:
        raise Refusal(Code.PROTOCOL_UNSUPPORTED, "simulcast_codecs must name the second codec of the track's add_track")
    bound = session.publisher.add(track)
    room.effects.send([session.sid], responses.track_published(asked.cid, main))
    room.bound(session, bound, now)


def _check_new(room: MediaRoom, session: Session, asked: AddTrackRequest) -> None:
    if not asked.cid or len(asked.cid) > 256 or session.publisher.knows_cid(asked.cid):
        raise Refusal(Code.BAD_REQUEST, "cid must be new and of at most 256 characters")
    if session.publisher.count >= room.settings.max_tracks:
        raise Refusal(Code.TOO_MANY, f"at most {room.settings.max_tracks} tracks")


def _mute(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    track = session.publisher.find(request.mute.sid)
    if track is None:
        raise Refusal(Code.NOT_FOUND, "no such track of yours")
    if not request.mute.muted and not session.may_publish(track.source):
        raise Refusal(Code.FORBIDDEN, "the token does not allow publishing this source")
    room.mute(session, track, request.mute.muted)


def _update_audio_track(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    track = session.publisher.find(request.update_audio_track.track_sid)
    if track is None:
        raise Refusal(Code.NOT_FOUND, "no such track of yours")
    del track.info.audio_features[:]
    track.info.audio_features.extend(request.update_audio_track.features[:16])
    room.announce(session)


def _update_video_track(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    track = session.publisher.find(request.update_video_track.track_sid)
    if track is None:
        raise Refusal(Code.NOT_FOUND, "no such track of yours")
    track.info.width, track.info.height = request.update_video_track.width, request.update_video_track.height
    room.announce(session)


def _update_metadata(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    asked = request.update_metadata
    if not (session.grants.can_update_own_metadata or session.grants.room_admin):
        raise Refusal(Code.FORBIDDEN, "the token does not allow updating name, metadata or attributes")
    if RESERVED_ATTRIBUTES & set(asked.attributes):
        raise Refusal(Code.FORBIDDEN, f"the attributes {', '.join(sorted(RESERVED_ATTRIBUTES))} come from the token")
    attributes = {**session.attributes, **asked.attributes}
    attributes = {name: value for name, value in attributes.items() if value}
    size = len(asked.metadata) + sum(len(name) + len(value) for name, value in attributes.items())
    if size > room.settings.max_metadata or len(attributes) > MAX_ATTRIBUTES or len(asked.name) > 256:
        raise Refusal(Code.TOO_LARGE, f"name, metadata and attributes may have {room.settings.max_metadata} characters")
    session.attributes = attributes
    session.name = asked.name or session.name
    session.metadata = asked.metadata or session.metadata
    ok = responses.request_response(request, RequestResponse.OK, "", asked.request_id)
    room.effects.send([session.sid], ok)
    room.announce(session)


# --- subscribing ----------------------------------------------------------------------------------------------------


def _subscription(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    asked = request.subscription
    sids = _named(asked)
    if len(sids) > MAX_SIDS:
        raise Refusal(Code.TOO_MANY, f"at most {MAX_SIDS} tracks in one request")
    for sid in dict.fromkeys(sids):
        if not asked.subscribe:
            session.awaited.discard(sid)
            if session.subscriber.unsubscribe(sid) or room.find(sid) is not None:
                session.declined.add(sid)
            continue
        found = room.find(sid)
        if found is not None and session.barred(*found):
            session.declined.discard(sid)
            session.awaited.add(sid)
            room.effects.send([session.sid], responses.permission(found[0].sid, sid, allowed=False))
            continue
        if found is None or not session.may_hear(*found):
            error = responses.subscription_error(sid, SubscriptionError.SE_TRACK_NOTFOUND)
            room.effects.send([session.sid], error)
            continue
        session.declined.discard(sid)
        room.start(session, found[1])
    room.negotiate(session, now)


def _track_setting(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    asked = request.track_setting
    for sid in asked.track_sids[:MAX_SIDS]:
        session.subscriber.adjust(sid, wish.from_request(asked))


def _subscription_permission(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    asked = request.subscription_permission
    if len(asked.track_permissions) > MAX_SIDS or sum(len(p.track_sids) for p in asked.track_permissions) > MAX_SIDS:
        raise Refusal(Code.TOO_MANY, f"at most {MAX_SIDS} permissions")
    permission = Permission(everyone=asked.all_participants)
    for entry in asked.track_permissions:
        name = entry.participant_identity or entry.participant_sid
        if entry.all_tracks:
            permission.all_tracks.add(name)
        permission.tracks.update((name, sid) for sid in entry.track_sids)
    before, session.permission = session.permission, permission
    for track in session.publisher.tracks:
        for other in room.sessions.values():
            was, allowed = before.allows(other, track), permission.allows(other, track)
            if other is session or was == allowed:
                continue
            room.effects.send([other.sid], responses.permission(session.sid, track.sid, allowed))
            if allowed:
                room.subscribe(other, session, track)
            else:
                other.subscriber.unsubscribe(track.sid)
    room.negotiate_all(now)


# --- the session ----------------------------------------------------------------------------------------------------


def _sync_state(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    resume.sync(room, session, request.sync_state, now)


def _leave(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    room.leave(session, Leave.LEFT)


def _ping(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    room.effects.send([session.sid], responses.pong(room.wall()))


def _ping_req(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    room.effects.send([session.sid], responses.pong_resp(request.ping_req.timestamp, room.wall()))


def _ignore(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    """Nothing to do, and nothing the client waits for."""


def _unsupported(room: MediaRoom, session: Session, request: SignalRequest, now: float) -> None:
    kind = request.WhichOneof("message")
    raise Refusal(Code.PROTOCOL_UNSUPPORTED, f"{kind or 'this message'} is not supported")


_Handler = Callable[[MediaRoom, Session, SignalRequest, float], None]
_HANDLERS: dict[str, _Handler] = {
    "offer": _offer,
    "answer": _answer,
    "trickle": _trickle,
    "add_track": _add_track,
    "mute": _mute,
    "subscription": _subscription,
    "track_setting": _track_setting,
    "leave": _leave,
    "update_layers": _ignore,
    "subscription_permission": _subscription_permission,
    "sync_state": _sync_state,
    "ping": _ping,
    "update_metadata": _update_metadata,
    "ping_req": _ping_req,
    "update_audio_track": _update_audio_track,
    "update_video_track": _update_video_track,
    "update_data_subscription": _ignore,
}
SUPPORTED = frozenset(kind for kind, handler in _HANDLERS.items() if handler is not _ignore)
IGNORED = frozenset(kind for kind, handler in _HANDLERS.items() if handler is _ignore)
