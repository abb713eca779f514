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
  /** Room ids of a call worth trying: a free room, and one that rings. */
  readonly call?: { readonly from: string; readonly to: string };
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

/** Rooms worth opening first: those in the demo's meeting, and the two ends of a call worth trying. */
export function firstTablets(demo: Pick<Demo, 'rooms' | 'call'>): { busy: readonly StartRoom[]; from: StartRoom | undefined; to: StartRoom | undefined } {
  const named = (id: string | undefined) => demo.rooms.find((room) => room.id === id);
  return { busy: demo.rooms.filter((room) => room.in_demo_meeting), from: named(demo.call?.from), to: named(demo.call?.to) };
}
