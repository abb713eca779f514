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
}

export interface CameraControl {
  device: string;
  reachable: boolean;
  ptz: boolean;
  presets: { number: string; name: string; selected: boolean }[];
}

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
  };
}

/** One row per device, in the order of roles. */
export function deviceRows(view: PanelView, now: number): DeviceRow[] {
  return Object.values(view.devices ?? {})
    .map((device) => row(device, now))
    .sort((a, b) => ROLE_ORDER.indexOf(a.role) - ROLE_ORDER.indexOf(b.role) || a.id.localeCompare(b.id));
}

/** The main camera's controls; null if the room has no camera that moves or recalls positions. */
export function cameraControl(view: PanelView): CameraControl | null {
  const camera = Object.values(view.devices ?? {}).find((device) => device.role === 'main_camera');
  if (camera === undefined) return null;
  const capabilities = camera.capabilities ?? [];
  const presets = capabilities.includes('presets') ? Object.entries(camera.presets ?? {}) : [];
  const ptz = capabilities.includes('ptz');
  if (!ptz && presets.length === 0) return null;
  const selected = known(camera.properties?.['preset']).value;
  return {
    device: camera.id,
    reachable: camera.connection === 'online',
    ptz,
    presets: presets
      .sort(([a], [b]) => Number(a) - Number(b))
      .map(([number, name]) => ({ number, name, selected: given(selected) && String(selected) === number })),
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
