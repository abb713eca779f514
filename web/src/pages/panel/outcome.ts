/** How a call ended that nobody of this room ended: remembered past the meeting, so that the panel can say it. */

import { given } from '../../given';
import type { PanelView } from '../../wire';
import { named, type Named, standIn } from './directory';
import { otherRooms, screenOf } from './screen';

export type How = 'declined' | 'unanswered' | 'stopped';

export interface Outcome {
  rooms: { room: Named; how: How }[];
  instead: Named | null;
}

/** Seconds of grace: ringing that ended this close to its deadline ended because nobody answered. */
const GRACE = 2;

function howOf(call: string, until: number | null | undefined, now: number): How {
  if (call === 'declined') return 'declined';
  if (call === 'unanswered' || (given(until) && until - now <= GRACE)) return 'unanswered';
  return 'stopped';
}

/** What became of the call of `before`, now that `after` shows an idle room; null if there was none. */
export function outcomeOf(before: PanelView, after: PanelView, now: number): Outcome | null {
  if (screenOf(before) !== 'outgoing' || screenOf(after) !== 'idle') return null;
  const last = after.last_calls ?? {};
  const rooms = otherRooms(before).map((room) => ({ room: named(after, room.id), how: howOf(last[room.id] ?? room.call, room.until, now) }));
  const first = rooms[0];
  return first === undefined ? null : { rooms, instead: standIn(after, first.room.id) };
}
