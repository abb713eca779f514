/** The page's state, polled from the emulators' process, and the switching of faults. */
import { signal } from '@preact/signals';
import { type Act, type FaultsEvent, type FaultyRoom, type FaultsState, initial, readRoom, readRooms, readSaid, reduce, type Switch } from './state';

export const state = signal<FaultsState>(initial);

export function dispatch(event: FaultsEvent): void {
  state.value = reduce(state.peek(), event);
}

/** Milliseconds between two looks, and until one is given up. */
const EVERY = 1000;
const PATIENCE = 4000;

async function look(): Promise<void> {
  const answer = await fetch('/faults/state', { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) });
  const body: unknown = answer.ok ? await answer.json() : null;
  const rooms = readRooms(body);
  dispatch(rooms === null ? { type: 'lost' } : { type: 'rooms', rooms, said: readSaid(body) });
}

/** Look again and again, also while the page is hidden: it is kept beside the dashboard. */
export function watch(): void {
  look()
    .catch(() => dispatch({ type: 'lost' }))
    .finally(() => setTimeout(watch, EVERY));
}

async function post(where: string, what: Switch | Act): Promise<FaultyRoom | null> {
  const answer = await fetch(where, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(what),
    signal: AbortSignal.timeout(PATIENCE),
  });
  return answer.ok ? readRoom(await answer.json()) : null;
}

async function switched(what: Switch): Promise<void> {
  const room = await post('/faults', what);
  dispatch(room === null ? { type: 'refused', what } : { type: 'done', what, room });
}

/** Break or mend. */
export function change(what: Switch): void {
  dispatch({ type: 'asked', what });
  switched(what).catch(() => dispatch({ type: 'refused', what }));
}

/** Do something with a device by hand. */
export function act(what: Act): void {
  post('/faults/acts', what).then(
    (room) => dispatch({ type: 'acted', what, room }),
    () => dispatch({ type: 'acted', what, room: null }),
  );
}
