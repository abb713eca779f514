/** The panel's one state and its connection to the room's agent. */

import { effect, signal } from '@preact/signals';
import { now, serverNow } from '../../clock';
import { useTimeZone } from '../../i18n';
import { Live, type LiveState } from '../../live';
import type { DeviceCommand, PanelAction, PanelView } from '../../wire';
import { initial, type PanelEvent, type PanelState, type Reach, reduce } from './state';

export const state = signal<PanelState>(initial);

/** Let an event happen. */
export function dispatch(event: PanelEvent): void {
  state.value = reduce(state.peek(), event);
}

/** What a press asks, without the id. */
export type Request = Omit<PanelAction, 'id'>;

let live: Live<PanelView> | null = null;
let nextId = 1;

const reachOf = (link: LiveState): Reach => (link.kind === 'live' ? 'open' : link.kind);

/** Connect to the agent that served this page, and keep the state in step. */
export function connect(): void {
  const connection = new Live<PanelView>('live/panel');
  live = connection;
  effect(() => {
    const view = connection.data.value;
    if (view === null) return;
    useTimeZone(view.center.timezone);
    dispatch({ type: 'view', view, now: serverNow() });
  });
  effect(() => {
    dispatch({ type: 'reach', reach: reachOf(connection.state.value) });
  });
  effect(() => {
    dispatch({ type: 'tick', now: now.value });
  });
}

/** Ask the room for something: shown at once, then settled by its answer. */
export function ask(request: Request): void {
  const action: PanelAction = { ...request, id: nextId++ };
  dispatch({ type: 'sent', action, now: serverNow() });
  const unanswered = (): void => {
    dispatch({ type: 'result', result: { type: 'result', id: action.id, problem: { code: 'unavailable', message: 'connection lost' } } });
  };
  if (live === null) {
    unanswered();
    return;
  }
  live.act({ ...request }).then((result) => dispatch({ type: 'result', result: { ...result, id: action.id } }), unanswered);
}

/** One command to a device of this room. */
export function askDevice(command: DeviceCommand): void {
  ask({ op: 'device', command });
}
