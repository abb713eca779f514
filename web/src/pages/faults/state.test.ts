import { describe, expect, it } from 'vitest';
import { active, allActive, byCenter, EVERYWHERE, type FaultsEvent, type FaultsState, initial, missing, readRoom, readRooms, readSaid, reduce, type Switch } from './state';

const room = (center: string, faults: string[] = [], agent = true) => ({
  name: 'Senne', center, agent, devices: { camera: { name: 'C', role: 'main_camera', faults, available: ['unplugged', 'reboot'], acts: [], shows: {}, missing: '' } },
});
const rooms = { 'sai-senne': room('sai'), 'lln-lauzelle': room('lln'), 'sai-hain': room('sai') };
const after = (...events: FaultsEvent[]): FaultsState => events.reduce(reduce, initial);
const unplug: Switch = { room: 'sai-senne', device: 'camera', fault: 'unplugged', on: true };

describe('faults', () => {
  it('start with the first room, and keep the one picked', () => {
    expect(after({ type: 'rooms', said: {}, rooms }).picked).toBe('sai-senne');
    expect(after({ type: 'rooms', said: {}, rooms }, { type: 'pick', room: 'sai-hain' }, { type: 'rooms', said: {}, rooms }).picked).toBe('sai-hain');
  });

  it('show a press at once, and what came of it', () => {
    const asked = after({ type: 'rooms', said: {}, rooms }, { type: 'asked', what: unplug });
    expect(active(asked, 'sai-senne', 'camera', 'unplugged')).toBe(true);
    const refused = reduce(asked, { type: 'refused', what: unplug });
    expect(active(refused, 'sai-senne', 'camera', 'unplugged')).toBe(false);
    expect(refused.refused).toBe(unplug);
    const done = reduce(asked, { type: 'done', what: unplug, room: room('sai', ['unplugged']) });
    expect(allActive(done)).toEqual([{ room: 'sai-senne', device: 'camera', fault: 'unplugged' }]);
  });

  it('count an agent that is away', () => {
    const state = after({ type: 'rooms', said: {}, rooms: { 'lln-lauzelle': room('lln', [], false) } });
    expect(allActive(state)).toEqual([{ room: 'lln-lauzelle', device: 'agent', fault: 'gone' }]);
  });

  it('say when nothing answers, and keep what was known', () => {
    const state = after({ type: 'rooms', said: {}, rooms }, { type: 'lost' });
    expect(state).toMatchObject({ lost: true, rooms });
    expect(reduce(state, { type: 'rooms', said: {}, rooms }).lost).toBe(false);
  });

  it('group rooms by center in the order given', () => {
    expect(byCenter(rooms)).toEqual([['sai', ['sai-senne', 'sai-hain']], ['lln', ['lln-lauzelle']]]);
  });

  it('keep what all rooms rest on apart from the rooms, without a computer', () => {
    const all = { ...rooms, [EVERYWHERE]: room('', ['unplugged'], false) };
    expect(byCenter(all)).toEqual(byCenter(rooms));
    expect(allActive(after({ type: 'rooms', rooms: all, said: {} }))).toEqual([{ room: EVERYWHERE, device: 'camera', fault: 'unplugged' }]);
  });

  it('show what a hand did, or that it did nothing', () => {
    const what = { room: 'sai-hain', device: 'camera', act: 'press' };
    const state = after({ type: 'rooms', said: {}, rooms }, { type: 'acted', what, room: null });
    expect(state.refused).toBe(what);
    const done = reduce(state, { type: 'acted', what, room: room('sai', ['reboot']) });
    expect(done.refused).toBeNull();
    expect(done.rooms?.['sai-hain']?.devices['camera']?.faults).toEqual(['reboot']);
  });

  it('name each missing package once', () => {
    const read = (name: string) => readRoom({ name, center: 'c', devices: { a: { name, role: 'ups', faults: [], available: [], missing: 'nut-server', shows: { charge: 3, odd: [] } } } });
    const [one, two] = [read('a'), read('b')];
    if (one === null || two === null) throw new Error('not read');
    expect(missing({ one, two })).toEqual(['nut-server']);
    expect(one.devices['a']?.shows).toEqual({ charge: 3 });
  });

  it('read what rooms say, and nothing that is no notice', () => {
    const said = { a: { camera: [{ code: 'device.unplugged', args: { device: 'C' } }, { code: 3 }, null], ups: 'x' }, b: null };
    expect(readSaid({ rooms: {}, said })).toEqual({ a: { camera: [{ code: 'device.unplugged', args: { device: 'C' } }], ups: [] }, b: {} });
    expect([readSaid(null), readSaid({ said: [] })]).toEqual([{}, {}]);
  });

  it('read only what is a room', () => {
    expect(readRooms({ rooms: { a: room('sai'), b: { name: 1 }, c: null } })).toEqual({ a: room('sai') });
    expect(readRooms('nonsense')).toBeNull();
    expect(readRooms({ rooms: [] })).toBeNull();
  });
});
