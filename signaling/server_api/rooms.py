"""`RoomService`: what programs with an API key may do with media rooms. One method per call, messages in and out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from livekit.protocol.models import DataPacket, ParticipantInfo, UserPacket
from livekit.protocol.models import Room as RoomInfo
from livekit.protocol.room import (
    CreateRoomRequest,
    DeleteRoomRequest,
    DeleteRoomResponse,
    ListParticipantsRequest,
    ListParticipantsResponse,
    ListRoomsRequest,
    ListRoomsResponse,
    MuteRoomTrackRequest,
    MuteRoomTrackResponse,
    RemoveParticipantResponse,
    RoomParticipantIdentity,
    SendDataRequest,
    SendDataResponse,
    UpdateParticipantRequest,
    UpdateRoomMetadataRequest,
    UpdateSubscriptionsRequest,
    UpdateSubscriptionsResponse,
)

from signaling.media import Leave
from signaling.rtc import RtcServer, responses
from signaling.rtc.data import from_server
from signaling.rtc.requests import MAX_ATTRIBUTES
from signaling.rtc.room import MediaRoom
from signaling.rtc.session import RESERVED_ATTRIBUTES, Session
from signaling.rtc.subscriber import LOSSY, RELIABLE
from signaling.rtc.track import SOURCE_NAMES
from signaling.tokens import ApiGrants
from wire.problems import Code, Refusal

MAX_NAME = 256  # characters of a room's or participant's name
MAX_NAMES = 500  # rooms, tracks or destinations named in one call
EMPTY_TIMEOUT = 300  # seconds a room that was created stays without anybody, unless said otherwise
LONGEST_EMPTY = 24 * 3600  # seconds


@dataclasses.dataclass(frozen=True)
class Call:
    """One call of the API: the message it takes, what does it, and which grant it needs."""

    request: type[Message]
    do: Callable[[Any], Message]
    grant: str  # `room_create`, `room_list`, or `room_admin` of the room that the request names


class RoomCalls:
    """The calls by name. All raise Refusal: not_found, bad_request, too_many, too_large, forbidden."""

    def __init__(self, media: RtcServer) -> None:
        self._media = media
        self.calls = {
            "CreateRoom": Call(CreateRoomRequest, self._create, "room_create"),
            "ListRooms": Call(ListRoomsRequest, self._list, "room_list"),
            "DeleteRoom": Call(DeleteRoomRequest, self._delete, "room_create"),
            "UpdateRoomMetadata": Call(UpdateRoomMetadataRequest, self._update_room, "room_admin"),
            "ListParticipants": Call(ListParticipantsRequest, self._participants, "room_admin"),
            "GetParticipant": Call(RoomParticipantIdentity, self._participant, "room_admin"),
            "RemoveParticipant": Call(RoomParticipantIdentity, self._remove, "room_admin"),
            "MutePublishedTrack": Call(MuteRoomTrackRequest, self._mute, "room_admin"),
            "UpdateParticipant": Call(UpdateParticipantRequest, self._update, "room_admin"),
            "UpdateSubscriptions": Call(UpdateSubscriptionsRequest, self._subscriptions, "room_admin"),
            "SendData": Call(SendDataRequest, self._send, "room_admin"),
        }

    @staticmethod
    def allow(grants: ApiGrants, call: Call, request: Any) -> None:
        """Check the grant. Raises Refusal(forbidden)."""
        if not getattr(grants, call.grant):
            raise Refusal(Code.FORBIDDEN, f"the token does not grant {call.grant}")
        if call.grant == "room_admin" and grants.room != request.room:
            raise Refusal(Code.FORBIDDEN, "the token's room is another one")

    # --- rooms --------------------------------------------------------------------------------------------------

    def _create(self, asked: CreateRoomRequest) -> RoomInfo:
        if not asked.name or len(asked.name) > MAX_NAME:
            raise Refusal(Code.BAD_REQUEST, f"name: between 1 and {MAX_NAME} characters")
        self._short(asked.metadata)
        new = asked.name not in self._media.rooms
        room = self._media.open(asked.name)
        if new:
            stays = min(asked.empty_timeout or EMPTY_TIMEOUT, LONGEST_EMPTY)
            room.kept_until = self._media.now() + stays
            room.metadata = asked.metadata
            if asked.max_participants:
                room.max_participants = min(asked.max_participants, room.settings.max_sessions)
        return room.info()

    def _list(self, asked: ListRoomsRequest) -> ListRoomsResponse:
        if len(asked.names) > MAX_NAMES:
            raise Refusal(Code.TOO_MANY, f"at most {MAX_NAMES} names")
        names = set(asked.names)
        rooms = [room.info() for room in self._media.rooms.values() if not names or room.name in names]
        return ListRoomsResponse(rooms=rooms)

    def _delete(self, asked: DeleteRoomRequest) -> DeleteRoomResponse:
        room = self._room(asked.room)
        room.kept_until = 0.0
        for session in list(room.sessions.values()):
            room.end(session, Leave.ENDED)
        self._media.apply(room)
        self._media.silence(asked.room)
        return DeleteRoomResponse()

    def _update_room(self, asked: UpdateRoomMetadataRequest) -> RoomInfo:
        room = self._room(asked.room)
        self._short(asked.metadata)
        room.metadata = asked.metadata
        room.effects.send(room.sessions, responses.room_update(room.info()))
        self._media.apply(room)
        return room.info()

    # --- participants -------------------------------------------------------------------------------------------

    def _participants(self, asked: ListParticipantsRequest) -> ListParticipantsResponse:
        room = self._room(asked.room)
        return ListParticipantsResponse(participants=[session.info() for session in room.sessions.values()])

    def _participant(self, asked: RoomParticipantIdentity) -> ParticipantInfo:
        return self._session(asked.room, asked.identity)[1].info()

    def _remove(self, asked: RoomParticipantIdentity) -> RemoveParticipantResponse:
        if not self._media.silence(asked.room, asked.identity):  # else it has just left, and may be here again
            self._session(asked.room, asked.identity)
        self._media.remove(asked.room, asked.identity, Leave.REMOVED)
        return RemoveParticipantResponse()

    def _mute(self, asked: MuteRoomTrackRequest) -> MuteRoomTrackResponse:
        room, session = self._session(asked.room, asked.identity)
        track = session.publisher.find(asked.track_sid)
        if track is None:
            raise Refusal(Code.NOT_FOUND, f"{asked.identity!r} publishes no track {asked.track_sid!r}")
        if not asked.muted and track.info.muted:
            raise Refusal(Code.FORBIDDEN, "nobody opens another one's microphone or camera: ask its owner")
        if asked.muted and not track.info.muted:
            room.mute(session, track, muted=True)
            track.silenced = True
            room.effects.send([session.sid], responses.mute(track.sid, muted=True))
            self._media.apply(room)
        return MuteRoomTrackResponse(track=track.info)

    def _update(self, asked: UpdateParticipantRequest) -> ParticipantInfo:
        room, session = self._session(asked.room, asked.identity)
        if reserved := RESERVED_ATTRIBUTES & set(asked.attributes):
            raise Refusal(Code.FORBIDDEN, f"the attributes {', '.join(sorted(reserved))} come from the join token")
        merged = {name: text for name, text in {**session.attributes, **asked.attributes}.items() if text}
        self._short(asked.metadata, asked.name, *merged, *merged.values())
        if len(asked.name) > MAX_NAME or len(merged) > MAX_ATTRIBUTES:
            raise Refusal(Code.TOO_LARGE, f"a name of {MAX_NAME} characters, {MAX_ATTRIBUTES} attributes")
        if asked.HasField("permission"):
            self._permit(room, session, asked)
        session.attributes = merged
        session.name = asked.name or session.name
        session.metadata = asked.metadata or session.metadata
        room.announce(session)
        self._media.apply(room)
        return session.info()

    def _permit(self, room: MediaRoom, session: Session, asked: UpdateParticipantRequest) -> None:
        """New rights: tracks that may no longer be published end, and so do subscriptions."""
        new, old = asked.permission, session.grants
        if new.can_subscribe and not old.can_subscribe:
            raise Refusal(
                Code.BAD_REQUEST, "can_subscribe cannot be granted to one who joined without: let it join again"
            )
        session.grants = dataclasses.replace(
            old,
            can_publish=new.can_publish,
            can_publish_data=new.can_publish_data,
            can_publish_sources=tuple(
                SOURCE_NAMES[source] for source in new.can_publish_sources if source in SOURCE_NAMES
            ),
            can_update_own_metadata=new.can_update_metadata,
        )
        for track in list(session.publisher.tracks):
            if not session.may_publish(track.source):
                room.unpublish(session, track)
        session.deaf = old.can_subscribe and not new.can_subscribe
        for owner in room.sessions.values():
            for track in owner.publisher.tracks:
                if session.deaf:
                    session.subscriber.unsubscribe(track.sid)
                elif not session.subscriber.has(track.sid):
                    room.subscribe(session, owner, track)
        room.negotiate_all(self._media.now())

    def _subscriptions(self, asked: UpdateSubscriptionsRequest) -> UpdateSubscriptionsResponse:
        room, session = self._session(asked.room, asked.identity)
        sids = [*asked.track_sids, *(sid for entry in asked.participant_tracks for sid in entry.track_sids)]
        if len(sids) > MAX_NAMES:
            raise Refusal(Code.TOO_MANY, f"at most {MAX_NAMES} tracks")
        found = [room.find(sid) for sid in sids]
        for sid, place in zip(sids, found, strict=True):
            if place is None:
                raise Refusal(Code.NOT_FOUND, f"there is no track {sid!r} in {asked.room!r}")
            owner, track = place
            if not asked.subscribe:
                session.subscriber.unsubscribe(sid)
                session.declined.add(sid)
            elif session.may_hear(owner, track):
                session.declined.discard(sid)
                room.start(session, track)
            else:
                raise Refusal(Code.FORBIDDEN, f"{asked.identity!r} may not have the track {sid!r}")
        room.negotiate(session, self._media.now())
        self._media.apply(room)
        return UpdateSubscriptionsResponse()

    def _send(self, asked: SendDataRequest) -> SendDataResponse:
        room = self._room(asked.room)
        if len(asked.destination_identities) + len(asked.destination_sids) > MAX_NAMES:
            raise Refusal(Code.TOO_MANY, f"at most {MAX_NAMES} destinations")
        user = UserPacket(payload=asked.data, nonce=asked.nonce)
        if asked.topic:
            user.topic = asked.topic
        packet = DataPacket(kind=asked.kind, user=user)
        label = LOSSY if asked.kind == DataPacket.LOSSY else RELIABLE
        limit = room.settings.max_data
        if packet.ByteSize() > limit:
            raise Refusal(Code.TOO_LARGE, f"a data packet may have {limit} bytes")
        destinations = (set(asked.destination_identities), set(asked.destination_sids))
        command = from_server(packet, label, room.sessions.values(), destinations, limit)
        if command is not None:
            room.effects.commands.append(command)
            self._media.apply(room)
        return SendDataResponse()

    # --- what is named ------------------------------------------------------------------------------------------

    def _room(self, name: str) -> MediaRoom:
        room = self._media.rooms.get(name)
        if room is None:
            raise Refusal(Code.NOT_FOUND, f"there is no room {name[:MAX_NAME]!r}")
        return room

    def _session(self, name: str, identity: str) -> tuple[MediaRoom, Session]:
        room = self._room(name)
        session = next((session for session in room.sessions.values() if session.identity == identity), None)
        if session is None:
            raise Refusal(Code.NOT_FOUND, f"there is no {identity[:MAX_NAME]!r} in {name!r}")
        return room, session

    def _short(self, *texts: str) -> None:
        if sum(map(len, texts)) > 16 * 1024:
            raise Refusal(Code.TOO_LARGE, "names, metadata and attributes may have 16384 characters together")
