import { describe, expect, test } from 'vitest';
import { SERVER_LASTS, shown, VERDICT_LASTS } from '../../health';
import type { DashboardRoom, DashboardView, Health, Phase } from '../../wire';
import { board, EVERYTHING, narrow, passes, type Row } from './board';

const NOW = 1_000_000;

function room(id: string, order: number, health: Health, more: Partial<DashboardRoom> = {}): DashboardRoom {
  const [center = ''] = id.split('-');
  return { room: { id, name: id.slice(center.length + 1), center, seats: 6 }, order, verdict: { health, observed_at: NOW - 5 }, phase: 'idle', ...more };
}

function view(...rooms: DashboardRoom[]): DashboardView {
  const center = (id: string, name: string, order: number) => ({ center: { id, name, latitude: 50, longitude: 4 }, order });
  return {
    centers: { sai: center('sai', 'Saintes', 1), lln: center('lln', 'Louvain-la-Neuve', 0) },
    rooms: Object.fromEntries(rooms.map((one) => [one.room.id, one])),
  };
}

const names = (rows: readonly Row[]): string[] => rows.map((row) => row.room.room.name);

describe('what a room is shown as', () => {
  test.each<[Health, Phase, string]>([
    ['ready', 'idle', 'ready'],
    ['ready', 'in_meeting', 'live'],
    ['ready', 'preparing', 'live'],
    ['ready', 'ringing', 'ready'],
    ['degraded', 'in_meeting', 'degraded'],
    ['unusable', 'idle', 'unusable'],
    ['unknown', 'offline', 'unknown'],
    ['maintenance', 'maintenance', 'maintenance'],
  ])('%s and %s is %s', (health, phase, state) => {
    expect(shown(room('lln-a', 0, health, { phase }), NOW, null).state).toBe(state);
  });

  test('an old fact is unknown, never ready', () => {
    const old = room('lln-a', 0, 'ready', { verdict: { health: 'ready', observed_at: NOW - VERDICT_LASTS - 1 } });
    expect(shown(old, NOW, null)).toEqual({ state: 'unknown', silentSince: NOW - VERDICT_LASTS - 1 });
    expect(shown(room('lln-a', 0, 'ready', { verdict: { health: 'ready' } }), NOW, null).state).toBe('unknown');
  });

  test('without the server nothing is certain for long', () => {
    expect(shown(room('lln-a', 0, 'ready'), NOW, NOW - SERVER_LASTS).state).toBe('ready');
    expect(shown(room('lln-a', 0, 'ready'), NOW, NOW - SERVER_LASTS - 1)).toEqual({ state: 'unknown', silentSince: NOW - SERVER_LASTS - 1 });
  });
});

describe('the board', () => {
  const all = view(
    room('sai-well', 0, 'ready'),
    room('lln-dim', 1, 'degraded'),
    room('lln-dim-busy', 2, 'degraded', { phase: 'in_meeting' }),
    room('lln-gone', 3, 'unknown'),
    room('sai-dead', 4, 'unusable'),
    room('lln-asks', 5, 'ready', { help_asked_at: NOW - 60 }),
    room('lln-closed', 6, 'maintenance'),
  );

  test('help first, then worst, people in a meeting before empty rooms', () => {
    expect(names(board(all, NOW, null).act)).toEqual(['asks', 'dead', 'dim-busy', 'dim', 'gone']);
  });

  test('centers and rooms keep their order', () => {
    const { centers } = board(all, NOW, null);
    expect(centers.map((one) => one.center.id)).toEqual(['lln', 'sai']);
    expect(centers.map((one) => names(one.rows))).toEqual([['dim', 'dim-busy', 'gone', 'asks', 'closed'], ['well', 'dead']]);
    expect(centers.map((one) => one.ready)).toEqual([1, 1]);
  });

  test('counts every room once', () => {
    expect(board(all, NOW, null).counts).toEqual({ unusable: 1, degraded: 2, unknown: 1, maintenance: 1, live: 0, ready: 2 });
    expect(board({}, NOW, null)).toMatchObject({ rooms: 0, act: [], centers: [] });
  });
});

describe('narrowing', () => {
  const rows = board(view(room('lln-Biéreau', 0, 'ready'), room('sai-Hain', 1, 'unusable')), NOW, null).centers.flatMap((one) => one.rows);
  const through = (events: Parameters<typeof narrow>[1][]): string[] => {
    const filter = events.reduce(narrow, EVERYTHING);
    return names(rows.filter((row) => passes(filter, row)));
  };

  test('finds rooms without their accents, by center and by code', () => {
    expect(through([{ kind: 'typed', text: 'BIEREAU' }])).toEqual(['Biéreau']);
    expect(through([{ kind: 'typed', text: 'saintes ha' }])).toEqual(['Hain']);
    expect(through([{ kind: 'typed', text: 'lln' }])).toEqual(['Biéreau']);
    expect(through([{ kind: 'typed', text: 'nowhere' }])).toEqual([]);
  });

  test('by state, and all again when pressed twice', () => {
    expect(through([{ kind: 'state', state: 'unusable' }])).toEqual(['Hain']);
    expect(through([{ kind: 'state', state: 'unusable' }, { kind: 'state', state: 'unusable' }])).toHaveLength(2);
  });

  test('by center, and cleared', () => {
    expect(through([{ kind: 'center', center: 'sai' }])).toEqual(['Hain']);
    expect(through([{ kind: 'center', center: 'sai' }, { kind: 'cleared' }])).toHaveLength(2);
  });
});
