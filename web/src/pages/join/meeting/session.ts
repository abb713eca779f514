/**
 * The guest's media session: livekit-client told what to do, and its news as events.
 *
 * livekit-client resumes short gaps by itself. When it gives up, this asks for a new token and connects again, until the
 * server says that there is nothing to come back to. While nothing reaches the server, capture is cut: nobody may be
 * filmed without knowing that they are.
 */
import { Room, RoomEvent, Track, VideoPresets, type DisconnectReason, type LocalTrackPublication, type RemoteTrack } from 'livekit-client';
import type { JoinGrant } from '../../../wire';
import { backOff } from '../../../live';
import { reconnectPolicy } from '../../../reconnect';
import { leave, refresh } from '../api';
import { faultOf, type Capture } from '../capture';
import { isFinal, type Out } from '../stage';
import { finalReason, quality, sessions, videoTrack } from './read';
import { Sounds } from './sounds';
import type { MeetingEvent, OwnSource } from './state';

const CUT_AFTER_MS = 6000;
const REFRESH_AT = 0.7; // of a token's life

/** Choices carried over from the check. */
export interface Choices {
  readonly mic: { on: boolean; device: string | null };
  readonly camera: { on: boolean; device: string | null };
  readonly speaker: string | null;
}

/** What the check left behind: devices that had a fault start closed. */
export function choices({ mic, camera, speaker }: Capture): Choices {
  return {
    mic: { on: mic.on && mic.fault === null, device: mic.chosen },
    camera: { on: camera.on && camera.fault === null, device: camera.chosen },
    speaker,
  };
}

export class Session {
  readonly room: Room;
  readonly #send: (event: MeetingEvent) => void;
  readonly #out: (why: Out) => void;
  readonly #sounds = new Sounds();
  readonly #wanted: Record<OwnSource, boolean>;
  readonly #preferred: { audioinput: string | null; videoinput: string | null };
  #grant: JoinGrant;
  #over = false;
  #returning = false;
  #refreshing: ReturnType<typeof setTimeout> | undefined;
  #cutting: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;

  constructor(grant: JoinGrant, chosen: Choices, send: (event: MeetingEvent) => void, out: (why: Out) => void) {
    this.#grant = grant;
    this.#send = send;
    this.#out = out;
    this.#wanted = { mic: chosen.mic.on, camera: chosen.camera.on, screen: false };
    this.#preferred = { audioinput: chosen.mic.device, videoinput: chosen.camera.device };
    this.room = new Room({
      adaptiveStream: true,
      dynacast: true,
      audioCaptureDefaults: { ...device(chosen.mic.device), echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      videoCaptureDefaults: { ...device(chosen.camera.device), resolution: VideoPresets.h720.resolution },
      audioOutput: device(chosen.speaker),
      publishDefaults: { simulcast: true },
      reconnectPolicy,
      singlePeerConnection: false, // on two connections the server offers what it sends: descriptions stay short in big meetings
    });
    this.#listen();
  }

  /** Connect and open what the person had open. Ends by itself through `out`. */
  async enter(): Promise<void> {
    this.#planRefresh();
    await this.#connect();
  }

  /** Open or close one of our sources. */
  async set(source: OwnSource, on: boolean): Promise<void> {
    this.#wanted[source] = on;
    this.#send({ kind: 'asked', source, on });
    try {
      await this.#publish(source, on);
      this.#send({ kind: 'settled', source });
    } catch (error) {
      const fault = faultOf(error);
      this.#wanted[source] = false;
      this.#send({ kind: 'failed', source, fault: source === 'screen' && fault === 'refused' ? null : fault });
    }
    this.#tell();
  }

  /** Use another device; it becomes the one to return to. */
  async choose(kind: MediaDeviceKind, id: string): Promise<void> {
    if (kind !== 'audiooutput') this.#preferred[kind] = id;
    await this.room.switchActiveDevice(kind, id);
  }

  /** Let sound play: called from a press. */
  async allowSound(): Promise<void> {
    await this.room.startAudio();
  }

  /** The secret for this session's next token and its invitations. */
  get refreshSecret(): string {
    return this.#grant.refresh;
  }

  /** Draw a picture into `element`. Returns what takes it away again. */
  draw(element: HTMLVideoElement, identity: string, source: 'camera' | 'screen'): () => void {
    const track = videoTrack(this.room, identity, source);
    track?.attach(element);
    return () => {
      track?.detach(element);
    };
  }

  /** The own microphone, for the meter. */
  get micTrack(): MediaStreamTrack | null {
    return this.room.localParticipant.getTrackPublication(Track.Source.Microphone)?.track?.mediaStreamTrack ?? null;
  }

  /** Leave for good. */
  async leave(): Promise<void> {
    leave(this.#grant.refresh);
    await this.#end('left');
  }

  #listen(): void {
    const tell = (): void => this.#tell();
    const { room } = this;
    for (const event of [
      RoomEvent.ParticipantConnected, RoomEvent.ParticipantDisconnected, RoomEvent.TrackPublished, RoomEvent.TrackUnpublished,
      RoomEvent.TrackMuted, RoomEvent.TrackUnmuted, RoomEvent.ActiveSpeakersChanged, RoomEvent.ParticipantAttributesChanged,
      RoomEvent.ParticipantNameChanged, RoomEvent.LocalTrackPublished, RoomEvent.LocalTrackUnpublished,
      RoomEvent.TrackStreamStateChanged,
    ] as const) {
      room.on(event, tell);
    }
    room
      .on(RoomEvent.TrackSubscribed, (track: RemoteTrack) => {
        this.#sounds.add(track);
        tell();
      })
      .on(RoomEvent.TrackUnsubscribed, (track: RemoteTrack) => {
        this.#sounds.remove(track);
        tell();
      })
      .on(RoomEvent.LocalTrackUnpublished, (publication: LocalTrackPublication) => {
        if (publication.source === Track.Source.ScreenShare) this.#wanted.screen = false; // ended from the browser's own bar
      })
      .on(RoomEvent.ConnectionQualityChanged, (measured, participant) => {
        if (participant.isLocal) this.#send({ kind: 'quality', quality: quality(measured) });
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => this.#send({ kind: 'sound_blocked', blocked: !room.canPlaybackAudio }))
      .on(RoomEvent.MediaDevicesChanged, () => void this.#returnToPreferred())
      .on(RoomEvent.SignalReconnecting, () => this.#gap())
      .on(RoomEvent.Reconnecting, () => this.#gap())
      .on(RoomEvent.Reconnected, () => this.#whole())
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => this.#disconnected(reason));
  }

  /** Many events come at once; the page hears of them once per frame. */
  #tell(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (!this.#over) this.#send({ kind: 'sessions', sessions: sessions(this.room) });
    });
  }

  async #connect(): Promise<void> {
    try {
      await this.room.connect(this.#grant.url, this.#grant.token);
    } catch {
      if (!this.#over) await this.#comeBack();
      return;
    }
    this.#whole();
    await this.#openWanted();
  }

  async #openWanted(): Promise<void> {
    await Promise.all((['mic', 'camera'] as const).filter((source) => this.#wanted[source]).map((source) => this.set(source, true)));
  }

  #whole(): void {
    clearTimeout(this.#cutting);
    this.#capture(true);
    this.#send({ kind: 'connected' });
    this.#send({ kind: 'sound_blocked', blocked: !this.room.canPlaybackAudio });
    this.#tell();
  }

  #gap(): void {
    this.#send({ kind: 'reconnecting', at: Date.now() });
    clearTimeout(this.#cutting);
    this.#cutting = setTimeout(() => this.#capture(false), CUT_AFTER_MS);
  }

  /** Cut or give back what our tracks carry, without closing the devices. */
  #capture(on: boolean): void {
    for (const { track, isMuted } of this.room.localParticipant.trackPublications.values()) {
      if (track !== undefined && !isMuted) track.mediaStreamTrack.enabled = on;
    }
  }

  #disconnected(reason: DisconnectReason | undefined): void {
    if (this.#over) return;
    const why = finalReason(reason);
    if (why !== null) void this.#end(why);
    else void this.#comeBack();
  }

  /** A new token, a new connection, again and again; the server's word that it is over ends it. */
  async #comeBack(): Promise<void> {
    if (this.#returning) return;
    this.#returning = true;
    this.#gap();
    for (let attempt = 0; !this.#isOver(); attempt += 1) {
      await new Promise((resolve) => setTimeout(resolve, backOff(attempt, Math.random())));
      const answer = await refresh(this.#grant.refresh);
      if (!answer.ok && answer.reached && (isFinal(answer.problem.code) || answer.problem.code.startsWith('token_') || answer.problem.code === 'forbidden')) {
        await this.#end(answer.problem.code === 'meeting_over' ? 'ended' : 'removed');
        return;
      }
      if (!answer.ok) continue;
      this.#grant = answer.value;
      if (await this.#tryAgain()) break;
    }
    this.#returning = false;
  }

  async #tryAgain(): Promise<boolean> {
    try {
      await this.room.connect(this.#grant.url, this.#grant.token);
    } catch {
      return false;
    }
    this.#returning = false;
    this.#planRefresh();
    this.#whole();
    await this.#openWanted();
    return true;
  }

  #planRefresh(): void {
    clearTimeout(this.#refreshing);
    this.#refreshing = setTimeout(() => void this.#refresh(), Math.max(5, this.#grant.expires_in * REFRESH_AT) * 1000);
  }

  async #refresh(): Promise<void> {
    const answer = await refresh(this.#grant.refresh);
    if (answer.ok) this.#grant = answer.value;
    if (!this.#isOver()) this.#planRefresh();
  }

  async #publish(source: OwnSource, on: boolean): Promise<void> {
    const self = this.room.localParticipant;
    switch (source) {
      case 'mic':
        await self.setMicrophoneEnabled(on);
        return;
      case 'camera':
        await self.setCameraEnabled(on);
        return;
      case 'screen':
        await self.setScreenShareEnabled(on, { audio: true, contentHint: 'detail', systemAudio: 'include', surfaceSwitching: 'include', selfBrowserSurface: 'exclude' });
        return;
    }
  }

  /** The headset is plugged in again: use it again. */
  async #returnToPreferred(): Promise<void> {
    const present = await navigator.mediaDevices.enumerateDevices();
    for (const kind of ['audioinput', 'videoinput'] as const) {
      const id = this.#preferred[kind];
      if (id === null || this.room.getActiveDevice(kind) === id) continue;
      if (present.some((one) => one.kind === kind && one.deviceId === id)) await this.room.switchActiveDevice(kind, id);
    }
    this.#tell();
  }

  #isOver(): boolean {
    return this.#over;
  }

  async #end(why: Out): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#refreshing);
    clearTimeout(this.#cutting);
    cancelAnimationFrame(this.#frame);
    this.#sounds.clear();
    await this.room.disconnect();
    this.#out(why);
  }
}

function device(id: string | null): { deviceId?: string } {
  return id === null ? {} : { deviceId: id };
}
