import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { backOff, ConnectionLost, Live, mergePatch, receive, type Json } from './live';

const PATIENCE = { quiet: 1000, answer: 300, grace: 100 };

describe('merge patches (RFC 7396, appendix A)', () => {
  test.each<[Json, Json, Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, expected) => {
    expect(mergePatch(document, patch)).toEqual(expected);
  });

  test('changes neither and shares what the patch leaves alone', () => {
    const document = { rooms: { a: { n: 1 }, b: { n: 2 } } };
    const merged = mergePatch(document, { rooms: { a: { n: 3 } } }) as typeof document;
    expect(document.rooms.a.n).toBe(1);
    expect(merged.rooms.b).toBe(document.rooms.b);
  });

  test('a key called __proto__ stays data', () => {
    const merged = mergePatch({}, JSON.parse('{"__proto__": {"polluted": true}}') as Json);
    expect(({} as Json).polluted).toBeUndefined();
    expect(Object.keys(merged)).toEqual(['__proto__']);
  });
});

describe('revisions', () => {
  test('a patch must follow what is held', () => {
    const first = receive(null, { type: 'snapshot', topic: 't', revision: 4, data: { a: 1 } });
    if (first === 'gap') throw new Error('a snapshot is never a gap');
    expect(receive(first.replica, { type: 'patch', topic: 't', revision: 6, data: {} })).toBe('gap');
    expect(receive(null, { type: 'patch', topic: 't', revision: 1, data: {} })).toBe('gap');
    expect(receive(first.replica, { type: 'patch', topic: 't', revision: 5, data: { b: 2 } })).toEqual({ replica: { data: { a: 1, b: 2 }, revision: 5 } });
  });

  test('waits longer each time, to a bound', () => {
    expect(backOff(0, 0.5)).toBe(500);
    expect(backOff(3, 0.5)).toBe(4000);
    expect(backOff(50, 1)).toBeCloseTo(12_000);
    expect(backOff(50, 0)).toBe(8000);
  });
});

class FakeSocket {
  static readonly OPEN = 1;
  static made: FakeSocket[] = [];
  readonly sent: Json[] = [];
  readyState = FakeSocket.OPEN;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (() => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as Json);
  }

  close(): void {
    this.readyState = 3;
  }

  drop(): void {
    this.readyState = 3;
    this.onclose?.();
  }

  hear(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function latest(): FakeSocket {
  const socket = FakeSocket.made.at(-1);
  if (socket === undefined) throw new Error('nothing was dialled');
  return socket;
}

const snapshot = (revision: number, data: Json) => ({ type: 'snapshot', topic: 't', revision, data });
const patch = (revision: number, data: Json) => ({ type: 'patch', topic: 't', revision, data });

describe('a live document', () => {
  let live: Live<Json>;

  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('WebSocket', FakeSocket);
    FakeSocket.made = [];
    live = new Live<Json>('/live', PATIENCE);
  });

  afterEach(() => {
    live.close();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('shows the snapshot, then follows patches', () => {
    expect(live.state.value).toEqual({ kind: 'connecting' });
    latest().hear(snapshot(1, { a: 1 }));
    latest().hear(patch(2, { b: 2 }));
    expect(live.data.value).toEqual({ a: 1, b: 2 });
    expect(live.state.value).toEqual({ kind: 'live' });
    expect(live.heardAt.value).not.toBeNull();
  });

  test('asks once for a snapshot when a patch is missing, and ignores patches until it comes', () => {
    latest().hear(snapshot(1, { a: 1 }));
    latest().hear(patch(3, { a: 3 }));
    latest().hear(patch(4, { a: 4 }));
    expect(latest().sent.map((action) => action.op)).toEqual(['resync']);
    expect(live.data.value).toEqual({ a: 1 });
    latest().hear(snapshot(4, { a: 4 }));
    latest().hear(patch(5, { a: 5 }));
    expect(live.data.value).toEqual({ a: 5 });
  });

  test('keeps the document when lost, says so after a moment, and comes back', () => {
    latest().hear(snapshot(1, { a: 1 }));
    latest().drop();
    expect(live.state.value.kind).toBe('live'); // a blink is not told
    vi.advanceTimersByTime(PATIENCE.grace);
    expect(live.state.value.kind).toBe('lost');
    expect(live.data.value).toEqual({ a: 1 });
    vi.advanceTimersByTime(700);
    expect(FakeSocket.made).toHaveLength(2);
    latest().hear(snapshot(9, { a: 9 }));
    expect(live.state.value).toEqual({ kind: 'live' });
    expect(live.data.value).toEqual({ a: 9 });
  });

  test('a silent socket is asked, then given up', () => {
    latest().hear(snapshot(1, {}));
    vi.advanceTimersByTime(PATIENCE.quiet);
    expect(latest().sent.map((action) => action.op)).toEqual(['resync']);
    expect(FakeSocket.made).toHaveLength(1);
    vi.advanceTimersByTime(PATIENCE.answer + 700);
    expect(FakeSocket.made).toHaveLength(2);
    expect(live.state.value.kind).toBe('lost');
  });

  test('a word in time keeps the socket', () => {
    latest().hear(snapshot(1, {}));
    vi.advanceTimersByTime(PATIENCE.quiet);
    latest().hear(snapshot(1, {}));
    vi.advanceTimersByTime(PATIENCE.answer);
    expect(FakeSocket.made).toHaveLength(1);
    expect(live.state.value.kind).toBe('live');
  });

  test('an action gets its own answer', async () => {
    latest().hear(snapshot(1, {}));
    const first = live.act({ op: 'invite' });
    const second = live.act({ op: 'help', text: 'x' });
    const [one, two] = latest().sent;
    latest().hear({ type: 'result', id: two?.id });
    latest().hear({ type: 'result', id: one?.id, problem: { code: 'room_busy', message: '' } });
    await expect(second).resolves.toEqual({ type: 'result', id: two?.id });
    await expect(first).resolves.toMatchObject({ problem: { code: 'room_busy' } });
  });

  test('an action whose connection is lost fails, and so does one without a connection', async () => {
    latest().hear(snapshot(1, {}));
    const asked = live.act({ op: 'invite' });
    latest().drop();
    await expect(asked).rejects.toBeInstanceOf(ConnectionLost);
    await expect(live.act({ op: 'invite' })).rejects.toBeInstanceOf(ConnectionLost);
  });

  test('what is not ours is ignored', () => {
    latest().onmessage?.({ data: 'not json' });
    latest().hear({ type: 'surprise' });
    expect(live.data.value).toBeNull();
  });

  test('after close nothing is dialled again', () => {
    live.close();
    vi.advanceTimersByTime(60_000);
    expect(FakeSocket.made).toHaveLength(1);
  });
});
