/** What the ringing screens say, both ways. All times in Unix seconds, all lengths in seconds. */

import { given } from '../../given';
import type { PanelView, RoomCall } from '../../wire';
import { type Named, named, standIn } from './directory';
import { otherRooms } from './screen';

export interface Called extends Named {
  call: RoomCall;
  /** Until this room stops ringing. */
  left: number | null;
}

export interface Outgoing {
  rooms: Called[];
  /** Since the call was asked. */
  since: number;
  /** Until the last room stops ringing; null while the server has not said. */
  left: number | null;
  /** Share of the ringing time that passed, 0..1. */
  progress: number;
  instead: Named | null;
}

export interface Incoming {
  caller: Named;
  /** Until this room answers by itself; null if it never does. */
  answersIn: number | null;
  /** Until the caller gives up. */
  left: number;
}

const whole = (seconds: number): number => Math.max(0, Math.ceil(seconds));

/** The call this room makes. `asked` names the rooms while the server has not answered yet. */
export function outgoing(view: PanelView, asked: readonly string[], now: number): Outgoing {
  const known = otherRooms(view).filter((room) => room.call !== 'left');
  const rooms = known.length > 0 ? known : asked.map((id) => ({ id, call: 'ringing' as const, until: null }));
  const called = rooms.map((room): Called => {
    const until = room.until ?? null;
    return { ...named(view, room.id), call: room.call, left: until === null || room.call !== 'ringing' ? null : whole(until - now) };
  });
  const ends = known.flatMap((room) => (room.call === 'ringing' && given(room.until) ? [room.until] : []));
  const end = ends.length > 0 ? Math.max(...ends) : null;
  const began = view.meeting?.started_at ?? view.phase_since;
  const ringing = called.find((room) => room.call === 'ringing') ?? called[0];
  return {
    rooms: called,
    since: Math.max(0, Math.floor(now - began)),
    left: end === null ? null : Math.min(whole(end - now), Math.round(end - began)),
    progress: end === null || end <= began ? 0 : Math.min(1, Math.max(0, (now - began) / (end - began))),
    instead: ringing === undefined ? null : standIn(view, ringing.id),
  };
}

/** The call that reaches this room; null when nobody calls. */
export function incoming(view: PanelView, now: number): Incoming | null {
  const call = view.incoming;
  if (call === undefined || call === null) return null;
  return {
    caller: named(view, call.caller),
    answersIn: !given(call.answers_at) ? null : whole(call.answers_at - now),
    left: Math.min(whole(call.until - now), Math.max(0, Math.round(call.until - view.phase_since))),
  };
}
