/** The panel's own state: the document, what was pressed, which sheet is open. A reducer over events, no I/O. */

import { given } from '../../given';
import type { ActionResult, Code, DeviceResult, PanelAction, PanelView, Problem, Role } from '../../wire';
import { type Asked, refused, settle, type Wishes } from './asked';
import { callCenters, roomsInMeeting } from './directory';
import { type Outcome, outcomeOf } from './outcome';
import { screenOf } from './screen';

export type Sheet =
  | { kind: 'none' }
  | { kind: 'call'; adding: boolean; center: string | null; chosen: string[]; query: string }
  | { kind: 'help' }
  | { kind: 'camera' }
  | { kind: 'display'; role: Role }
  | { kind: 'invite' }
  | { kind: 'end' }
  | { kind: 'participant'; id: string };

/** Whether this page reaches the room's agent. */
export type Reach = 'connecting' | 'open' | 'lost';

/** An action and when it was sent (Unix seconds). */
export interface Sent {
  action: PanelAction;
  at: number;
}

export interface Refused {
  op: PanelAction['op'];
  problem: Problem;
}

export interface PanelState {
  view: PanelView | null;
  reach: Reach;
  sheet: Sheet;
  wishes: Wishes;
  /** Sent and not yet answered. */
  waiting: Sent[];
  /** The last action that could not be done; stays until dismissed or the next press. */
  refusal: Refused | null;
  outcome: Outcome | null;
  /** Rooms of the last `start`, named while the server has not answered. */
  calling: string[];
  /** Counts the meetings that ended here: whoever watches it resets the language. */
  ended: number;
}

export type PanelEvent =
  | { type: 'view'; view: PanelView; now: number }
  | { type: 'reach'; reach: Reach }
  | { type: 'sent'; action: PanelAction; now: number }
  | { type: 'result'; result: ActionResult }
  | { type: 'open'; sheet: Sheet }
  /** `kind`: only if that sheet is the open one. */
  | { type: 'close'; kind?: Sheet['kind'] }
  | { type: 'center'; center: string }
  | { type: 'room'; room: string }
  | { type: 'query'; query: string }
  | { type: 'dismiss' }
  | { type: 'tick'; now: number };

export const initial: PanelState = {
  view: null,
  reach: 'connecting',
  sheet: { kind: 'none' },
  wishes: {},
  waiting: [],
  refusal: null,
  outcome: null,
  calling: [],
  ended: 0,
};

/** Unanswered actions kept at most, and seconds before one is given up. */
const WAITING = 32;
const ANSWER_WITHIN = 20;

const inCall = (view: PanelView): boolean => screenOf(view) !== 'idle';

/** Sheets belong to a screen: a call that comes in closes them all, the end of a meeting those of the meeting. */
function sheetAfter(sheet: Sheet, view: PanelView): Sheet {
  const screen = screenOf(view);
  const none: Sheet = { kind: 'none' };
  switch (sheet.kind) {
    case 'none':
      return sheet;
    case 'help':
    case 'camera':
    case 'display':
      return screen === 'incoming' ? none : sheet;
    case 'call': {
      const fits = sheet.adding ? screen === 'meeting' || screen === 'outgoing' : screen === 'idle';
      return fits ? { ...sheet, chosen: stillCallable(sheet.chosen, view) } : none;
    }
    case 'invite':
    case 'end':
      return screen === 'meeting' ? sheet : none;
    case 'participant': {
      const there = view.meeting?.participants?.[sheet.id] ?? view.meeting?.rooms?.[sheet.id.replace(/^room:/u, '')];
      return screen === 'meeting' && there !== undefined ? sheet : none;
    }
  }
}

function stillCallable(chosen: readonly string[], view: PanelView): string[] {
  const callable = new Set(callCenters(view).flatMap((center) => center.rooms.filter((r) => r.callable).map((r) => r.id)));
  return chosen.filter((id) => callable.has(id));
}

function withView(state: PanelState, view: PanelView, now: number): PanelState {
  const before = state.view;
  const cancelled = state.waiting.some((sent) => sent.action.op === 'cancel') || state.calling.length === 0;
  const ended = before !== null && inCall(before) && !inCall(view);
  const outcome = before === null || cancelled ? null : outcomeOf(before, view, now);
  return {
    ...state,
    view,
    reach: 'open',
    sheet: sheetAfter(state.sheet, view),
    wishes: settle(state.wishes, view, now),
    outcome: inCall(view) ? null : (outcome ?? state.outcome),
    calling: ended ? [] : state.calling,
    ended: state.ended + (ended ? 1 : 0),
  };
}

function wished(wishes: Wishes, action: PanelAction, now: number): Wishes {
  const asked = <T>(value: T): Asked<T> => ({ value, action: action.id, at: now });
  if (action.op === 'set_mic' && given(action.on)) return { ...wishes, mic: asked(action.on) };
  if (action.op === 'set_camera' && given(action.on)) return { ...wishes, camera: asked(action.on) };
  if (action.op === 'set_volume' && given(action.volume)) return { ...wishes, volume: asked(action.volume) };
  if (action.op === 'device' && action.command?.op === 'recall_preset') {
    return { ...wishes, preset: asked(String(action.command.args?.['preset'])) };
  }
  return wishes;
}

function withSent(state: PanelState, action: PanelAction, now: number): PanelState {
  const closes = action.op === 'add_rooms' || action.op === 'remove' || action.op === 'end';
  return {
    ...state,
    sheet: closes ? { kind: 'none' } : state.sheet,
    wishes: wished(state.wishes, action, now),
    waiting: [...state.waiting, { action, at: now }].slice(-WAITING),
    refusal: null,
    outcome: action.op === 'start' ? null : state.outcome,
    calling: action.op === 'start' ? (action.rooms ?? []) : action.op === 'cancel' ? [] : state.calling,
  };
}

/** Actions that are nothing but a command to a device: where it could not do it, nothing was done. */
const COMMANDS: ReadonlySet<PanelAction['op']> = new Set<PanelAction['op']>(['device', 'set_volume']);
const LOSSES: Partial<Record<DeviceResult['outcome'], Code>> = { failed: 'device_failed', timed_out: 'device_timed_out', unsupported: 'device_unsupported' };

/** Why nothing came of an action, null where something did. */
function problemOf(action: PanelAction, result: ActionResult): Problem | null {
  if (given(result.problem)) return result.problem;
  if (!COMMANDS.has(action.op)) return null;
  for (const { outcome, code, detail } of result.devices ?? []) {
    const loss = LOSSES[outcome];
    if (loss !== undefined) return { code: code ?? loss, message: detail ?? '' };
  }
  return null;
}

function withResult(state: PanelState, result: ActionResult): PanelState {
  const action = state.waiting.find((sent) => sent.action.id === result.id)?.action;
  const waiting = state.waiting.filter((sent) => sent.action.id !== result.id);
  const problem = action === undefined ? null : problemOf(action, result);
  if (action === undefined || problem === null) return { ...state, waiting };
  return {
    ...state,
    waiting,
    wishes: refused(state.wishes, result.id),
    refusal: { op: action.op, problem },
    calling: action.op === 'start' ? [] : state.calling,
  };
}

/** Old wishes are forgotten, and an action nobody answered is told as one the room could not do. */
function withTick(state: PanelState, now: number): PanelState {
  if (state.view === null) return state;
  const late = state.waiting.find((sent) => now - sent.at >= ANSWER_WITHIN);
  const settled = { ...state, wishes: settle(state.wishes, state.view, now) };
  if (late === undefined) return settled;
  return withResult(settled, { type: 'result', id: late.action.id, problem: { code: 'unavailable', message: 'no answer' } });
}

/** Every change of the panel's state. */
export function reduce(state: PanelState, event: PanelEvent): PanelState {
  switch (event.type) {
    case 'view':
      return withView(state, event.view, event.now);
    case 'reach':
      return event.reach === 'lost' ? { ...state, reach: 'lost', waiting: [], wishes: {} } : { ...state, reach: event.reach };
    case 'sent':
      return withSent(state, event.action, event.now);
    case 'result':
      return withResult(state, event.result);
    case 'open':
      return { ...state, sheet: event.sheet, refusal: null };
    case 'close':
      return event.kind !== undefined && event.kind !== state.sheet.kind ? state : { ...state, sheet: { kind: 'none' }, refusal: null };
    case 'center':
      return state.sheet.kind === 'call' ? { ...state, sheet: { ...state.sheet, center: event.center } } : state;
    case 'room':
      return toggled(state, event.room);
    case 'query':
      return state.sheet.kind === 'call' ? { ...state, sheet: { ...state.sheet, query: event.query } } : state;
    case 'dismiss':
      return { ...state, refusal: null, outcome: null };
    case 'tick':
      return withTick(state, event.now);
  }
}

function toggled(state: PanelState, room: string): PanelState {
  const { sheet, view } = state;
  if (sheet.kind !== 'call' || view === null || roomsInMeeting(view).has(room)) return state;
  const chosen = sheet.chosen.includes(room) ? sheet.chosen.filter((id) => id !== room) : [...sheet.chosen, room];
  return { ...state, sheet: { ...sheet, chosen: stillCallable(chosen, view) } };
}

/** Is an action of this kind sent and not yet answered? Its button is shown pressed meanwhile. */
export const busy = (state: PanelState, op: PanelAction['op']): boolean => state.waiting.some((sent) => sent.action.op === op);
