"""The signal messages we send, built in one place each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

from livekit.protocol.models import (
    ClientConfigSetting,
    ClientConfiguration,
    Codec,
    DisconnectReason,
    ParticipantInfo,
    Room,
    ServerInfo,
    SpeakerInfo,
    SubscriptionError,
)
from livekit.protocol.rtc import (
    ConnectionQualityInfo,
    ConnectionQualityUpdate,
    ICEServer,
    JoinResponse,
    LeaveRequest,
    MediaSectionsRequirement,
    MuteTrackRequest,
    ParticipantUpdate,
    Pong,
    ReconnectResponse,
    RequestResponse,
    RoomUpdate,
    SessionDescription,
    SignalRequest,
    SignalResponse,
    SpeakersChanged,
    StreamState,
    StreamStateInfo,
    StreamStateUpdate,
    SubscribedQualityUpdate,
    SubscriptionPermissionUpdate,
    SubscriptionResponse,
    TrackPublishedResponse,
    TrackSubscribed,
    TrackUnpublishedResponse,
)

from signaling.media import Leave
from signaling.rtc.codecs import PUBLISHABLE
from signaling.rtc.receiver import Requirement
from signaling.rtc.settings import RtcSettings
from signaling.rtc.subscriber import Offer
from signaling.rtc.track import Track

VERSION = "1.13.7"
"""The oldest LiveKit server that does all clients ask a version for (docs/decisions/050-server-version.md), not ours."""
PROTOCOL = 16  # of the LiveKit client protocol, as far as docs/livekit.md says
_OURS = f"roomctl {version('roomctl')}"
_SERVER_INFO = ServerInfo(edition=ServerInfo.Standard, version=VERSION, protocol=PROTOCOL, debug_info=_OURS)
_REASONS = {
    Leave.LEFT: DisconnectReason.CLIENT_INITIATED,
    Leave.REMOVED: DisconnectReason.PARTICIPANT_REMOVED,
    Leave.ENDED: DisconnectReason.ROOM_DELETED,
    Leave.DUPLICATE: DisconnectReason.DUPLICATE_IDENTITY,
    Leave.LOST: DisconnectReason.CONNECTION_TIMEOUT,
}
_ECHOED = ("trickle", "add_track", "mute", "update_metadata", "update_audio_track", "update_video_track")
_ECHOED_AS = {
    "publish_data_track_request": "publish_data_track",
    "unpublish_data_track_request": "unpublish_data_track",
} | {name: name for name in _ECHOED}


def enabled_codecs() -> list[Codec]:
    """What may be published."""
    return [Codec(mime=mime) for mime in PUBLISHABLE]


def join(
    room: Room,
    me: ParticipantInfo,
    others: Sequence[ParticipantInfo],
    settings: RtcSettings,
    ice_servers: Sequence[ICEServer],
    *,
    subscriber_primary: bool,
    trailer: bytes,
) -> SignalResponse:
    """The first message. Who loses its signal connection may resume.

    `trailer` ends frames that a server makes itself, for clients that decrypt all others; ours makes none.
    """
    return SignalResponse(
        join=JoinResponse(
            room=room,
            participant=me,
            other_participants=others,
            server_version=VERSION,
            ice_servers=ice_servers,
            subscriber_primary=subscriber_primary,
            client_configuration=ClientConfiguration(resume_connection=ClientConfigSetting.ENABLED),
            ping_interval=settings.ping_interval,
            ping_timeout=settings.ping_timeout,
            sif_trailer=trailer,
            server_info=_SERVER_INFO,
            enabled_publish_codecs=enabled_codecs(),
            fast_publish=True,
        )
    )


def reconnected(last_sequence: int, ice_servers: Sequence[ICEServer]) -> SignalResponse:
    """The first message to a client that resumes; `last_sequence` of its reliable data packets that we have."""
    response = ReconnectResponse(
        ice_servers=ice_servers,
        client_configuration=ClientConfiguration(resume_connection=ClientConfigSetting.ENABLED),
        server_info=_SERVER_INFO,
        last_message_seq=last_sequence,
    )
    return SignalResponse(reconnect=response)


def leave(reason: Leave) -> SignalResponse:
    """The session is over and must not come back by itself."""
    return SignalResponse(leave=LeaveRequest(reason=_REASONS[reason], action=LeaveRequest.DISCONNECT))


def reconnect(reason: DisconnectReason) -> SignalResponse:
    """Join again with a new session."""
    return SignalResponse(leave=LeaveRequest(reason=reason, action=LeaveRequest.RECONNECT, can_reconnect=True))


def bad_request() -> SignalResponse:
    """The client broke the protocol; the close code of the WebSocket says how."""
    return SignalResponse(leave=LeaveRequest(reason=DisconnectReason.STATE_MISMATCH, action=LeaveRequest.DISCONNECT))


def update(participants: Iterable[ParticipantInfo]) -> SignalResponse:
    """Participants as they are now."""
    return SignalResponse(update=ParticipantUpdate(participants=participants))


def room_update(room: Room) -> SignalResponse:
    """The room's counts."""
    return SignalResponse(room_update=RoomUpdate(room=room))


def speakers(changed: Iterable[SpeakerInfo]) -> SignalResponse:
    """Those whose level changed."""
    return SignalResponse(speakers_changed=SpeakersChanged(speakers=changed))


def connection_quality(infos: Iterable[ConnectionQualityInfo]) -> SignalResponse:
    """How well everyone's connection does."""
    return SignalResponse(connection_quality=ConnectionQualityUpdate(updates=infos))


def answer(sdp: str, offer_id: int, mids: Mapping[str, str]) -> SignalResponse:
    """Our answer to the client's offer, echoing its id; `mids` names the tracks it receives on it (path V1)."""
    return SignalResponse(answer=SessionDescription(type="answer", sdp=sdp, id=offer_id, mid_to_track_id=mids))


def media_sections_requirement(asked: Requirement) -> SignalResponse:
    """Asks a client of path V1 to offer again, with more receiving lines."""
    wanted = MediaSectionsRequirement(num_audios=asked.audios, num_videos=asked.videos)
    return SignalResponse(media_sections_requirement=wanted)


def offer(made: Offer) -> SignalResponse:
    """Our offer on the subscriber connection."""
    return SignalResponse(
        offer=SessionDescription(type="offer", sdp=made.sdp, id=made.id, mid_to_track_id=made.mid_to_track)
    )


def track_published(cid: str, track: Track) -> SignalResponse:
    """Answer to `add_track`."""
    return SignalResponse(track_published=TrackPublishedResponse(cid=cid, track=track.info))


def track_unpublished(sid: str) -> SignalResponse:
    """We ended a track of the client."""
    return SignalResponse(track_unpublished=TrackUnpublishedResponse(track_sid=sid))


def track_subscribed(sid: str) -> SignalResponse:
    """Somebody hears or sees the track for the first time."""
    return SignalResponse(track_subscribed=TrackSubscribed(track_sid=sid))


def subscribed_quality(update: SubscribedQualityUpdate) -> SignalResponse:
    """Which codecs and layers of its track the client need send."""
    return SignalResponse(subscribed_quality_update=update)


def stream_state(track: Track, paused: bool) -> SignalResponse:
    """A video is withheld from the client, which its link does not carry or which last-N hides; or it comes again."""
    state = StreamState.PAUSED if paused else StreamState.ACTIVE
    info = StreamStateInfo(participant_sid=track.owner, track_sid=track.sid, state=state)
    return SignalResponse(stream_state_update=StreamStateUpdate(stream_states=[info]))


def mute(sid: str, muted: bool) -> SignalResponse:
    """Asks the client to mute its own track."""
    return SignalResponse(mute=MuteTrackRequest(sid=sid, muted=muted))


def subscription_error(sid: str, error: SubscriptionError) -> SignalResponse:
    """A subscription cannot be."""
    return SignalResponse(subscription_response=SubscriptionResponse(track_sid=sid, err=error))


def permission(owner: str, track: str, allowed: bool) -> SignalResponse:
    """The owner of a track let the client in, or shut it out."""
    return SignalResponse(
        subscription_permission_update=SubscriptionPermissionUpdate(
            participant_sid=owner, track_sid=track, allowed=allowed
        )
    )


def pong(now: float) -> SignalResponse:
    """Answer to `ping`: our time in ms."""
    return SignalResponse(pong=int(now * 1000))


def pong_resp(last_ping: int, now: float) -> SignalResponse:
    """Answer to `ping_req`."""
    return SignalResponse(pong_resp=Pong(last_ping_timestamp=last_ping, timestamp=int(now * 1000)))


def refresh_token(token: str) -> SignalResponse:
    """The next token, for reconnects."""
    return SignalResponse(refresh_token=token)


def request_response(
    request: SignalRequest, reason: RequestResponse.Reason, message: str, request_id: int = 0
) -> SignalResponse:
    """What became of a request, with the request where the protocol has a place for it."""
    response = RequestResponse(request_id=request_id, reason=reason, message=message)
    kind = request.WhichOneof("message")
    if kind in _ECHOED_AS:
        getattr(response, _ECHOED_AS[kind]).CopyFrom(getattr(request, kind))
    return SignalResponse(request_response=response)
