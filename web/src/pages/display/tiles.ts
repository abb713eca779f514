/**
 * The others' tiles. Their order is that in which they came, rooms before people, and nothing else moves them: who
 * speaks gets an edge. Pure.
 */
import type { DisplayView, Participant } from '../../wire';
import { named } from './scene';

export interface Tile {
  /** Participant id. */
  readonly id: string;
  readonly kind: 'room' | 'person';
  readonly name: string;
  /** Center id and name, for rooms. */
  readonly center: string | null;
  readonly centerName: string;
  readonly mic: boolean;
  readonly camera: boolean;
  /** Its agent is silent; it is expected back. */
  readonly lost: boolean;
}

/** Ids in the order they came: those that left go, new ones are put behind. */
export function arrange(order: readonly string[], view: DisplayView): readonly string[] {
  const present = presentIds(view);
  const kept = order.filter((id) => present.includes(id));
  const fresh = present.filter((id) => !kept.includes(id));
  return fresh.length === 0 && kept.length === order.length ? order : [...kept, ...fresh];
}

const came = (a: Participant, b: Participant): number =>
  (a.joined_at ?? Infinity) - (b.joined_at ?? Infinity) || a.id.localeCompare(b.id);

function presentIds(view: DisplayView): string[] {
  const own = `room:${view.room.id}`;
  const there = Object.values(view.meeting?.participants ?? {}).sort(came).map((participant) => participant.id);
  const lost = Object.values(view.meeting?.rooms ?? {}).filter((room) => room.call === 'lost').map((room) => `room:${room.id}`);
  return [...there, ...lost.filter((id) => !there.includes(id))].filter((id) => id !== own);
}

/** The tiles in their places. */
export function tiles(order: readonly string[], view: DisplayView): Tile[] {
  const all = order.map((id) => tile(id, view));
  return [...all.filter((one) => one.kind === 'room'), ...all.filter((one) => one.kind === 'person')];
}

function tile(id: string, view: DisplayView): Tile {
  const participant = view.meeting?.participants?.[id];
  const room = id.startsWith('room:') ? id.slice('room:'.length) : null;
  const state = { id, mic: participant?.mic ?? false, camera: participant?.camera ?? false };
  if (room === null) return { ...state, kind: 'person', name: participant?.name ?? '', center: null, centerName: '', lost: false };
  const place = named(view, room);
  const center = participant?.center ?? place.center;
  const lost = view.meeting?.rooms?.[room]?.call === 'lost';
  return { ...state, kind: 'room', name: participant?.name ?? place.name, center, centerName: view.centers?.[center] ?? place.centerName, lost };
}

/** Most tiles that stay readable. */
export const MOST = 16;
/** Most tiles beside shared content. */
export const MOST_BESIDE = 4;

export interface Layout {
  readonly columns: string;
  readonly rows: string;
  /** The first tile takes the whole height. */
  readonly tallFirst: boolean;
  /** Tiles shown; the rest is counted in words. */
  readonly shown: number;
}

const equal = (count: number): string => `repeat(${count}, minmax(0, 1fr))`;

/** Places for `count` tiles, beside shared content or alone. */
export function layout(count: number, content: boolean): Layout {
  if (content) return { columns: 'minmax(0, 1fr) 26vw', rows: equal(Math.max(3, Math.min(count, MOST_BESIDE))), tallFirst: false, shown: MOST_BESIDE };
  if (count === 3) return { columns: 'minmax(0, 2.02fr) minmax(0, 1fr)', rows: equal(2), tallFirst: true, shown: 3 };
  const columns = Math.min(4, Math.ceil(Math.sqrt(Math.max(1, count))));
  return { columns: equal(columns), rows: equal(Math.min(4, Math.ceil(Math.max(1, count) / columns))), tallFirst: false, shown: MOST };
}
