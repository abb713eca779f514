import { describe, expect, test } from 'vitest';
import type { DashboardRoom, Device } from '../../wire';
import { deviceRows, propertyRow, troubles } from './devices';

const NOW = 5000;

function device(id: string, more: Partial<Device> = {}): Device {
  return { id, role: 'main_camera', driver: 'visca', name: id, connection: 'online', ...more };
}

function room(...devices: Device[]): DashboardRoom {
  return { room: { id: 'a', name: 'A', center: 'lln', seats: 4 }, order: 0, verdict: { health: 'ready' }, phase: 'idle', devices: Object.fromEntries(devices.map((one) => [one.id, one])) };
}

describe('a silent device', () => {
  test('is an alarm only where a meeting needs it', () => {
    const silent = room(device('cam', { connection: 'unreachable' }), device('air', { role: 'air_sensor', connection: 'unreachable' }));
    expect(deviceRows(silent, true, NOW).map(({ state, answer }) => [state, answer])).toEqual([['unusable', 'silent'], ['degraded', 'silent']]);
  });
});

describe('asked, said and believed are three things', () => {
  test('what it said, when it is what was asked', () => {
    expect(propertyRow('power', { desired: 'on', reported: 'on', observed_at: NOW - 3 }, NOW)).toMatchObject({ said: 'on', believed: null, asked: null, at: NOW - 3 });
  });

  test('a wish it has not met is told beside its word', () => {
    expect(propertyRow('power', { desired: 'on', reported: 'warming' }, NOW)).toMatchObject({ said: 'warming', asked: 'on' });
    expect(propertyRow('mute', { desired: false, reported: true }, NOW)).toMatchObject({ said: true, asked: false });
  });

  test('a belief is not its word, and gives way to it', () => {
    expect(propertyRow('preset', { assumed: 1 }, NOW)).toMatchObject({ said: null, believed: 1 });
    expect(propertyRow('preset', { assumed: 1, reported: 2 }, NOW)).toMatchObject({ said: 2, believed: null });
  });

  test('volumes a device cannot tell apart are the same', () => {
    expect(propertyRow('volume', { desired: 0.6, reported: 0.604 }, NOW).asked).toBeNull();
    expect(propertyRow('volume', { desired: 0.6, reported: 0.7 }, NOW).asked).toBe(0.6);
  });

  test('slow changes count down from when they were observed', () => {
    expect(propertyRow('power', { reported: 'warming', observed_at: NOW - 5, remaining: 20, total: 30 }, NOW)).toMatchObject({ remaining: 15, share: 0.5 });
    expect(propertyRow('power', { reported: 'warming', observed_at: NOW - 90, remaining: 20, total: 30 }, NOW)).toMatchObject({ remaining: 0, share: 1 });
  });
});

describe('devices', () => {
  test('may have several things wrong with them', () => {
    expect(troubles(device('a'))).toEqual([]);
    expect(troubles(device('a', { fault: { code: 'x' }, besides: [{ code: 'y' }] }))).toEqual([{ code: 'x' }, { code: 'y' }]);
  });

  test('in the order of roles', () => {
    const rows = deviceRows(room(device('c', { role: 'room_speaker' }), device('b'), device('a', { role: 'front_display' })), true, NOW);
    expect(rows.map((row) => row.device.id)).toEqual(['a', 'b', 'c']);
  });

  test('answers, is silent, or is not known while the room is silent', () => {
    const rooms = room(device('a'), device('b', { connection: 'unreachable' }), device('c', { connection: 'connecting' }), device('d', { fault: { code: 'x' } }));
    expect(deviceRows(rooms, true, NOW).map((row) => [row.state, row.answer])).toEqual([['ready', 'answers'], ['unusable', 'silent'], ['unknown', 'connecting'], ['degraded', 'answers']]);
    expect(deviceRows(rooms, false, NOW).map((row) => row.state)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  });
});
