/** What the start page is given: the demo's links, or nothing where there is no demo. */

/** A room and where its tablet and its screen are. */
export interface StartRoom {
  readonly id: string;
  readonly name: string;
  readonly center: string;
  readonly center_name: string;
  readonly seats: number;
  readonly panel: string;
  readonly display: string;
  readonly in_demo_meeting: boolean;
}

/** A center on the map; degrees WGS 84. */
export interface StartCenter {
  readonly id: string;
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
}

export interface Demo {
  readonly join: string;
  readonly dashboard: string;
  readonly faults: string;
  readonly rooms: readonly StartRoom[];
  readonly centers?: readonly StartCenter[];
}

export interface StartData {
  readonly demo: Demo | null;
}

/** The rooms of one center. */
export interface CenterRooms {
  readonly id: string;
  readonly name: string;
  readonly rooms: readonly StartRoom[];
}

/** Rooms by center, both in the order given. */
export function byCenter(rooms: readonly StartRoom[]): readonly CenterRooms[] {
  const centers = new Map<string, StartRoom[]>();
  for (const room of rooms) centers.set(room.center, [...(centers.get(room.center) ?? []), room]);
  return [...centers].map(([id, own]) => ({ id, name: own[0]?.center_name ?? id, rooms: own }));
}

/** Rooms worth opening first: those in the demo's meeting, and one that is free to call from. */
export function firstTablets(rooms: readonly StartRoom[]): { busy: readonly StartRoom[]; free: StartRoom | undefined } {
  const busy = rooms.filter((room) => room.in_demo_meeting);
  return { busy, free: rooms.find((room) => !room.in_demo_meeting && room.center === busy[0]?.center) ?? rooms.find((room) => !room.in_demo_meeting) };
}
