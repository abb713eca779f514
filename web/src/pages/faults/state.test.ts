import { describe, expect, it } from 'vitest';
import { active, allActive, byCenter, type FaultsEvent, type FaultsState, initial, readRooms, reduce, type Switch } from './state';

const room = (center: string, faults: string[] = [], agent = true) => ({
  name: 'Senne', center, agent, devices: { camera: { name: 'C', role: 'main_camera', faults, available: ['unplugged', 'reboot'] } },
});
const rooms = { 'sai-senne': room('sai'), 'lln-lauzelle': room('lln'), 'sai-hain': room('sai') };
const after = (...events: FaultsEvent[]): FaultsState => events.reduce(reduce, initial);
const unplug: Switch = { room: 'sai-senne', device: 'camera', fault: 'unplugged', on: true };

describe('faults', () => {
  it('start with the first room, and keep the one picked', () => {
    expect(after({ type: 'rooms', rooms }).picked).toBe('sai-senne');
    expect(after({ type: 'rooms', rooms }, { type: 'pick', room: 'sai-hain' }, { type: 'rooms', rooms }).picked).toBe('sai-hain');
  });

  it('show a press at once, and what came of it', () => {
    const asked = after({ type: 'rooms', rooms }, { type: 'asked', what: unplug });
    expect(active(asked, 'sai-senne', 'camera', 'unplugged')).toBe(true);
    const refused = reduce(asked, { type: 'refused', what: unplug });
    expect(active(refused, 'sai-senne', 'camera', 'unplugged')).toBe(false);
    expect(refused.refused).toBe(unplug);
    const done = reduce(asked, { type: 'done', what: unplug, room: room('sai', ['unplugged']) });
    expect(allActive(done)).toEqual([{ room: 'sai-senne', device: 'camera', fault: 'unplugged' }]);
  });

  it('count an agent that is away', () => {
    const state = after({ type: 'rooms', rooms: { 'lln-lauzelle': room('lln', [], false) } });
    expect(allActive(state)).toEqual([{ room: 'lln-lauzelle', device: 'agent', fault: 'gone' }]);
  });

  it('say when nothing answers, and keep what was known', () => {
    const state = after({ type: 'rooms', rooms }, { type: 'lost' });
    expect(state).toMatchObject({ lost: true, rooms });
    expect(reduce(state, { type: 'rooms', rooms }).lost).toBe(false);
  });

  it('group rooms by center in the order given', () => {
    expect(byCenter(rooms)).toEqual([['sai', ['sai-senne', 'sai-hain']], ['lln', ['lln-lauzelle']]]);
  });

  it('read only what is a room', () => {
    expect(readRooms({ rooms: { a: room('sai'), b: { name: 1 }, c: null } })).toEqual({ a: room('sai') });
    expect(readRooms('nonsense')).toBeNull();
    expect(readRooms({ rooms: [] })).toBeNull();
  });
});
