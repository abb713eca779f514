/** The meeting as the page shows it: a reducer over what media says and what the person does. Pure. */
import type { Fault } from '../capture';
import { news, remembered, seated, type Seat, type SessionFacts } from './seats';

/** Where the media connection stands; `since` Unix ms. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'reconnecting'; readonly since: number };

/** How good the own connection is; null while nobody measured it. */
export type Quality = 'good' | 'fair' | 'poor' | null;

export type OwnSource = 'mic' | 'camera' | 'screen';

/** One of our own sources: on or off as confirmed, what was asked and is not yet done, why it could not be. */
export interface Own {
  readonly on: boolean;
  readonly asked: boolean | null;
  readonly fault: Fault | null;
}

export interface MeetingState {
  readonly connection: Connection;
  readonly seats: readonly Seat[];
  readonly order: readonly string[]; // keys of everyone ever seated, by place
  readonly voices: readonly string[]; // keys of who spoke, latest first
  readonly own: Readonly<Record<OwnSource, Own>>;
  readonly quality: Quality;
  readonly soundBlocked: boolean;
  readonly side: 'people' | null;
  readonly dialog: 'invite' | 'devices' | null;
  readonly came: readonly string[];
  readonly went: readonly string[];
}

export type MeetingEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'reconnecting'; readonly at: number }
  | { readonly kind: 'sessions'; readonly sessions: readonly SessionFacts[] }
  | { readonly kind: 'asked'; readonly source: OwnSource; readonly on: boolean }
  | { readonly kind: 'failed'; readonly source: OwnSource; readonly fault: Fault | null } // null: the person changed their mind
  | { readonly kind: 'settled'; readonly source: OwnSource }
  | { readonly kind: 'quality'; readonly quality: Quality }
  | { readonly kind: 'sound_blocked'; readonly blocked: boolean }
  | { readonly kind: 'side'; readonly side: 'people' } // the same again closes it
  | { readonly kind: 'dialog'; readonly dialog: 'invite' | 'devices' | null };

const OFF: Own = { on: false, asked: null, fault: null };
const VOICES = 8;

export const ENTERING: MeetingState = {
  connection: { kind: 'connecting' },
  seats: [],
  order: [],
  voices: [],
  own: { mic: OFF, camera: OFF, screen: OFF },
  quality: null,
  soundBlocked: false,
  side: null,
  dialog: null,
  came: [],
  went: [],
};

/** The state after an event. */
export function meet(state: MeetingState, event: MeetingEvent): MeetingState {
  switch (event.kind) {
    case 'connected':
      return { ...state, connection: { kind: 'connected' } };
    case 'reconnecting':
      return state.connection.kind === 'reconnecting' ? state : { ...state, connection: { kind: 'reconnecting', since: event.at }, quality: null };
    case 'sessions':
      return seat(state, event.sessions);
    case 'asked':
      return change(state, event.source, { asked: event.on, fault: null });
    case 'failed':
      return change(state, event.source, { asked: null, fault: event.fault });
    case 'settled':
      return change(state, event.source, { asked: null });
    case 'quality':
      return { ...state, quality: event.quality };
    case 'sound_blocked':
      return { ...state, soundBlocked: event.blocked };
    case 'side':
      return { ...state, side: state.side === event.side ? null : event.side };
    case 'dialog':
      return { ...state, dialog: event.dialog };
  }
}

function seat(state: MeetingState, sessions: readonly SessionFacts[]): MeetingState {
  const now = seated(state.order, sessions);
  const seats = state.connection.kind === 'reconnecting' ? awaited(state.seats, now) : now;
  const told = state.connection.kind === 'connected' && state.seats.length > 0; // who was there before us is no news
  const { came, went } = told ? news(state.seats, seats) : { came: [], went: [] };
  const speaking = seats.filter((one) => one.speaking).map((one) => one.key);
  const self = sessions.find((session) => session.local);
  return {
    ...state,
    seats,
    order: remembered(state.order, seats),
    came: came.length > 0 || went.length > 0 ? came : state.came,
    went: came.length > 0 || went.length > 0 ? went : state.went,
    voices: [...speaking, ...state.voices.filter((key) => !speaking.includes(key))].slice(0, VOICES),
    own: {
      mic: { ...state.own.mic, on: self?.mic ?? false },
      camera: { ...state.own.camera, on: (self?.camera ?? null) !== null },
      screen: { ...state.own.screen, on: (self?.screen ?? null) !== null },
    },
  };
}

/** While the connection is lost we see nobody: those who were there keep their places, without a picture. */
function awaited(before: readonly Seat[], seen: readonly Seat[]): readonly Seat[] {
  return before.map((one) => ({ ...(seen.find((other) => other.key === one.key) ?? { ...one, mic: false, camera: null, screen: null }), speaking: false }));
}

function change(state: MeetingState, source: OwnSource, part: Partial<Own>): MeetingState {
  return { ...state, own: { ...state.own, [source]: { ...state.own[source], ...part } } };
}

/** What a key shows at once: what was asked, else what is. */
export function pressed(own: Own): boolean {
  return own.asked ?? own.on;
}

/** The screen to show large: another's before one's own, the latest to join first. */
export function sharedScreen(seats: readonly Seat[]): Seat | null {
  const sharing = seats.filter((one) => one.screen !== null);
  return sharing.find((one) => !one.local) ?? sharing[0] ?? null;
}
