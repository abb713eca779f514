/** Whom this room can call: centers nearest first, and for each room whether it can take a call now, else why not. */

import type { Center, DirectoryRoom, Notice, PanelView, Room } from '../../wire';
import { distanceKm } from './geography';

/** How a room stands towards a call; the words and the glyph follow from it. */
export type Standing = 'ready' | 'degraded' | 'busy' | 'offline' | 'unusable' | 'unknown' | 'maintenance' | 'here';

export interface CallRoom {
  id: string;
  name: string;
  seats: number;
  center: string;
  standing: Standing;
  callable: boolean;
  because: Notice | null;
  /** Name of a free healthy room of the same center, when this one cannot be called. */
  instead: string | null;
}

export interface CallCenter {
  id: string;
  name: string;
  own: boolean;
  /** Whole kilometres from this room's center. */
  km: number;
  rooms: CallRoom[];
  callable: number;
}

/** What to call a room or center that the directory does not know (yet). */
export interface Named {
  id: string;
  name: string;
  center: string;
  centerName: string;
  seats: number | null;
}

function standingOf(entry: DirectoryRoom, inMeeting: ReadonlySet<string>): Standing {
  if (inMeeting.has(entry.room.id)) return 'here';
  const availability = entry.availability ?? 'unknown';
  switch (availability) {
    case 'free':
      return entry.because ? 'degraded' : 'ready';
    case 'busy':
    case 'offline':
    case 'unusable':
    case 'unknown':
    case 'maintenance':
      return availability;
  }
}

/** May be called: free, whether at its best or not. */
export const callable = (standing: Standing): boolean => standing === 'ready' || standing === 'degraded';

function callRoom(entry: DirectoryRoom, view: PanelView, inMeeting: ReadonlySet<string>): CallRoom {
  const standing = standingOf(entry, inMeeting);
  const instead = entry.instead ? (view.directory?.rooms?.[entry.instead]?.room.name ?? null) : null;
  return {
    id: entry.room.id,
    name: entry.room.name,
    seats: entry.room.seats,
    center: entry.room.center,
    standing,
    callable: callable(standing),
    because: entry.because ?? null,
    instead: callable(standing) || standing === 'here' ? null : instead,
  };
}

/** Rooms that are in, or being called into, the meeting of this room. */
export function roomsInMeeting(view: PanelView): ReadonlySet<string> {
  const rooms = Object.values(view.meeting?.rooms ?? {});
  return new Set(rooms.filter((room) => ['ringing', 'preparing', 'joined', 'lost'].includes(room.call)).map((room) => room.id));
}

const plain = (text: string): string => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();

/** Does a center or room name hold what was typed, accents and case apart? */
export const matches = (query: string, name: string): boolean => plain(name).includes(plain(query.trim()));

/**
 * All centers that have a room to call, nearest first, this room's own center last (people there can walk over).
 * A `query` keeps the centers whose name matches, and of the others the rooms that match.
 */
export function callCenters(view: PanelView, query = ''): CallCenter[] {
  const inMeeting = roomsInMeeting(view);
  const entries = Object.values(view.directory?.rooms ?? {})
    .filter((entry) => entry.room.id !== view.room.id)
    .sort((a, b) => a.order - b.order);
  const centers = Object.values(view.directory?.centers ?? {}).map(({ center }): CallCenter => {
    const all = entries.filter((entry) => entry.room.center === center.id);
    const kept = matches(query, center.name) ? all : all.filter((entry) => matches(query, entry.room.name));
    const rooms = kept.map((entry) => callRoom(entry, view, inMeeting));
    return {
      id: center.id,
      name: center.name,
      own: center.id === view.center.id,
      km: Math.round(distanceKm(view.center, center)),
      rooms,
      callable: rooms.filter((room) => room.callable).length,
    };
  });
  const distance = (center: CallCenter): number => (center.own ? Infinity : center.km);
  return centers
    .filter((center) => center.rooms.length > 0)
    .sort((a, b) => Math.sign(distance(a) - distance(b)) || a.name.localeCompare(b.name));
}

/** The name, center and seats of a room by id; its id where the directory does not know it. */
export function named(view: PanelView, id: string): Named {
  const room: Room | undefined = id === view.room.id ? view.room : view.directory?.rooms?.[id]?.room;
  if (room === undefined) return { id, name: id, center: id.split('-')[0] ?? id, centerName: '', seats: null };
  const center: Center | undefined =
    room.center === view.center.id ? view.center : view.directory?.centers?.[room.center]?.center;
  return { id, name: room.name, center: room.center, centerName: center?.name ?? room.center, seats: room.seats };
}

/** A free room of the same center as `id`, not yet in the call: what to try when it does not answer. */
export function standIn(view: PanelView, id: string): Named | null {
  const inMeeting = roomsInMeeting(view);
  const center = named(view, id).center;
  const free = Object.values(view.directory?.rooms ?? {})
    .filter(({ room }) => room.center === center && room.id !== id && room.id !== view.room.id && !inMeeting.has(room.id))
    .filter((entry) => callable(standingOf(entry, inMeeting)))
    .sort((a, b) => Number(a.because !== undefined) - Number(b.because !== undefined) || a.order - b.order);
  const first = free[0];
  return first === undefined ? null : named(view, first.room.id);
}
