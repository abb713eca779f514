/** Who sits in the meeting, as tiles: sessions folded into rooms and people, in an order that never jumps. Pure. */

/** One media session, as livekit-client knows it. Track ids are null while closed. */
export interface SessionFacts {
  readonly identity: string;
  readonly name: string;
  readonly room: string | null; // id of the equipped room it belongs to
  readonly center: string | null;
  readonly local: boolean;
  readonly mic: boolean;
  readonly camera: string | null;
  readonly screen: string | null;
  readonly withheld: readonly string[]; // track ids of those of its pictures that the server does not send us
  readonly speaking: boolean;
  readonly joinedAt: number; // Unix ms
}

/** A room (all its sessions together) or a person. `camera`, `screen`: the session and track that give the picture. */
export interface Seat {
  readonly key: string;
  readonly kind: 'room' | 'person';
  readonly name: string;
  readonly center: string | null;
  readonly local: boolean;
  readonly mic: boolean;
  readonly camera: Picture | null;
  readonly screen: Picture | null;
  readonly speaking: boolean;
  readonly joinedAt: number;
}

export interface Picture {
  readonly identity: string;
  readonly track: string;
  readonly withheld: boolean;
}

/** At most this many tiles: more would cost every computer its breath. */
export const TILE_CAP = 16;
/** Places remembered, of those who left too. */
const PLACES = 500;

/** The seats of these sessions. `order`: keys of those seated before, who keep (or find again) their place; new ones sit behind, oneself last. */
export function seated(order: readonly string[], sessions: readonly SessionFacts[]): readonly Seat[] {
  const groups = new Map<string, SessionFacts[]>();
  for (const session of sessions) {
    const key = session.room === null ? session.identity : `room:${session.room}`;
    groups.set(key, [...(groups.get(key) ?? []), session]);
  }
  const place = new Map(order.map((key, at) => [key, at]));
  return [...groups]
    .map(([key, own]) => seat(key, own))
    .sort((a, b) => Number(a.local) - Number(b.local) || (place.get(a.key) ?? order.length) - (place.get(b.key) ?? order.length) || newcomers(a, b));
}

/** The order with the keys of `seats` that it did not have yet; the oldest are forgotten past a bound. */
export function remembered(order: readonly string[], seats: readonly Seat[]): readonly string[] {
  const known = new Set(order);
  return [...order, ...seats.map((one) => one.key).filter((key) => !known.has(key))].slice(-PLACES);
}

/** Rooms before people, then who came first. */
function newcomers(a: Seat, b: Seat): number {
  return Number(b.kind === 'room') - Number(a.kind === 'room') || a.joinedAt - b.joinedAt || a.key.localeCompare(b.key);
}

function seat(key: string, sessions: readonly SessionFacts[]): Seat {
  const main = sessions.find((session) => session.identity === key) ?? sessions[0];
  if (main === undefined) throw new RangeError(`no session for ${key}`);
  const picture = (of: (session: SessionFacts) => string | null): Picture | null => {
    const from = [main, ...sessions].find((session) => of(session) !== null);
    const track = from === undefined ? null : of(from);
    return from === undefined || track === null ? null : { identity: from.identity, track, withheld: from.withheld.includes(track) };
  };
  return {
    key,
    kind: main.room === null ? 'person' : 'room',
    name: main.name,
    center: main.center,
    local: sessions.some((session) => session.local),
    mic: sessions.some((session) => session.mic),
    camera: picture((session) => session.camera),
    screen: picture((session) => session.screen),
    speaking: sessions.some((session) => session.speaking),
    joinedAt: Math.min(...sessions.map((session) => session.joinedAt)),
  };
}

/** Who came and who went, by name, between two seatings. Oneself is no news. */
export function news(before: readonly Seat[], after: readonly Seat[]): { came: readonly string[]; went: readonly string[] } {
  const missing = (from: readonly Seat[], others: readonly Seat[]): string[] =>
    others.filter((seat) => !seat.local && !from.some((known) => known.key === seat.key)).map((seat) => seat.name);
  return { came: missing(before, after), went: missing(after, before) };
}

/** The tiles to draw, at most `cap`, oneself among them; `voices` (keys, latest first) brings in whoever speaks unseen. */
export function tiles(seats: readonly Seat[], voices: readonly string[], cap: number = TILE_CAP): { shown: readonly Seat[]; hidden: number } {
  if (seats.length <= cap) return { shown: seats, hidden: 0 };
  const own = seats.filter((one) => one.local);
  const others = seats.filter((one) => !one.local);
  const room = cap - own.length - 1; // one place is kept for a voice from outside
  const fixed = others.slice(0, room);
  const guest = voices.map((key) => others.find((one) => one.key === key)).find((one) => one !== undefined && !fixed.includes(one)) ?? others[room];
  const shown = [...fixed, ...(guest === undefined ? [] : [guest]), ...own];
  return { shown, hidden: seats.length - shown.length };
}

/** Columns that make `count` tiles of 16:9 largest in `width` × `height` (any unit). */
export function columns(count: number, width: number, height: number): number {
  let best = { columns: 1, area: 0 };
  for (let tried = 1; tried <= Math.max(count, 1); tried += 1) {
    const rows = Math.ceil(count / tried);
    const scale = Math.min(width / tried / 16, height / rows / 9);
    if (scale * scale > best.area * 1.001) best = { columns: tried, area: scale * scale };
  }
  return best.columns;
}
