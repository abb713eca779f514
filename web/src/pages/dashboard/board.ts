/** The dashboard's document as lists: what needs someone, worst first, and every room by center in a fixed order. Pure. */
import type { State } from '../../components/StateWord';
import { needsAction, shown, type Shown } from '../../health';
import type { Center, DashboardRoom, DashboardView } from '../../wire';

/** A room as a row or a tile. */
export interface Row extends Shown {
  readonly room: DashboardRoom;
  readonly center: Center;
}

/** The rooms of a center, in their order. */
export interface CenterRows {
  readonly center: Center;
  readonly ready: number;
  readonly rows: readonly Row[];
}

export interface Board {
  readonly rooms: number;
  readonly centers: readonly CenterRows[];
  readonly act: readonly Row[];
  readonly counts: Readonly<Record<State, number>>;
}

/** States in the order of the chips: what needs someone first. */
export const STATES: readonly State[] = ['unusable', 'degraded', 'unknown', 'maintenance', 'live', 'ready'];

/** The whole board at `now`; `lostSince` as in `shown`. Unix seconds. */
export function board(view: DashboardView, now: number, lostSince: number | null): Board {
  const centers = Object.values(view.centers ?? {}).sort((a, b) => a.order - b.order).map((entry) => entry.center);
  const rows = Object.values(view.rooms ?? {}).sort((a, b) => a.order - b.order);
  const grouped = centers.map((center) => {
    const own = rows.filter((room) => room.room.center === center.id).map((room) => ({ room, center, ...shown(room, now, lostSince) }));
    return { center, rows: own, ready: own.filter((row) => row.state === 'ready').length };
  });
  const all = grouped.flatMap((center) => center.rows);
  return { rooms: all.length, centers: grouped, act: all.filter(wantsSomeone).sort(byUrgency), counts: count(all) };
}

/** Whether a room belongs among those to deal with: its state says so, or someone in it asked for help. */
export function wantsSomeone(row: Row): boolean {
  return askedHelp(row) || needsAction(row.state);
}

/** Whether someone in the room waits for help. */
export function askedHelp(row: Row): boolean {
  return typeof row.room.help_asked_at === 'number';
}

/** Help first, then unusable, degraded, unknown; rooms in a meeting before empty ones; then the known order. */
function byUrgency(a: Row, b: Row): number {
  return rank(a) - rank(b) || busy(b) - busy(a) || a.room.order - b.room.order;
}

function rank(row: Row): number {
  return askedHelp(row) ? -1 : STATES.indexOf(row.state);
}

function busy(row: Row): number {
  return row.room.phase === 'in_meeting' ? 1 : 0;
}

function count(rows: readonly Row[]): Record<State, number> {
  const counts: Record<State, number> = { unusable: 0, degraded: 0, unknown: 0, maintenance: 0, live: 0, ready: 0 };
  for (const row of rows) counts[row.state] += 1;
  return counts;
}

/** What the person narrowed the lists to. */
export interface Filter {
  readonly text: string;
  readonly center: string | null;
  readonly state: State | null;
}

export const EVERYTHING: Filter = { text: '', center: null, state: null };

export type FilterEvent =
  | { readonly kind: 'typed'; readonly text: string }
  | { readonly kind: 'center'; readonly center: string | null }
  | { readonly kind: 'state'; readonly state: State } // the same again shows all
  | { readonly kind: 'cleared' };

/** The filter after an event. */
export function narrow(filter: Filter, event: FilterEvent): Filter {
  switch (event.kind) {
    case 'typed':
      return { ...filter, text: event.text };
    case 'center':
      return { ...filter, center: event.center };
    case 'state':
      return { ...filter, state: filter.state === event.state ? null : event.state };
    case 'cleared':
      return EVERYTHING;
  }
}

/** Whether a row passes: its state, its center, and every word typed in its name, its center's name or code. */
export function passes(filter: Filter, row: Row): boolean {
  if (filter.state !== null && row.state !== filter.state) return false;
  if (filter.center !== null && row.center.id !== filter.center) return false;
  const words = plain(`${row.room.room.name} ${row.center.name} ${row.center.id}`);
  return plain(filter.text).split(/\s+/).every((word) => words.includes(word));
}

/** Lower case without accents: people type "Biéreau" many ways. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase().trim();
}
