/** What the room's devices do, from what they said themselves: confirmed, asked, or assumed without their word. */

import { given } from '../../given';
import type { Device, DeviceResult, Notice, PanelView, Property, Role } from '../../wire';

export type Power = 'on' | 'off' | 'warming' | 'cooling' | 'unknown';

/** How we know: the device said so, we asked and wait, or we believe it without its word. */
export type Evidence = 'reported' | 'desired' | 'assumed' | 'none';

export type DeviceKind = 'projector' | 'screen' | 'camera' | 'microphone' | 'speaker' | 'input' | 'sensor' | 'computer' | 'supply' | 'network';

export interface DeviceRow {
  id: string;
  role: Role;
  kind: DeviceKind;
  reachable: boolean;
  connecting: boolean;
  fault: Notice | null;
  power: Power | null;
  evidence: Evidence;
  /** Seconds until a slow change is done, and the share done, 0..1. */
  remaining: number | null;
  progress: number | null;
  muted: boolean | null;
  canPower: boolean;
  /** The picture is black though the display is on. */
  blank: boolean;
  /** It can be told more than its power. */
  adjustable: boolean;
}

export interface CameraControl {
  device: string;
  reachable: boolean;
  /** What of it moves; null where nothing does. */
  moves: { panTilt: boolean; zoom: boolean } | null;
  /** It can follow people by itself: whether it does; null where it cannot. `asked`: what was asked and not yet said. */
  framing: { on: boolean; asked: boolean | null } | null;
  presets: { number: string; name: string; selected: boolean }[];
}

/** What a display can be told besides its power. */
export interface DisplayControl {
  role: Role;
  name: string;
  reachable: boolean;
  /** Why it is not, where that is known. */
  fault: Notice | null;
  power: Power | null;
  inputs: { name: string; selected: boolean; asked: boolean }[];
  /** Its picture is black; null where it cannot be made so, or is off. */
  blank: boolean | null;
}

/** What the sensors say of the room. */
export interface Surroundings {
  occupied: boolean | null;
  people: number | null;
  /** ppm */
  co2: number | null;
  /** °C */
  temperature: number | null;
  /** When the oldest of it was said, Unix seconds. */
  at: number | null;
}

/** Devices that nobody operates from the panel: shown there only when people have to know. */
const ASIDE: ReadonlySet<Role> = new Set<Role>(['mute_button', 'occupancy_sensor', 'air_sensor', 'room_computer', 'ups', 'network_switch']);
/** Of those, the ones whose trouble people feel. */
const FELT: ReadonlySet<Role> = new Set<Role>(['mute_button', 'ups']);

const ROLE_ORDER: readonly Role[] = [
  'front_display', 'second_display', 'main_camera', 'room_mic', 'room_speaker', 'content_input',
  'mute_button', 'occupancy_sensor', 'air_sensor', 'room_computer', 'ups', 'network_switch',
];

/** What kind of thing stands for a role; a display spoken to by PJLink is a projector. */
export function kindOf(device: Device): DeviceKind {
  switch (device.role) {
    case 'front_display':
    case 'second_display':
      return device.driver.includes('pjlink') ? 'projector' : 'screen';
    case 'main_camera':
      return 'camera';
    case 'room_mic':
      return 'microphone';
    case 'room_speaker':
      return 'speaker';
    case 'content_input':
      return 'input';
    case 'mute_button':
      return 'microphone';
    case 'occupancy_sensor':
    case 'air_sensor':
      return 'sensor';
    case 'room_computer':
      return 'computer';
    case 'ups':
      return 'supply';
    case 'network_switch':
      return 'network';
  }
}

/** The value to show and how it is known: a newer wish than the report shows as asked. */
export function known(property: Property | undefined): { value: Property['reported']; evidence: Evidence } {
  if (property === undefined) return { value: null, evidence: 'none' };
  if (given(property.reported)) return { value: property.reported, evidence: 'reported' };
  if (given(property.assumed)) return { value: property.assumed, evidence: 'assumed' };
  if (given(property.desired)) return { value: property.desired, evidence: 'desired' };
  return { value: null, evidence: 'none' };
}

function powerOf(value: Property['reported']): Power {
  if (value === true) return 'on';
  if (value === false || value === 'standby') return 'off';
  return value === 'on' || value === 'off' || value === 'warming' || value === 'cooling' ? value : 'unknown';
}

/** Seconds a slow change still takes at `now`, counted on from when it was observed. */
export function remaining(property: Property | undefined, now: number): number | null {
  if (!given(property?.remaining)) return null;
  const age = !given(property.observed_at) ? 0 : Math.max(0, now - property.observed_at);
  return Math.max(0, Math.ceil(property.remaining - age));
}

function row(device: Device, now: number): DeviceRow {
  const property = device.properties?.['power'];
  const { value, evidence } = known(property);
  const canPower = (device.capabilities ?? []).includes('power');
  const left = remaining(property, now);
  const total = property?.total ?? null;
  const mute = known(device.properties?.['mute']).value;
  return {
    id: device.id,
    role: device.role,
    kind: kindOf(device),
    reachable: device.connection === 'online',
    connecting: (device.connection ?? 'connecting') === 'connecting',
    fault: device.fault ?? null,
    power: canPower ? powerOf(value) : null,
    evidence,
    remaining: left,
    progress: left === null || total === null || total <= 0 ? null : Math.min(1, Math.max(0, 1 - left / total)),
    muted: typeof mute === 'boolean' ? mute : null,
    canPower,
    blank: known(device.properties?.['blank']).value === true,
    adjustable: canAdjust(device),
  };
}

const canAdjust = ({ role, capabilities = [], inputs = [] }: Device): boolean =>
  (role === 'front_display' || role === 'second_display') && ((capabilities.includes('input') && inputs.length > 1) || capabilities.includes('blank'));

const shown = ({ role, connection, fault }: Device): boolean =>
  !ASIDE.has(role) || (FELT.has(role) && (role === 'mute_button' ? connection === 'unreachable' : connection === 'online' && given(fault)));

/** One row per device that people use or feel, in the order of roles; a supply that empties first. */
export function deviceRows(view: PanelView, now: number): DeviceRow[] {
  return Object.values(view.devices ?? {})
    .filter(shown)
    .map((device) => row(device, now))
    .sort((a, b) => Number(b.role === 'ups') - Number(a.role === 'ups') || ROLE_ORDER.indexOf(a.role) - ROLE_ORDER.indexOf(b.role) || a.id.localeCompare(b.id));
}

/** What a meeting needs and nothing is known against. */
export const working = (rows: readonly DeviceRow[]): DeviceRow[] =>
  rows.filter(({ role, reachable, fault }) => !ASIDE.has(role) && reachable && fault === null);

/** The main camera's controls; null if the room has no camera that moves or recalls positions. */
export function cameraControl(view: PanelView): CameraControl | null {
  const camera = Object.values(view.devices ?? {}).find((device) => device.role === 'main_camera');
  if (camera === undefined) return null;
  const capabilities = camera.capabilities ?? [];
  const presets = capabilities.includes('presets') ? Object.entries(camera.presets ?? {}) : [];
  const axes = camera.axes ?? [];
  const has = (axis: string): boolean => axes.length === 0 || axes.includes(axis);
  const moves = capabilities.includes('ptz') ? { panTilt: has('pan_tilt'), zoom: has('zoom') } : null;
  const framing = capabilities.includes('framing') ? framingOf(camera) : null;
  if (moves === null && presets.length === 0 && framing === null) return null;
  const selected = known(camera.properties?.['preset']).value;
  return {
    device: camera.id,
    reachable: camera.connection === 'online',
    moves,
    framing,
    presets: presets
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([number, name]) => ({ number, name, selected: given(selected) && String(selected) === number })),
  };
}

function framingOf(camera: Device): CameraControl['framing'] {
  const property = camera.properties?.['framing'];
  const on = known(property).value === true;
  const desired = property?.desired ?? null;
  return { on, asked: typeof desired === 'boolean' && desired !== on ? desired : null };
}

/** What the display of a role can be told; null if the room has none. */
export function displayControl(view: PanelView, role: Role): DisplayControl | null {
  const display = Object.values(view.devices ?? {}).find((device) => device.role === role);
  if (display === undefined) return null;
  const { capabilities = [], inputs = [], properties = {} } = display;
  const power = capabilities.includes('power') ? powerOf(known(properties['power']).value) : null;
  const now = known(properties['input']).value;
  const desired = properties['input']?.desired ?? null;
  return {
    role,
    name: display.name,
    reachable: display.connection === 'online',
    fault: display.fault ?? null,
    power,
    inputs: capabilities.includes('input') && inputs.length > 1
      ? inputs.map((name) => ({ name, selected: name === now, asked: name === desired && name !== now }))
      : [],
    blank: capabilities.includes('blank') && (power === null || power === 'on') ? known(properties['blank']).value === true : null,
  };
}

/** Does the room have anything whose loudness can be set? */
export const hasVolume = (view: PanelView): boolean =>
  Object.values(view.devices ?? {}).some((device) => device.role === 'room_speaker' && (device.capabilities ?? []).includes('volume'));

const SENSED: ReadonlySet<string> = new Set(['occupied', 'people', 'co2', 'temperature']);

/** What the sensors say; null in a room without sensors. A value that is too old is not said any more. */
export function surroundings(view: PanelView): Surroundings | null {
  const sensors = Object.values(view.devices ?? {}).filter(({ role }) => role === 'occupancy_sensor' || role === 'air_sensor');
  if (sensors.length === 0) return null;
  const said = sensors
    .filter(({ connection }) => connection === 'online')
    .flatMap(({ properties = {} }) => Object.entries(properties).filter(([name, property]) => SENSED.has(name) && given(property.reported)));
  const value = (name: string): Property['reported'] => said.find(([one]) => one === name)?.[1].reported ?? null;
  const numberOf = (name: string): number | null => {
    const one = value(name);
    return typeof one === 'number' ? one : null;
  };
  const occupied = value('occupied');
  const ages = said.map(([, { observed_at: at }]) => at).filter((at) => typeof at === 'number');
  return {
    occupied: typeof occupied === 'boolean' ? occupied : null,
    people: numberOf('people'),
    co2: numberOf('co2'),
    temperature: numberOf('temperature'),
    at: ages.length === 0 ? null : Math.min(...ages),
  };
}

/** What the last scene could not do, device by device; late or replaced commands are no loss. */
export function losses(view: PanelView): DeviceResult[] {
  return (view.results ?? []).filter((result) => {
    switch (result.outcome) {
      case 'failed':
      case 'timed_out':
        return true;
      case 'done':
      case 'accepted':
      case 'superseded':
      case 'unsupported':
        return false;
    }
  });
}
