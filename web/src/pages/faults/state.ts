/** What can be broken in the demo's rooms, what is broken now, and what rooms say of it: a reducer over what the page hears. Pure. */
import type { Notice } from '../../wire';

export interface FaultyDevice {
  readonly name: string;
  readonly role: string;
  /** Active faults. */
  readonly faults: readonly string[];
  /** Faults this device knows. */
  readonly available: readonly string[];
  /** What hands can do with it. */
  readonly acts: readonly string[];
  /** What one would see, standing before it. */
  readonly shows: Readonly<Record<string, Seen>>;
  /** The package without which it is not emulated on this machine; empty where it is. */
  readonly missing: string;
}

export type Seen = string | number | boolean;

export interface FaultyRoom {
  readonly name: string;
  /** Name of its center. */
  readonly center: string;
  /** The room's agent runs. */
  readonly agent: boolean;
  readonly devices: Readonly<Record<string, FaultyDevice>>;
}

/** What rooms say is wrong: by room, by device. */
export type Said = Readonly<Record<string, Readonly<Record<string, readonly Notice[]>>>>;

export type Rooms = Readonly<Record<string, FaultyRoom>>;

/** What to switch: `device` is `agent` for the room's agent, whose one fault is `gone`. */
export interface Switch {
  readonly room: string;
  readonly device: string;
  readonly fault: string;
  readonly on: boolean;
}

/** What hands do with a device. */
export interface Act {
  readonly room: string;
  readonly device: string;
  readonly act: string;
}

export const AGENT = 'agent';
export const GONE = 'gone';
/** Stands for a room: the servers that all rooms rest on. */
export const EVERYWHERE = 'all';

export interface FaultsState {
  readonly rooms: Rooms | null;
  readonly said: Said;
  readonly picked: string | null;
  /** Asked and not yet answered. */
  readonly waiting: readonly Switch[];
  readonly refused: Switch | Act | null;
  /** The emulators no longer answer. */
  readonly lost: boolean;
}

export const initial: FaultsState = { rooms: null, said: {}, picked: null, waiting: [], refused: null, lost: false };

export type FaultsEvent =
  | { type: 'rooms'; rooms: Rooms; said: Said }
  | { type: 'lost' }
  | { type: 'pick'; room: string }
  | { type: 'asked'; what: Switch }
  | { type: 'done'; what: Switch; room: FaultyRoom }
  | { type: 'refused'; what: Switch }
  | { type: 'acted'; what: Act; room: FaultyRoom | null };

/** Every change of the page. */
export function reduce(state: FaultsState, event: FaultsEvent): FaultsState {
  switch (event.type) {
    case 'rooms': {
      const picked = state.picked !== null && state.picked in event.rooms ? state.picked : (Object.keys(event.rooms)[0] ?? null);
      return { ...state, rooms: event.rooms, said: event.said, picked, lost: false };
    }
    case 'lost':
      return { ...state, lost: true };
    case 'pick':
      return { ...state, picked: event.room, refused: null };
    case 'asked':
      return { ...state, waiting: [...state.waiting, event.what], refused: null };
    case 'done':
      return { ...state, waiting: without(state.waiting, event.what), rooms: { ...state.rooms, [event.what.room]: event.room } };
    case 'refused':
      return { ...state, waiting: without(state.waiting, event.what), refused: event.what };
    case 'acted':
      if (event.room === null) return { ...state, refused: event.what };
      return { ...state, refused: null, rooms: { ...state.rooms, [event.what.room]: event.room } };
  }
}

const without = (waiting: readonly Switch[], what: Switch): Switch[] => waiting.filter((one) => one !== what);

/** Is this fault active, as asked if it is being switched? */
export function active(state: FaultsState, room: string, device: string, fault: string): boolean {
  const asked = state.waiting.findLast((one) => one.room === room && one.device === device && one.fault === fault);
  if (asked !== undefined) return asked.on;
  const of = state.rooms?.[room];
  if (of === undefined) return false;
  return device === AGENT ? !of.agent : (of.devices[device]?.faults.includes(fault) ?? false);
}

export interface Active {
  readonly room: string;
  readonly device: string;
  readonly fault: string;
}

/** Packages missing on this machine, without which some devices are not emulated. */
export const missing = (rooms: Rooms): string[] =>
  [...new Set(Object.values(rooms).flatMap((room) => Object.values(room.devices).map((device) => device.missing)))].filter(Boolean).sort();

/** All that is broken now, room by room. */
export function allActive(state: FaultsState): Active[] {
  return Object.entries(state.rooms ?? {}).flatMap(([room, of]) => {
    const devices = Object.entries(of.devices).flatMap(([device, { available }]) => available.map((fault) => ({ room, device, fault })));
    const agents = room === EVERYWHERE ? [] : [{ room, device: AGENT, fault: GONE }];
    return [...agents, ...devices].filter(({ device, fault }) => active(state, room, device, fault));
  });
}

/** The id of a room's center: room ids start with it. */
export const centerOf = (room: string): string => room.split('-')[0] ?? room;

/** Rooms by center id, in the order given. */
export function byCenter(rooms: Rooms): [center: string, rooms: string[]][] {
  const centers = new Map<string, string[]>();
  for (const id of Object.keys(rooms).filter((id) => id !== EVERYWHERE)) centers.set(centerOf(id), [...(centers.get(centerOf(id)) ?? []), id]);
  return [...centers];
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string';

/** A room of `GET /faults/state`; null when it is none. */
export function readRoom(value: unknown): FaultyRoom | null {
  if (!isRecord(value) || !isText(value.name) || !isText(value.center) || !isRecord(value.devices)) return null;
  const devices = Object.entries(value.devices).flatMap(([id, device]): [string, FaultyDevice][] => {
    if (!isRecord(device) || !isText(device.name) || !isText(device.role) || !Array.isArray(device.faults) || !Array.isArray(device.available)) return [];
    return [[id, {
      name: device.name,
      role: device.role,
      faults: device.faults.filter(isText),
      available: device.available.filter(isText),
      acts: Array.isArray(device.acts) ? device.acts.filter(isText) : [],
      shows: readSeen(device.shows),
      missing: isText(device.missing) ? device.missing : '',
    }]];
  });
  return { name: value.name, center: value.center, agent: value.agent !== false, devices: Object.fromEntries(devices) };
}

function readSeen(value: unknown): Record<string, Seen> {
  if (!isRecord(value)) return {};
  const isSeen = (entry: [string, unknown]): entry is [string, Seen] => ['string', 'number', 'boolean'].includes(typeof entry[1]);
  return Object.fromEntries(Object.entries(value).filter(isSeen));
}

/** What rooms say, of the answer of `GET /faults/state`; nothing where it is none. */
export function readSaid(value: unknown): Said {
  if (!isRecord(value) || !isRecord(value.said)) return {};
  const isNotice = (one: unknown): one is Notice => isRecord(one) && isText(one.code);
  const read = (devices: unknown): Record<string, Notice[]> =>
    Object.fromEntries(Object.entries(isRecord(devices) ? devices : {}).map(([id, notices]) => [id, Array.isArray(notices) ? notices.filter(isNotice) : []]));
  return Object.fromEntries(Object.entries(value.said).map(([room, devices]) => [room, read(devices)]));
}

/** The answer of `GET /faults/state`; null when it is none. */
export function readRooms(value: unknown): Rooms | null {
  if (!isRecord(value) || !isRecord(value.rooms)) return null;
  const rooms = Object.entries(value.rooms).flatMap(([id, room]): [string, FaultyRoom][] => {
    const read = readRoom(room);
    return read === null ? [] : [[id, read]];
  });
  return Object.fromEntries(rooms);
}
