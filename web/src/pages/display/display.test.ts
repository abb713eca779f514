import { describe, expect, it } from 'vitest';
import type { DisplayView, Participant } from '../../wire';
import { shift } from './drift';
import { meetingOf } from './media';
import { type MediaEvent, mediaOff, type MediaState, participantOf, reduceMedia } from './media-state';
import { called, sceneOf } from './scene';
import { arrange, layout, tiles } from './tiles';

const person = (id: string, joined_at: number): Participant => ({ id, kind: 'person', name: id, joined_at, camera: true });

function view(participants: readonly Participant[], more: Partial<DisplayView> = {}): DisplayView {
  const meeting = { id: 'm', media: 'm', title: '', started_at: 0, started_by: 'room:a-a', participants: Object.fromEntries(participants.map((one) => [one.id, one])) };
  return {
    room: { id: 'lln-lauzelle', name: 'Lauzelle', center: 'lln', seats: 12 },
    center: { id: 'lln', name: 'Louvain-la-Neuve', latitude: 0, longitude: 0 },
    centers: { sai: 'Saintes' }, rooms: { 'sai-senne': 'Senne' }, phase: 'in_meeting', server: true, meeting, ...more,
  };
}

const SENNE: Participant = { id: 'room:sai-senne', kind: 'room', name: 'Senne', center: 'sai', joined_at: 5, camera: true };
const OWN: Participant = { id: 'room:lln-lauzelle', kind: 'room', name: 'Lauzelle', center: 'lln', joined_at: 1 };

describe('scene', () => {
  it('follows the phase; standby only at rest', () => {
    expect(sceneOf(view([], { phase: 'idle' }))).toBe('idle');
    expect(sceneOf(view([], { phase: 'idle', scene: 'standby' }))).toBe('standby');
    expect(sceneOf(view([], { phase: 'in_meeting', scene: 'standby' }))).toBe('meeting');
    expect(sceneOf(view([], { phase: 'calling' }))).toBe('outgoing');
    expect(sceneOf(view([], { phase: 'ringing', incoming: { meeting: 'm', title: '', caller: 'sai-senne', until: 1 } }))).toBe('incoming');
  });

  it('names who is called as well as it can', () => {
    const of = view([]);
    const rooms = { 'sai-senne': { id: 'sai-senne', call: 'ringing' as const }, 'red-lesse': { id: 'red-lesse', call: 'ringing' as const } };
    const list = called({ ...of, meeting: of.meeting ? { ...of.meeting, rooms } : null });
    expect(list).toMatchObject([{ name: 'Senne', centerName: 'Saintes' }, { name: 'red-lesse', center: 'red' }]);
  });
});

describe('tiles', () => {
  it('leave out the own room, rooms before people, in the order they came', () => {
    const of = view([person('guest:b', 9), person('guest:a', 7), SENNE, OWN]);
    expect(tiles(arrange([], of), of).map(({ id }) => id)).toEqual(['room:sai-senne', 'guest:a', 'guest:b']);
  });

  it('never change places when others come, go or speak', () => {
    const before = arrange([], view([person('guest:b', 9), person('guest:a', 7)]));
    const spoke = view([{ ...person('guest:b', 9), speaking: true }, person('guest:a', 7), person('guest:0', 1)]);
    expect(arrange(before, spoke)).toEqual(['guest:a', 'guest:b', 'guest:0']);
    expect(arrange(['guest:a', 'guest:b', 'guest:0'], view([person('guest:b', 9), person('guest:0', 1)]))).toEqual(['guest:b', 'guest:0']);
    const same = view([person('guest:a', 7), person('guest:b', 9)]);
    expect(arrange(before, same)).toBe(before);
  });

  it('keep the place of a room whose agent is silent', () => {
    const of = view([SENNE]);
    const lost = { ...of, meeting: of.meeting ? { ...of.meeting, participants: {}, rooms: { 'sai-senne': { id: 'sai-senne', call: 'lost' as const } } } : null };
    expect(tiles(arrange(['room:sai-senne'], lost), lost)).toMatchObject([{ id: 'room:sai-senne', name: 'Senne', lost: true, camera: false }]);
  });

  it('have a place each, up to what stays readable', () => {
    expect(layout(1, false)).toMatchObject({ columns: 'repeat(1, minmax(0, 1fr))' });
    expect(layout(3, false).tallFirst).toBe(true);
    for (let count = 0; count <= 40; count++) {
      const { columns, rows, tallFirst, shown } = layout(count, false);
      const many = (text: string): number => Number(/repeat\((\d+)/u.exec(text)?.[1] ?? 2);
      if (!tallFirst) expect(many(columns) * many(rows)).toBeGreaterThanOrEqual(Math.min(count, shown));
    }
    expect(layout(9, true)).toMatchObject({ shown: 4, rows: 'repeat(4, minmax(0, 1fr))' });
  });
});

describe('media', () => {
  const after = (...events: MediaEvent<string>[]): MediaState<string> => events.reduce(reduceMedia, mediaOff<string>());

  it('keeps pictures by participant, and shows none of a lost connection', () => {
    const there = after({ type: 'link', link: 'joined' }, { type: 'video', participant: 'room:a', source: 'camera', track: 't1' }, { type: 'video', participant: 'room:a', source: 'screen', track: 't2' });
    expect([there.cameras.get('room:a'), there.screens.get('room:a')]).toEqual(['t1', 't2']);
    expect(reduceMedia(there, { type: 'link', link: 'lost' })).toMatchObject({ link: 'lost', cameras: new Map(), screens: new Map() });
  });

  it('is not confused by the end of a picture that was already replaced', () => {
    const video = (track: string): MediaEvent<string> => ({ type: 'video', participant: 'p', source: 'camera', track });
    const state = after({ type: 'link', link: 'joined' }, video('old'), video('new'), { type: 'gone', participant: 'p', source: 'camera', track: 'old' });
    expect(state.cameras.get('p')).toBe('new');
  });

  it('folds the sessions of a room into the room', () => {
    expect(participantOf('room:sai-senne/hdmi', { room: 'sai-senne' })).toBe('room:sai-senne');
    expect(participantOf('guest:koen', {})).toBe('guest:koen');
  });

  it('reads the meeting from the token, so that a renewed token changes nothing', () => {
    const token = (claims: object): string => `x.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.s`;
    expect(meetingOf(token({ exp: 1, video: { room: 'demo' } }))).toBe('demo');
    expect(meetingOf(token({ exp: 2, video: { room: 'demo' } }))).toBe('demo');
    expect(meetingOf('garbage')).toBe('garbage');
  });
});

describe('the picture', () => {
  it('walks within its reach and comes back', () => {
    const steps = Array.from({ length: 18 }, (_, step) => shift(1_790_000_000 + step * 120));
    expect(new Set(steps.map(({ x, y }) => `${x},${y}`)).size).toBe(9);
    expect(steps.every(({ x, y }) => Math.abs(x) <= 1 && Math.abs(y) <= 1)).toBe(true);
  });
});
