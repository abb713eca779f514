/** A room's devices as IT reads them: does it answer, what was asked, what it said, what is only believed. Pure. */
import type { IconName } from '../../components/Icon';
import type { State } from '../../components/StateWord';
import type { DashboardRoom, Device, Notice, Property, Role } from '../../wire';

/** A property's value, as JSON has it. */
export type Value = string | number | boolean;

/** What is known of one property. `said` is the device's word, `believed` ours without it, `asked` a wish not yet met. */
export interface PropertyRow {
  readonly name: string;
  readonly said: Value | null;
  readonly believed: Value | null;
  readonly asked: Value | null;
  readonly at: number | null; // when it said so, Unix seconds
  readonly remaining: number | null; // seconds until a slow change is done
  readonly share: number | null; // of the slow change that is done, 0..1
}

export interface DeviceRow {
  readonly device: Device;
  readonly icon: IconName;
  readonly state: State;
  readonly answer: 'answers' | 'connecting' | 'silent' | 'not_known';
  readonly properties: readonly PropertyRow[];
}

const ROLES: readonly Role[] = [
  'front_display', 'second_display', 'main_camera', 'room_mic', 'room_speaker', 'content_input',
  'mute_button', 'occupancy_sensor', 'air_sensor', 'room_computer', 'ups', 'network_switch',
];
/** No meeting needs them: that one is silent is no alarm. */
const ASIDE: ReadonlySet<Role> = new Set<Role>(['occupancy_sensor', 'air_sensor', 'ups', 'network_switch']);
const SAME_NUMBER = 0.01; // closer than this a device cannot tell apart

/** Every device, in the order of roles. `certain` is false when the room itself is silent: then nothing is known. */
export function deviceRows(room: DashboardRoom, certain: boolean, now: number): readonly DeviceRow[] {
  return Object.values(room.devices ?? {})
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || a.id.localeCompare(b.id))
    .map((device) => ({
      device,
      icon: icon(device),
      ...standing(device, certain),
      properties: Object.entries(device.properties ?? {}).map(([name, property]) => propertyRow(name, property, now)),
    }));
}

function standing(device: Device, certain: boolean): Pick<DeviceRow, 'state' | 'answer'> {
  if (!certain) return { state: 'unknown', answer: 'not_known' };
  switch (device.connection ?? 'connecting') {
    case 'online':
      return { state: device.fault ? 'degraded' : 'ready', answer: 'answers' };
    case 'connecting':
      return { state: 'unknown', answer: 'connecting' };
    case 'unreachable':
      return { state: ASIDE.has(device.role) ? 'degraded' : 'unusable', answer: 'silent' };
  }
}

/** All that is wrong with a device, what to read first before the rest. */
export const troubles = (device: Device): readonly Notice[] => [...(device.fault ? [device.fault] : []), ...(device.besides ?? [])];

/** One property at `now` (Unix seconds). */
export function propertyRow(name: string, property: Property, now: number): PropertyRow {
  const said = property.reported ?? null;
  const asked = property.desired ?? null;
  const believed = said === null ? (property.assumed ?? null) : null;
  const at = property.observed_at ?? null;
  const left = property.remaining ?? null;
  const remaining = left === null ? null : Math.max(0, left - (at === null ? 0 : Math.max(0, now - at)));
  const total = property.total ?? 0;
  return {
    name,
    said,
    believed,
    asked: asked === null || same(asked, said ?? believed) ? null : asked,
    at,
    remaining,
    share: remaining === null || total <= 0 ? null : Math.min(1, Math.max(0, 1 - remaining / total)),
  };
}

function same(a: Value, b: Value | null): boolean {
  return typeof a === 'number' && typeof b === 'number' ? Math.abs(a - b) < SAME_NUMBER : a === b;
}

function icon(device: Device): IconName {
  switch (device.role) {
    case 'front_display':
    case 'second_display':
      return device.driver.includes('pjlink') && device.role === 'front_display' ? 'projector' : 'screen';
    case 'main_camera':
      return 'cam';
    case 'room_mic':
      return 'mic';
    case 'room_speaker':
      return 'speaker';
    case 'content_input':
      return 'share';
    case 'mute_button':
      return 'mic-off';
    case 'occupancy_sensor':
      return 'people';
    case 'air_sensor':
      return 'air';
    case 'room_computer':
      return 'server';
    case 'ups':
      return 'battery';
    case 'network_switch':
      return 'network';
  }
}
