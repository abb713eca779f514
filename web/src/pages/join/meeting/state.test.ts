import { describe, expect, test } from 'vitest';
import type { SessionFacts } from './seats';
import { ENTERING, meet, pressed, sharedScreen, type MeetingEvent, type MeetingState } from './state';

function session(identity: string, more: Partial<SessionFacts> = {}): SessionFacts {
  return { identity, name: identity, room: null, center: null, local: false, mic: false, camera: null, screen: null, withheld: [], speaking: false, joinedAt: 0, ...more };
}

const self = session('me', { local: true });
const after = (...events: MeetingEvent[]): MeetingState => events.reduce(meet, ENTERING);
const sessions = (...list: SessionFacts[]): MeetingEvent => ({ kind: 'sessions', sessions: list });

describe('the connection', () => {
  test('a gap keeps its beginning, and its quality is not known', () => {
    const gap = after({ kind: 'connected' }, { kind: 'quality', quality: 'good' }, { kind: 'reconnecting', at: 5 }, { kind: 'reconnecting', at: 9 });
    expect(gap.connection).toEqual({ kind: 'reconnecting', since: 5 });
    expect(gap.quality).toBeNull();
    expect(meet(gap, { kind: 'connected' }).connection).toEqual({ kind: 'connected' });
  });
});

describe('our own sources', () => {
  test('what was asked shows at once, what is confirmed replaces it', () => {
    const asked = after(sessions(self), { kind: 'asked', source: 'mic', on: true });
    expect(pressed(asked.own.mic)).toBe(true);
    expect(asked.own.mic.on).toBe(false);
    const done = [{ kind: 'settled', source: 'mic' } as const, sessions({ ...self, mic: true })].reduce(meet, asked);
    expect(done.own.mic).toEqual({ on: true, asked: null, fault: null });
  });

  test('what failed falls back to what is, with its reason until the next try', () => {
    const failed = after(sessions(self), { kind: 'asked', source: 'camera', on: true }, { kind: 'failed', source: 'camera', fault: 'busy' });
    expect(pressed(failed.own.camera)).toBe(false);
    expect(failed.own.camera.fault).toBe('busy');
    expect(meet(failed, { kind: 'asked', source: 'camera', on: true }).own.camera.fault).toBeNull();
  });
});

describe('people', () => {
  test('those who were there before us are no news; those who come later are', () => {
    const entered = after({ kind: 'connected' }, sessions(session('a'), self));
    expect(entered.came).toEqual([]);
    expect(meet(entered, sessions(session('a'), session('b'), self)).came).toEqual(['b']);
    expect(meet(entered, sessions(self)).went).toEqual(['a']);
  });

  test('places are kept while the connection is lost, and coming back is no news', () => {
    const lost = [{ kind: 'reconnecting', at: 5 } as const, sessions(self)].reduce(meet, after({ kind: 'connected' }, sessions(session('a', { camera: 'TR_1' }), self)));
    expect(lost.seats.map((seat) => [seat.key, seat.camera])).toEqual([['a', null], ['me', null]]);
    const back = [{ kind: 'connected' } as const, sessions(session('a', { camera: 'TR_2' }), self)].reduce(meet, lost);
    expect(back.seats[0]?.camera?.track).toBe('TR_2');
    expect(back.came).toEqual([]);
  });

  test('voices are kept, the latest first', () => {
    const talk = after(sessions(session('a', { speaking: true }), session('b'), self), sessions(session('a'), session('b', { speaking: true }), self));
    expect(talk.voices).toEqual(['b', 'a']);
  });

  test('another screen goes before one’s own', () => {
    const both = after(sessions(session('a', { screen: 'TR_1' }), { ...self, screen: 'TR_2' }));
    expect(sharedScreen(both.seats)?.key).toBe('a');
    expect(sharedScreen(after(sessions({ ...self, screen: 'TR_2' })).seats)?.key).toBe('me');
    expect(sharedScreen(after(sessions(self)).seats)).toBeNull();
  });

  test('the list opens and closes', () => {
    expect(after({ kind: 'side', side: 'people' }).side).toBe('people');
    expect(after({ kind: 'side', side: 'people' }, { kind: 'side', side: 'people' }).side).toBeNull();
  });
});
