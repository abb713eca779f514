/**
 * The screen's place in the meeting: subscribes to all, plays their sound, and comes back by itself. It publishes only
 * where the room is set up so that this page speaks for it (its token says so), and then what the panel asks for.
 */
import { signal } from '@preact/signals';
import type { RemoteParticipant, RemoteTrack, RemoteTrackPublication, RemoteVideoTrack, Room } from 'livekit-client';
import { backOff } from '../../live';
import { reconnectPolicy } from '../../reconnect';
import { type MediaEvent, mediaOff, participantOf, reduceMedia, type Source } from './media-state';

/** What the document says of the way to the media. */
export interface Access {
  readonly url: string;
  readonly token: string;
  /** Name of the media room that the token opens. */
  readonly meeting: string;
}

/** What the room wants to send, where this page speaks for it. */
export interface Switches {
  readonly mic: boolean;
  readonly camera: boolean;
}

export const media = signal(mediaOff<RemoteVideoTrack>());

function happen(event: MediaEvent<RemoteVideoTrack>): void {
  media.value = reduceMedia(media.peek(), event);
}

type LiveKit = typeof import('livekit-client');

/** The media room that a token opens; the token itself where it cannot be read. */
export function meetingOf(token: string): string {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const claims = JSON.parse(atob(payload)) as { video?: { room?: unknown } };
    return typeof claims.video?.room === 'string' ? claims.video.room : token;
  } catch {
    return token;
  }
}

/** Owns the one connection. */
export class MediaFollower {
  #access: Access | null = null;
  #switches: Switches = { mic: false, camera: false };
  #room: Room | null = null;
  readonly #sounds = new Map<RemoteTrack, HTMLMediaElement>();
  #attempt = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** Be in this meeting, or in none. A fresh token of the same meeting is kept for the next rejoin. */
  follow(access: Access | null): void {
    const before = this.#access;
    const same = access !== null && before?.meeting === access.meeting && before.url === access.url;
    this.#access = access;
    if (same) return;
    this.#attempt = 0;
    this.#leave();
    if (access === null) happen({ type: 'link', link: 'off' });
    else this.#join();
  }

  /** What the panel asks this room to send. */
  send(switches: Switches): void {
    this.#switches = switches;
    if (this.#room !== null) this.#publish(this.#room);
  }

  /** Someone touched the page: sound may play, and a page that was replaced takes its place again. */
  touched(): void {
    this.#room?.startAudio().catch(() => undefined);
    if (media.peek().link === 'replaced') this.#join();
  }

  #join(): void {
    clearTimeout(this.#retry);
    const access = this.#access;
    if (access === null) return;
    if (media.peek().link !== 'lost') happen({ type: 'link', link: 'joining' });
    this.#connect(access).catch(() => {
      if (this.#access?.meeting === access.meeting) this.#lost();
    });
  }

  async #connect({ meeting, url }: Access): Promise<void> {
    const livekit = await import('livekit-client');
    if (this.#access?.meeting !== meeting) return;
    const room = new livekit.Room({ adaptiveStream: { pixelDensity: 'screen' }, disconnectOnPageLeave: true, reconnectPolicy });
    this.#room = room;
    this.#listen(livekit, room);
    await room.connect(url, this.#access.token, { autoSubscribe: true });
    if (this.#room !== room) return;
    this.#attempt = 0;
    happen({ type: 'link', link: 'joined' });
    happen({ type: 'silent', silent: !room.canPlaybackAudio });
    this.#publish(room);
  }

  #listen({ RoomEvent, DisconnectReason }: LiveKit, room: Room): void {
    const current = (): boolean => this.#room === room;
    room
      .on(RoomEvent.TrackSubscribed, (track, publication, participant) => this.#came(room, track, publication, participant))
      .on(RoomEvent.TrackUnsubscribed, (track, publication, participant) => this.#went(room, track, publication, participant))
      .on(RoomEvent.ActiveSpeakersChanged, (speakers) => {
        if (current()) happen({ type: 'speaking', participants: speakers.map((one) => participantOf(one.identity, one.attributes)) });
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        if (current()) happen({ type: 'silent', silent: !room.canPlaybackAudio });
      })
      .on(RoomEvent.Reconnecting, () => {
        if (current()) happen({ type: 'link', link: 'shaky' });
      })
      .on(RoomEvent.Reconnected, () => {
        if (current()) happen({ type: 'link', link: 'joined' });
      })
      .on(RoomEvent.Disconnected, (reason) => {
        if (current()) this.#lost(reason === DisconnectReason.DUPLICATE_IDENTITY);
      });
  }

  #came(room: Room, track: RemoteTrack, publication: RemoteTrackPublication, participant: RemoteParticipant): void {
    if (this.#room !== room) return;
    if (isVideo(track)) happen({ type: 'video', participant: ownerOf(participant), source: sourceOf(publication), track });
    else this.#play(track);
  }

  #went(room: Room, track: RemoteTrack, publication: RemoteTrackPublication, participant: RemoteParticipant): void {
    if (!isVideo(track)) this.#silence(track);
    else if (this.#room === room) happen({ type: 'gone', participant: ownerOf(participant), source: sourceOf(publication), track });
  }

  #play(track: RemoteTrack): void {
    const element = track.attach();
    this.#sounds.set(track, element);
    document.body.append(element);
  }

  /** Its elements are ours to remove: the track has let go of them before it says that it is gone. */
  #silence(track: RemoteTrack): void {
    this.#sounds.get(track)?.remove();
    this.#sounds.delete(track);
  }

  #publish(room: Room): void {
    const own = room.localParticipant;
    if (own.permissions?.canPublish !== true || own.permissions.hidden) return;
    own.setMicrophoneEnabled(this.#switches.mic).catch(() => undefined);
    own.setCameraEnabled(this.#switches.camera).catch(() => undefined);
  }

  /** The connection ended although we are still meant to be there. */
  #lost(replaced = false): void {
    this.#leave();
    if (this.#access === null) return;
    happen({ type: 'link', link: replaced ? 'replaced' : 'lost' });
    if (!replaced) this.#retry = setTimeout(() => this.#join(), backOff(this.#attempt++, Math.random()));
  }

  #leave(): void {
    clearTimeout(this.#retry);
    const room = this.#room;
    this.#room = null;
    for (const track of this.#sounds.keys()) this.#silence(track);
    room?.disconnect().catch(() => undefined);
  }
}

const isVideo = (track: RemoteTrack): track is RemoteVideoTrack => track.mediaStreamTrack.kind === 'video';

const ownerOf = (participant: RemoteParticipant): string => participantOf(participant.identity, participant.attributes);

const sourceOf = (publication: RemoteTrackPublication): Source => (publication.source.startsWith('screen') ? 'screen' : 'camera');
