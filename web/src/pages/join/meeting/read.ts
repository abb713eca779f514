/** What livekit-client's Room says, as plain facts. */
import { ConnectionQuality, DisconnectReason, Track, type Participant, type Room } from 'livekit-client';
import type { Out } from '../stage';
import type { SessionFacts } from './seats';
import type { Quality } from './state';

/** Every session we see, ours last. */
export function sessions(room: Room): readonly SessionFacts[] {
  const others = [...room.remoteParticipants.values()].map((participant) => facts(participant, false));
  return [...others, facts(room.localParticipant, true)];
}

function facts(participant: Participant, local: boolean): SessionFacts {
  const { room, center } = participant.attributes;
  return {
    identity: participant.identity,
    name: participant.name ?? participant.identity,
    room: room ?? null,
    center: center ?? null,
    local,
    mic: participant.isMicrophoneEnabled,
    camera: open(participant, Track.Source.Camera),
    screen: open(participant, Track.Source.ScreenShare),
    withheld: [...participant.videoTrackPublications.values()].filter((one) => one.track?.streamState === Track.StreamState.Paused).map((one) => one.trackSid),
    speaking: participant.isSpeaking,
    joinedAt: participant.joinedAt?.getTime() ?? 0,
  };
}

/** The id of a picture that can be drawn now: published, not muted, and here. */
function open(participant: Participant, source: Track.Source): string | null {
  const publication = participant.getTrackPublication(source);
  if (publication === undefined || publication.isMuted || publication.track === undefined) return null;
  return publication.trackSid;
}

/** The track of a picture. */
export function videoTrack(room: Room, identity: string, source: 'camera' | 'screen'): Track | undefined {
  const participant = room.localParticipant.identity === identity ? room.localParticipant : room.remoteParticipants.get(identity);
  return participant?.getTrackPublication(source === 'camera' ? Track.Source.Camera : Track.Source.ScreenShare)?.track;
}

/** Why the server sent us away for good; null when coming back may work. */
export function finalReason(reason: DisconnectReason | undefined): Out | null {
  switch (reason) {
    case DisconnectReason.DUPLICATE_IDENTITY:
      return 'duplicate';
    case DisconnectReason.PARTICIPANT_REMOVED:
      return 'removed';
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.ROOM_CLOSED:
      return 'ended';
    case DisconnectReason.CLIENT_INITIATED:
      return 'left';
    case undefined:
    case DisconnectReason.UNKNOWN_REASON:
    case DisconnectReason.SERVER_SHUTDOWN:
    case DisconnectReason.STATE_MISMATCH:
    case DisconnectReason.JOIN_FAILURE:
    case DisconnectReason.MIGRATION:
    case DisconnectReason.SIGNAL_CLOSE:
    case DisconnectReason.CONNECTION_TIMEOUT:
    case DisconnectReason.MEDIA_FAILURE:
    case DisconnectReason.USER_UNAVAILABLE:
    case DisconnectReason.USER_REJECTED:
    case DisconnectReason.SIP_TRUNK_FAILURE:
    case DisconnectReason.AGENT_ERROR:
      return null;
  }
}

/** Three steps people can tell apart. */
export function quality(measured: ConnectionQuality): Quality {
  switch (measured) {
    case ConnectionQuality.Excellent:
      return 'good';
    case ConnectionQuality.Good:
      return 'fair';
    case ConnectionQuality.Poor:
    case ConnectionQuality.Lost:
      return 'poor';
    case ConnectionQuality.Unknown:
      return null;
  }
}
