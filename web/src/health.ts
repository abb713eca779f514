/** What a room is shown as: its verdict, unless what it rests on is too old. An old fact is unknown, never ready. Pure. */
import type { State } from './components/StateWord';
import type { DashboardRoom, Phase } from './wire';

/** Seconds after which a verdict's oldest fact no longer says anything. */
export const VERDICT_LASTS = 120;
/** Seconds without the server after which nothing on the page is certain. */
export const SERVER_LASTS = 30;

/** A state, and since when we know nothing new (Unix seconds) where that is why it is unknown. */
export interface Shown {
  readonly state: State;
  readonly silentSince: number | null;
}

/** How to show `room` at `now`; `lostSince` is when the server was last heard, null while connected. Unix seconds. */
export function shown(room: DashboardRoom, now: number, lostSince: number | null): Shown {
  const { health, observed_at: observed } = room.verdict;
  if (isBlind(now, lostSince)) return { state: 'unknown', silentSince: lostSince };
  switch (health) {
    case 'maintenance':
    case 'unknown':
      return { state: health, silentSince: null };
    case 'ready':
    case 'degraded':
    case 'unusable':
      if (typeof observed !== 'number' || now - observed > VERDICT_LASTS) return { state: 'unknown', silentSince: observed ?? null };
      return { state: health === 'ready' && inMeeting(room.phase) ? 'live' : health, silentSince: null };
  }
}

/** Whether the server has been silent so long that nothing on the page is certain. */
export function isBlind(now: number, lostSince: number | null): lostSince is number {
  return lostSince !== null && now - lostSince > SERVER_LASTS;
}

/** Whether people are, or are about to be, in a meeting there. */
export function inMeeting(phase: Phase): boolean {
  switch (phase) {
    case 'in_meeting':
    case 'preparing':
      return true;
    case 'idle':
    case 'calling':
    case 'ringing':
    case 'releasing':
    case 'maintenance':
    case 'offline':
      return false;
  }
}

/** Whether someone should do something about a room in this state. */
export function needsAction(state: State): boolean {
  switch (state) {
    case 'unusable':
    case 'degraded':
    case 'unknown':
      return true;
    case 'ready':
    case 'live':
    case 'maintenance':
      return false;
  }
}
