/** What was pressed and is not yet confirmed: shown at once, replaced by the confirmed state, forgotten after a while. */

import { given } from '../../given';
import type { PanelView } from '../../wire';

/** Seconds after which an unconfirmed press no longer hides the confirmed state. */
export const PATIENCE = 8;

export interface Asked<T> {
  value: T;
  /** Id of the action that asked for it. */
  action: number;
  /** Unix seconds. */
  at: number;
}

export interface Wishes {
  mic?: Asked<boolean>;
  camera?: Asked<boolean>;
  volume?: Asked<number>;
  preset?: Asked<string>;
}

const VOLUME_STEP = 0.005;

/** Drop the wishes that the document confirms, and those that are too old. */
export function settle(wishes: Wishes, view: PanelView, now: number): Wishes {
  const fresh = (asked: Asked<unknown> | undefined): boolean => asked !== undefined && now - asked.at < PATIENCE;
  const preset = Object.values(view.devices ?? {}).find((d) => d.role === 'main_camera')?.properties?.['preset']?.reported;
  const volume = view.media?.volume;
  const kept: Wishes = {};
  if (fresh(wishes.mic) && (view.media?.mic ?? false) !== wishes.mic?.value) kept.mic = wishes.mic;
  if (fresh(wishes.camera) && (view.media?.camera ?? false) !== wishes.camera?.value) kept.camera = wishes.camera;
  if (fresh(wishes.preset) && String(preset) !== wishes.preset?.value) kept.preset = wishes.preset;
  if (wishes.volume !== undefined && fresh(wishes.volume) && (!given(volume) || Math.abs(volume - wishes.volume.value) > VOLUME_STEP)) {
    kept.volume = wishes.volume;
  }
  return kept;
}

/** Forget what a refused action asked for. */
export function refused(wishes: Wishes, action: number): Wishes {
  const kept: Wishes = { ...wishes };
  if (kept.mic?.action === action) delete kept.mic;
  if (kept.camera?.action === action) delete kept.camera;
  if (kept.volume?.action === action) delete kept.volume;
  if (kept.preset?.action === action) delete kept.preset;
  return kept;
}

export interface Switch {
  /** What the key shows: the wish at once, else what is confirmed. */
  on: boolean;
  /** The shown state is confirmed. */
  confirmed: boolean;
}

/** A microphone or camera key, from the wish of this panel, that of any panel, and the confirmed state. */
export function switchOf(asked: Asked<boolean> | undefined, wanted: boolean, confirmed: boolean): Switch {
  const on = asked?.value ?? wanted;
  return { on, confirmed: on === confirmed };
}

export interface Volume {
  /** 0..1; null where the room has no volume to set. */
  value: number | null;
  confirmed: boolean;
}

/** Somebody turned the knob of the loudspeakers themselves: our wish was dropped, and what they say holds. */
const turned = (view: PanelView): boolean =>
  Object.values(view.devices ?? {}).some(({ role, properties = {} }) => role === 'room_speaker' && given(properties['volume']?.reported) && !given(properties['volume'].desired));

/** All loudspeakers are out of reach: what they said last is no volume, and they obey no key. */
function unheard(view: PanelView): boolean {
  const speakers = Object.values(view.devices ?? {}).filter(({ role }) => role === 'room_speaker');
  return speakers.length > 0 && speakers.every(({ connection }) => connection === 'unreachable');
}

/** The volume to show, 0..1; none while no loudspeaker answers. At rest nobody set one for a meeting: what the speakers say holds. */
export function volumeOf(wishes: Wishes, view: PanelView): Volume {
  if (unheard(view)) return { value: null, confirmed: false };
  const confirmed = view.media?.volume ?? null;
  const wanted = (view.phase === 'idle' || turned(view)) && confirmed !== null ? confirmed : view.media?.volume_wanted;
  const value = wishes.volume?.value ?? wanted ?? confirmed;
  return { value, confirmed: value !== null && confirmed !== null && Math.abs(value - confirmed) <= VOLUME_STEP };
}

const STEPS = 10;

/** The next volume up (`+1`) or down (`-1`), on tenths. */
export function stepped(value: number, direction: 1 | -1): number {
  const tenth = direction > 0 ? Math.floor(value * STEPS + 0.001) + 1 : Math.ceil(value * STEPS - 0.001) - 1;
  return Math.min(1, Math.max(0, tenth / STEPS));
}
