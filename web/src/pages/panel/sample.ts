/** Documents for this folder's tests: a room of Louvain-la-Neuve and a small network around it. Nothing of it ships. */
import type { Device, DirectoryRoom, Meeting, MeetingRoom, PanelView, Participant } from '../../wire';

/** Unix seconds. */
export const NOW = 1_790_000_000;

const CENTERS = {
  lln: { id: 'lln', name: 'Louvain-la-Neuve', latitude: 50.668, longitude: 4.614, contact: 'Accueil' },
  msg: { id: 'msg', name: 'Mont-Saint-Guibert', latitude: 50.634, longitude: 4.611 },
  sai: { id: 'sai', name: 'Saintes', latitude: 50.704, longitude: 4.166 },
  red: { id: 'red', name: 'Redu', latitude: 50.005, longitude: 5.16 },
};

/** A directory entry. */
export function entry(id: string, name: string, order: number, more: Partial<DirectoryRoom> = {}): DirectoryRoom {
  return { room: { id, name, center: id.slice(0, 3), seats: 6 }, order, availability: 'free', ...more };
}

/** At rest, with the server, in the small network. */
export function view(more: Partial<PanelView> = {}): PanelView {
  const rooms = [
    entry('lln-lauzelle', 'Lauzelle', 0),
    entry('lln-bierau', 'Biéreau', 1),
    entry('msg-orne', 'Orne', 2),
    entry('sai-senne', 'Senne', 3),
    entry('sai-hain', 'Hain', 4, { availability: 'busy', instead: 'sai-coeurcq' }),
    entry('sai-coeurcq', 'Coeurcq', 5, { because: { code: 'x' } }),
    entry('sai-mussain', 'Mussain', 6, { availability: 'unusable', because: { code: 'y' }, instead: 'sai-senne' }),
    entry('red-lesse', 'Lesse', 7, { availability: 'offline' }),
  ];
  return {
    room: { id: 'lln-lauzelle', name: 'Lauzelle', center: 'lln', seats: 12 },
    center: CENTERS.lln,
    phase: 'idle',
    phase_since: NOW - 60,
    server: true,
    verdict: { health: 'ready', observed_at: NOW - 10 },
    directory: {
      centers: Object.fromEntries(Object.values(CENTERS).map((center, order) => [center.id, { center, order }])),
      rooms: Object.fromEntries(rooms.map((room) => [room.room.id, room])),
    },
    ...more,
  };
}

/** A meeting that Lauzelle started. */
export function meeting(rooms: readonly MeetingRoom[], people: readonly Participant[] = [], more: Partial<Meeting> = {}): Meeting {
  return {
    id: 'm1', media: 'm1', title: '', started_at: NOW - 8, started_by: 'room:lln-lauzelle',
    rooms: Object.fromEntries(rooms.map((room) => [room.id, room])),
    participants: Object.fromEntries(people.map((one) => [one.id, one])),
    ...more,
  };
}

/** A device that answers. */
export function device(more: Partial<Device> & Pick<Device, 'id' | 'role'>): Device {
  return { driver: 'visca', name: more.id, connection: 'online', ...more };
}

/** Lauzelle calls Senne: eight seconds in, 22 left. */
export const calling = (): PanelView => view({
  phase: 'calling',
  phase_since: NOW - 8,
  meeting: meeting([{ id: 'lln-lauzelle', call: 'preparing' }, { id: 'sai-senne', call: 'ringing', until: NOW + 22 }]),
});

/** In a meeting with Senne and a person. */
export const running = (more: Partial<PanelView> = {}): PanelView => view({
  phase: 'in_meeting',
  meeting: meeting(
    [{ id: 'lln-lauzelle', call: 'joined' }, { id: 'sai-senne', call: 'joined' }],
    [
      { id: 'guest:koen', kind: 'person', name: 'Koen Peeters', mic: true, joined_at: NOW - 5 },
      { id: 'room:sai-senne', kind: 'room', name: 'Senne', center: 'sai', mic: true, joined_at: NOW - 6 },
      { id: 'room:lln-lauzelle', kind: 'room', name: 'Lauzelle', center: 'lln', joined_at: NOW - 7 },
    ],
  ),
  media: { mic: true, mic_wanted: true, camera: true, camera_wanted: true, volume: 0.6, connected: true },
  ...more,
});
