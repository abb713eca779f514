import { describe, expect, it } from 'vitest';
import { outcomeOf } from './outcome';
import { incoming, outgoing } from './ringing';
import { calling, meeting, NOW, running, view } from './sample';
import { screenOf } from './screen';

describe('screen', () => {
  it('follows the phase', () => {
    expect(screenOf(view())).toBe('idle');
    expect(screenOf(view({ phase: 'releasing' }))).toBe('idle');
    expect(screenOf(view({ phase: 'ringing' }))).toBe('incoming');
    expect(screenOf(calling())).toBe('outgoing');
    expect(screenOf(running())).toBe('meeting');
  });

  it('keeps ringing while our devices get ready and nobody answered', () => {
    expect(screenOf({ ...calling(), phase: 'preparing' })).toBe('outgoing');
    const answered = meeting([{ id: 'sai-senne', call: 'joined' }, { id: 'sai-coeurcq', call: 'ringing', until: NOW + 5 }]);
    expect(screenOf({ ...calling(), phase: 'preparing', meeting: answered })).toBe('meeting');
  });

  it('is the meeting for a room that was called itself', () => {
    const theirs = { ...calling(), phase: 'preparing' as const };
    expect(screenOf({ ...theirs, meeting: meeting([{ id: 'sai-senne', call: 'ringing' }], [], { started_by: 'room:msg-orne' }) })).toBe('meeting');
  });
});

describe('outgoing', () => {
  it('counts the seconds and names a stand-in', () => {
    const call = outgoing(calling(), [], NOW);
    expect(call).toMatchObject({ since: 8, left: 22, instead: { name: 'Coeurcq' } });
    expect(call.progress).toBeCloseTo(8 / 30);
    expect(call.rooms.map(({ name, left }) => [name, left])).toEqual([['Senne', 22]]);
  });

  it('names the rooms asked for before the server answers', () => {
    const call = outgoing(view({ phase: 'calling' }), ['sai-senne', 'msg-orne'], NOW);
    expect(call.rooms.map(({ name }) => name)).toEqual(['Senne', 'Orne']);
    expect(call).toMatchObject({ left: null, progress: 0 });
  });

  it('never shows less than nothing', () => {
    expect(outgoing(calling(), [], NOW + 100)).toMatchObject({ left: 0, progress: 1 });
  });
});

describe('incoming', () => {
  it('says who calls, and when this room answers by itself', () => {
    const call = { meeting: 'm1', title: '', caller: 'sai-senne', until: NOW + 30 };
    expect(incoming(view({ phase: 'ringing', incoming: call }), NOW)).toMatchObject({ caller: { name: 'Senne' }, answersIn: null, left: 30 });
    expect(incoming(view({ phase: 'ringing', incoming: { ...call, answers_at: NOW + 3.2 } }), NOW)?.answersIn).toBe(4);
    expect(incoming(view(), NOW)).toBeNull();
  });
});

describe('outcome', () => {
  const ended = (call: 'declined' | 'ringing', at: number) =>
    outcomeOf({ ...calling(), meeting: meeting([{ id: 'sai-senne', call, until: NOW + 22 }]) }, view(), at);

  it('tells a decline from silence and from a stop', () => {
    expect(ended('declined', NOW)?.rooms).toMatchObject([{ room: { name: 'Senne' }, how: 'declined' }]);
    expect(ended('ringing', NOW + 22)?.rooms).toMatchObject([{ how: 'unanswered' }]);
    const told = outcomeOf({ ...calling(), meeting: meeting([{ id: 'sai-senne', call: 'ringing', until: NOW + 22 }]) }, view({ last_calls: { 'sai-senne': 'declined' } }), NOW);
    expect(told?.rooms).toMatchObject([{ how: 'declined' }]);
    expect(ended('ringing', NOW)).toMatchObject({ rooms: [{ how: 'stopped' }], instead: { name: 'Coeurcq' } });
  });

  it('is only of calls', () => {
    expect(outcomeOf(view(), view(), NOW)).toBeNull();
    expect(outcomeOf(running(), view(), NOW)).toBeNull();
  });
});
