import { describe, expect, it } from 'vitest';
import { callCenters, matches, named, standIn } from './directory';
import { distanceKm } from './geography';
import { meeting, view } from './sample';

describe('distance', () => {
  it('is the great circle', () => {
    expect(distanceKm({ latitude: 50.668, longitude: 4.614 }, { latitude: 50.704, longitude: 4.166 })).toBeCloseTo(31.8, 1);
    expect(distanceKm({ latitude: 50, longitude: 5 }, { latitude: 50, longitude: 5 })).toBe(0);
    expect(distanceKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })).toBeCloseTo(111.2, 0);
  });
});

describe('centers', () => {
  it('come nearest first, the own one last, without the own room', () => {
    const centers = callCenters(view());
    expect(centers.map(({ id, km }) => [id, km])).toEqual([['msg', 4], ['sai', 32], ['red', 83], ['lln', 0]]);
    expect(centers.at(-1)?.rooms.map((room) => room.name)).toEqual(['Biéreau']);
  });

  it('keep rooms that cannot be called, with the reason and a stand-in', () => {
    const rooms = callCenters(view()).find(({ id }) => id === 'sai')?.rooms ?? [];
    expect(rooms.map(({ name, standing, callable, instead }) => [name, standing, callable, instead])).toEqual([
      ['Senne', 'ready', true, null],
      ['Hain', 'busy', false, 'Coeurcq'],
      ['Coeurcq', 'degraded', true, null],
      ['Mussain', 'unusable', false, 'Senne'],
    ]);
  });

  it('show rooms of this call as such', () => {
    const of = view({ phase: 'in_meeting', meeting: meeting([{ id: 'sai-senne', call: 'ringing' }, { id: 'msg-orne', call: 'declined' }]) });
    const all = callCenters(of).flatMap((center) => center.rooms);
    expect(all.find(({ id }) => id === 'sai-senne')).toMatchObject({ standing: 'here', callable: false });
    expect(all.find(({ id }) => id === 'msg-orne')).toMatchObject({ standing: 'ready', callable: true });
  });

  it('can be searched by center or room, without accents', () => {
    expect(callCenters(view(), 'biereau').map(({ id }) => id)).toEqual(['lln']);
    expect(callCenters(view(), ' SAINT').map(({ id }) => id)).toEqual(['msg', 'sai']);
    expect(callCenters(view(), 'nowhere')).toEqual([]);
    expect(matches('œ', 'Coeurcq')).toBe(false);
  });

  it('survive a directory that is not there yet', () => {
    expect(callCenters(view({ directory: {} }))).toEqual([]);
  });
});

describe('names', () => {
  it('fall back to the id', () => {
    expect(named(view(), 'sai-senne')).toMatchObject({ name: 'Senne', centerName: 'Saintes' });
    expect(named(view(), 'tou-escaut')).toMatchObject({ name: 'tou-escaut', center: 'tou' });
  });

  it('offer a stand-in of the same center, the healthiest first', () => {
    expect(standIn(view(), 'sai-hain')?.id).toBe('sai-senne');
    expect(standIn(view(), 'sai-senne')?.id).toBe('sai-coeurcq');
    expect(standIn(view(), 'red-lesse')).toBeNull();
  });
});
