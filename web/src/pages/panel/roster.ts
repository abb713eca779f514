/** Who is in the meeting, as rows: rooms first, then people, each in the order they came; rooms still called follow. */

import { given } from '../../given';
import type { PanelView, Participant, RoomCall } from '../../wire';
import { named } from './directory';

export interface PersonRow {
  kind: 'person';
  id: string;
  name: string;
  mic: boolean;
  speaking: boolean;
}

export interface RoomRow {
  kind: 'room';
  /** Participant id, `room:ID`. */
  id: string;
  room: string;
  name: string;
  center: string;
  own: boolean;
  call: RoomCall;
  /** Seconds until it stops ringing. */
  left: number | null;
  mic: boolean;
  speaking: boolean;
}

export type Row = PersonRow | RoomRow;

const came = (a: Participant, b: Participant): number =>
  (a.joined_at ?? Infinity) - (b.joined_at ?? Infinity) || a.id.localeCompare(b.id);

function roomRow(view: PanelView, room: string, call: RoomCall, participant: Participant | undefined, left: number | null): RoomRow {
  const own = room === view.room.id;
  const { name, center } = named(view, room);
  return {
    kind: 'room',
    id: `room:${room}`,
    room,
    name,
    center,
    own,
    call,
    left,
    mic: own ? (view.media?.mic ?? false) : (participant?.mic ?? false),
    speaking: participant?.speaking ?? false,
  };
}

/** Rows of the people column at `now` (Unix seconds). */
export function rows(view: PanelView, now: number): Row[] {
  const participants = Object.values(view.meeting?.participants ?? {}).sort(came);
  const calls = view.meeting?.rooms ?? {};
  const present = participants.filter((p) => p.kind === 'room').map((p) => p.id.replace(/^room:/u, ''));
  const absent = Object.values(calls).map((room) => room.id).filter((id) => !present.includes(id) && calls[id]?.call !== 'left');
  const ids = [...present, ...absent];
  const rank = (id: string): number => (id === view.room.id ? 0 : present.includes(id) ? 1 : 2);
  const rooms = ids
    .map((id, index) => ({ id, index }))
    .sort((a, b) => rank(a.id) - rank(b.id) || a.index - b.index)
    .map(({ id }): RoomRow => {
      const call = calls[id];
      const left = call?.call === 'ringing' && given(call.until) ? Math.max(0, Math.ceil(call.until - now)) : null;
      const participant = participants.find((p) => p.id === `room:${id}`);
      return roomRow(view, id, call?.call ?? 'joined', participant, left);
    });
  const people = participants
    .filter((p) => p.kind === 'person')
    .map((p): PersonRow => ({
      kind: 'person', id: p.id, name: p.name, mic: p.mic ?? false, speaking: p.speaking ?? false,
    }));
  const inside = rooms.filter((room) => rank(room.room) < 2);
  return [...inside, ...people, ...rooms.filter((room) => rank(room.room) === 2)];
}

export interface Count {
  rooms: number;
  people: number;
}

/** Those who are in, for the heading. */
export function count(list: readonly Row[]): Count {
  return {
    rooms: list.filter((row) => row.kind === 'room' && (row.own || row.call === 'joined' || row.call === 'preparing' || row.call === 'lost')).length,
    people: list.filter((row) => row.kind === 'person').length,
  };
}
