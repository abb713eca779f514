/** This computer's camera and microphone before the meeting: what the person wants, what they have, why not. */

/** Why a camera or microphone gives nothing. */
export type Fault = 'refused' | 'missing' | 'busy' | 'insecure';

/** The two sources of a person. */
export type Source = 'mic' | 'camera';

/** A device one can choose. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

/** One source: wanted or not, the track when there is one, the fault when there is none. */
export interface SourceState {
  readonly on: boolean;
  readonly opening: boolean;
  readonly track: MediaStreamTrack | null;
  readonly fault: Fault | null;
  readonly chosen: string | null; // device id
}

export interface Capture {
  readonly mic: SourceState;
  readonly camera: SourceState;
  readonly mics: readonly Choice[];
  readonly cameras: readonly Choice[];
  readonly speakers: readonly Choice[];
  readonly speaker: string | null;
}

export type CaptureEvent =
  | { readonly kind: 'opening'; readonly source: Source }
  | { readonly kind: 'opened'; readonly source: Source; readonly track: MediaStreamTrack; readonly device: string | null }
  | { readonly kind: 'failed'; readonly source: Source; readonly fault: Fault }
  | { readonly kind: 'switched'; readonly source: Source; readonly on: boolean }
  | { readonly kind: 'ended'; readonly source: Source } // unplugged, or taken away by the system
  | { readonly kind: 'chose_speaker'; readonly device: string }
  | { readonly kind: 'devices'; readonly mics: readonly Choice[]; readonly cameras: readonly Choice[]; readonly speakers: readonly Choice[] };

/** Before anything is known: what was remembered from last time. */
export function fresh(remembered: { mic: string | null; camera: string | null; speaker: string | null; micOn: boolean; cameraOn: boolean }): Capture {
  const source = (on: boolean, chosen: string | null): SourceState => ({ on, opening: false, track: null, fault: null, chosen });
  return {
    mic: source(remembered.micOn, remembered.mic),
    camera: source(remembered.cameraOn, remembered.camera),
    mics: [],
    cameras: [],
    speakers: [],
    speaker: remembered.speaker,
  };
}

/** The capture after an event. */
export function captured(capture: Capture, event: CaptureEvent): Capture {
  switch (event.kind) {
    case 'opening':
      return change(capture, event.source, { opening: true, fault: null });
    case 'opened':
      return change(capture, event.source, { on: true, opening: false, track: event.track, fault: null, chosen: event.device });
    case 'failed':
      return change(capture, event.source, { opening: false, track: null, fault: event.fault });
    case 'switched':
      return change(capture, event.source, { on: event.on });
    case 'ended':
      return change(capture, event.source, { track: null, fault: 'missing' });
    case 'chose_speaker':
      return { ...capture, speaker: event.device };
    case 'devices':
      return { ...capture, mics: event.mics, cameras: event.cameras, speakers: event.speakers };
  }
}

function change(capture: Capture, source: Source, part: Partial<SourceState>): Capture {
  return { ...capture, [source]: { ...capture[source], ...part } };
}

/** Whether a source gives something now. */
export function isLive(source: SourceState): boolean {
  return source.on && source.track !== null;
}

/** The browser's name for what went wrong, as one of ours. */
export function faultOf(error: unknown): Fault {
  const name = error instanceof DOMException || error instanceof Error ? error.name : '';
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
    case 'DevicesNotFoundError':
      return 'missing';
    default:
      return 'busy'; // NotReadableError, AbortError: another program or the system holds it
  }
}
