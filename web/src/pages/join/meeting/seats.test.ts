import { describe, expect, test } from 'vitest';
import { columns, news, remembered, seated, tiles, type Seat, type SessionFacts } from './seats';

function session(identity: string, more: Partial<SessionFacts> = {}): SessionFacts {
  return { identity, name: identity, room: null, center: null, local: false, mic: true, camera: null, screen: null, withheld: [], speaking: false, joinedAt: 0, ...more };
}

const lauzelle = session('room:lln-lauzelle', { name: 'Lauzelle', room: 'lln-lauzelle', center: 'lln', camera: 'TR_1', joinedAt: 5 });
const source = session('room:lln-lauzelle/hdmi', { name: 'Lauzelle HDMI', room: 'lln-lauzelle', center: 'lln', mic: false, screen: 'TR_2', joinedAt: 9 });
const koen = session('guest:1', { name: 'Koen', joinedAt: 1 });
const self = session('guest:9', { name: 'Nadia', local: true, joinedAt: 0 });
const keys = (seats: readonly Seat[]): string[] => seats.map((seat) => seat.key);

describe('seats', () => {
  test('the sessions of a room are one seat, under its own name', () => {
    const [room] = seated([], [source, lauzelle]);
    expect(room).toMatchObject({ key: 'room:lln-lauzelle', kind: 'room', name: 'Lauzelle', mic: true, joinedAt: 5 });
    expect(room?.camera).toEqual({ identity: 'room:lln-lauzelle', track: 'TR_1', withheld: false });
    expect(room?.screen).toEqual({ identity: 'room:lln-lauzelle/hdmi', track: 'TR_2', withheld: false });
  });

  test('a picture that is withheld is told to be', () => {
    const [seat] = seated([], [{ ...koen, camera: 'TR_3', screen: 'TR_4', withheld: ['TR_3'] }]);
    expect([seat?.camera?.withheld, seat?.screen?.withheld]).toEqual([true, false]);
  });

  test('rooms, then people as they came, oneself last', () => {
    expect(keys(seated([], [self, koen, lauzelle]))).toEqual(['room:lln-lauzelle', 'guest:1', 'guest:9']);
  });

  test('nobody moves because someone comes, speaks or goes', () => {
    const first = seated([], [koen, self]);
    const second = seated(keys(first), [lauzelle, koen, self]);
    expect(keys(second)).toEqual(['guest:1', 'room:lln-lauzelle', 'guest:9']);
    expect(keys(seated(keys(second), [{ ...lauzelle, speaking: true }, koen, self]))).toEqual(keys(second));
    expect(keys(seated(keys(second), [lauzelle, self]))).toEqual(['room:lln-lauzelle', 'guest:9']);
  });

  test('whoever comes back finds their place again', () => {
    const order = remembered(remembered([], seated([], [koen, self])), seated(['guest:1'], [lauzelle, self]));
    expect(keys(seated(order, [lauzelle, self, koen]))).toEqual(['guest:1', 'room:lln-lauzelle', 'guest:9']);
  });

  test('who came and who went, without oneself', () => {
    const before = seated([], [koen]);
    const after = seated(keys(before), [lauzelle, self]);
    expect(news(before, after)).toEqual({ came: ['Lauzelle'], went: ['Koen'] });
  });
});

describe('tiles', () => {
  const many = seated([], [...Array.from({ length: 20 }, (_, at) => session(`guest:${at + 10}`, { joinedAt: at })), self]);

  test('a small meeting shows everyone', () => {
    expect(tiles(many.slice(0, 3), [])).toEqual({ shown: many.slice(0, 3), hidden: 0 });
  });

  test('a large one shows the cap, oneself among them', () => {
    const { shown, hidden } = tiles(many, [], 16);
    expect(shown).toHaveLength(16);
    expect(hidden).toBe(5);
    expect(shown.at(-1)?.local).toBe(true);
  });

  test('whoever speaks unseen gets the kept place, and nobody else moves', () => {
    const quiet = tiles(many, [], 16).shown;
    const { shown } = tiles(many, ['guest:29'], 16);
    expect(keys(shown)).toContain('guest:29');
    expect(keys(shown).slice(0, 14)).toEqual(keys(quiet).slice(0, 14));
    expect(keys(tiles(many, ['guest:10'], 16).shown)).toEqual(keys(quiet));
  });

  test.each([[1, 1280, 640, 1], [2, 1280, 640, 2], [4, 1280, 640, 2], [3, 360, 640, 1], [9, 1280, 720, 3], [5, 1280, 640, 3]])('%i tiles in %i × %i stand in %i columns', (count, width, height, expected) => {
    expect(columns(count, width, height)).toBe(expected);
  });
});
