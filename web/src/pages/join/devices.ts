/** Opens and closes this computer's devices, and tells what became of it as events. */
import { faultOf, type CaptureEvent, type Choice, type Source } from './capture';

type Send = (event: CaptureEvent) => void;

/** Pictures as good as a meeting needs; the device may give less. */
const PICTURE: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const VOICE: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Owns the preview's tracks. */
export class Devices {
  readonly #send: Send;
  readonly #tracks = new Map<Source, MediaStreamTrack>();
  readonly #asked = new Map<Source, number>();

  constructor(send: Send) {
    this.#send = send;
    if (isSupported()) navigator.mediaDevices.addEventListener('devicechange', this.#changed);
  }

  /** Open both at once, so that the browser asks once; where that fails, each alone, to learn which one it is. */
  async openBoth(mic: string | null, camera: string | null): Promise<void> {
    if (!isSupported()) {
      this.#send({ kind: 'failed', source: 'mic', fault: 'insecure' });
      this.#send({ kind: 'failed', source: 'camera', fault: 'insecure' });
      return;
    }
    const tickets = [this.#ticket('mic'), this.#ticket('camera')] as const;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: wanted('mic', mic), video: wanted('camera', camera) });
      this.#take('mic', tickets[0], stream.getAudioTracks()[0]);
      this.#take('camera', tickets[1], stream.getVideoTracks()[0]);
    } catch {
      await this.open('mic', mic);
      await this.open('camera', camera);
    }
    await this.#list();
  }

  /** Open one source; `device` null leaves the choice to the browser. A device that is gone is replaced by another. */
  async open(source: Source, device: string | null): Promise<void> {
    if (!isSupported()) {
      this.#send({ kind: 'failed', source, fault: 'insecure' });
      return;
    }
    const ticket = this.#ticket(source);
    this.#stop(source);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ [source === 'mic' ? 'audio' : 'video']: wanted(source, device) });
      this.#take(source, ticket, stream.getTracks()[0]);
    } catch (error) {
      if (this.#asked.get(source) === ticket) this.#send({ kind: 'failed', source, fault: faultOf(error) });
    }
    await this.#list();
  }

  /** Close one source: its light goes out. */
  close(source: Source): void {
    this.#ticket(source, false);
    this.#stop(source);
    this.#send({ kind: 'switched', source, on: false });
  }

  /** Close everything, for good. */
  release(): void {
    for (const source of ['mic', 'camera'] as const) {
      this.#ticket(source, false);
      this.#stop(source);
    }
    if (isSupported()) navigator.mediaDevices.removeEventListener('devicechange', this.#changed);
  }

  readonly #changed = (): void => {
    this.#list().catch(() => undefined);
  };

  /** Number each request, so that only the last one's answer counts. */
  #ticket(source: Source, tell = true): number {
    const ticket = (this.#asked.get(source) ?? 0) + 1;
    this.#asked.set(source, ticket);
    if (tell) this.#send({ kind: 'opening', source });
    return ticket;
  }

  #take(source: Source, ticket: number, track: MediaStreamTrack | undefined): void {
    if (track === undefined) return;
    if (this.#asked.get(source) !== ticket) {
      track.stop();
      return;
    }
    this.#tracks.set(source, track);
    track.addEventListener('ended', () => {
      if (this.#tracks.get(source) === track) this.#send({ kind: 'ended', source });
    });
    this.#send({ kind: 'opened', source, track, device: track.getSettings().deviceId ?? null });
  }

  #stop(source: Source): void {
    const track = this.#tracks.get(source);
    this.#tracks.delete(source);
    track?.stop();
  }

  async #list(): Promise<void> {
    const all = await navigator.mediaDevices.enumerateDevices();
    const of = (kind: MediaDeviceKind): Choice[] =>
      all.filter((device) => device.kind === kind && device.deviceId !== '').map((device) => ({ id: device.deviceId, label: device.label }));
    this.#send({ kind: 'devices', mics: of('audioinput'), cameras: of('videoinput'), speakers: of('audiooutput') });
  }
}

/** Browsers hide cameras from pages that did not come over https (or from this computer). */
function isSupported(): boolean {
  return 'mediaDevices' in navigator;
}

function wanted(source: Source, device: string | null): MediaTrackConstraints {
  const base = source === 'mic' ? VOICE : PICTURE;
  return device === null ? base : { ...base, deviceId: { ideal: device } };
}
