import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import french from '../../../.build/catalogs/fr.json';
import { use } from '../../i18n';
import { answerOf } from './answer';
import { volumeOf } from './asked';
import { cameraControl, deviceRows, displayControl, hasVolume, kindOf, losses, surroundings, working } from './equipment';
import { Hold, RENEW_EVERY } from './hold';
import { count, rows } from './roster';
import { device, meeting, NOW, running, view } from './sample';

describe('devices', () => {
  const warming = { desired: 'on', reported: 'warming', observed_at: NOW - 3, remaining: 20, total: 35 };
  const projector = device({ id: 'p', role: 'front_display', driver: 'pjlink', capabilities: ['power'], properties: { power: warming } });

  it('count on from what the projector said', () => {
    const [row] = deviceRows(view({ devices: { p: projector } }), NOW);
    expect(row).toMatchObject({ kind: 'projector', power: 'warming', remaining: 17, evidence: 'reported' });
    expect(row?.progress).toBeCloseTo(1 - 17 / 35);
  });

  it('come in the order of roles, whatever their ids', () => {
    const list = { a: device({ id: 'a', role: 'room_mic' }), p: projector, c: device({ id: 'c', role: 'main_camera' }) };
    expect(deviceRows(view({ devices: list }), NOW).map(({ id }) => id)).toEqual(['p', 'c', 'a']);
    expect(kindOf(device({ id: 's', role: 'second_display', driver: 'cec' }))).toBe('screen');
  });

  it('tell what is only assumed, and what nobody knows', () => {
    const assumed = { ...projector, properties: { power: { assumed: 'on' } } };
    expect(deviceRows(view({ devices: { p: assumed } }), NOW)[0]).toMatchObject({ power: 'on', evidence: 'assumed' });
    expect(deviceRows(view({ devices: { p: { ...projector, properties: {} } } }), NOW)[0]).toMatchObject({ power: 'unknown', evidence: 'none' });
  });

  it('have camera keys only where the camera can move', () => {
    expect(cameraControl(view())).toBeNull();
    expect(cameraControl(view({ devices: { c: device({ id: 'c', role: 'main_camera', capabilities: ['power'] }) } }))).toBeNull();
    const camera = device({ id: 'c', role: 'main_camera', capabilities: ['ptz', 'presets'], presets: { 10: 'Ten', 2: 'Two' }, properties: { preset: { reported: 2 } } });
    expect(cameraControl(view({ devices: { c: camera } }))).toMatchObject({
      moves: { panTilt: true, zoom: true }, presets: [{ number: '2', name: 'Two', selected: true }, { number: '10', selected: false }],
    });
  });

  it('have keys for those axes alone that the camera has', () => {
    const moves = (axes: string[]) => cameraControl(view({ devices: { c: device({ id: 'c', role: 'main_camera', capabilities: ['ptz'], axes }) } }))?.moves;
    expect(moves(['zoom'])).toEqual({ panTilt: false, zoom: true });
    expect(moves(['pan_tilt'])).toEqual({ panTilt: true, zoom: false });
    expect(moves(['pan_tilt', 'zoom'])).toEqual({ panTilt: true, zoom: true });
  });

  it('have a framing key only where the camera can frame, showing what was asked meanwhile', () => {
    const camera = (more: object) => view({ devices: { c: device({ id: 'c', role: 'main_camera', capabilities: ['framing'], ...more }) } });
    expect(cameraControl(camera({ properties: { framing: { reported: false, desired: true } } }))?.framing).toEqual({ on: false, asked: true });
    expect(cameraControl(camera({ properties: { framing: { reported: true, desired: true } } }))?.framing).toEqual({ on: true, asked: null });
    expect(cameraControl(camera({ capabilities: ['ptz'] }))?.framing).toBeNull();
  });

  it('offer of a display what it can do, and only that', () => {
    const television = device({ id: 's', role: 'front_display', driver: 'cec', capabilities: ['power', 'input'], inputs: ['PC', 'Table'], properties: { power: { reported: 'on' }, input: { assumed: 'PC', desired: 'Table' } } });
    expect(displayControl(view({ devices: { s: television } }), 'front_display')).toMatchObject({
      blank: null, inputs: [{ name: 'PC', selected: true, asked: false }, { name: 'Table', selected: false, asked: true }],
    });
    expect(displayControl(view({ devices: { s: { ...television, inputs: ['PC'] } } }), 'front_display')?.inputs).toEqual([]);
    expect(displayControl(view(), 'second_display')).toBeNull();
    const beamer = (power: string) => ({ ...television, capabilities: ['power', 'blank'], properties: { power: { reported: power }, blank: { reported: false } } });
    expect(displayControl(view({ devices: { s: beamer('on') } }), 'front_display')?.blank).toBe(false);
    expect(displayControl(view({ devices: { s: beamer('warming') } }), 'front_display')?.blank).toBeNull();
    expect(deviceRows(view({ devices: { s: television, p: projector } }), NOW).map(({ adjustable }) => adjustable)).toEqual([false, true]);
  });

  it('that nobody operates are no rows, until people feel their trouble', () => {
    const fault = { code: 'device.on_battery' };
    const quiet = { u: device({ id: 'u', role: 'ups' }), n: device({ id: 'n', role: 'network_switch', connection: 'unreachable' }), k: device({ id: 'k', role: 'mute_button' }), a: device({ id: 'a', role: 'air_sensor', fault }) };
    expect(deviceRows(view({ devices: { p: projector, ...quiet } }), NOW).map(({ id }) => id)).toEqual(['p']);
    const felt = { ...quiet, u: { ...quiet.u, fault }, k: { ...quiet.k, connection: 'unreachable' as const } };
    expect(deviceRows(view({ devices: { p: projector, ...felt } }), NOW).map(({ id }) => id)).toEqual(['u', 'p', 'k']);
  });

  it('give volume keys only where something has a volume', () => {
    expect(hasVolume(view())).toBe(false);
    expect(hasVolume(view({ devices: { s: device({ id: 's', role: 'room_speaker', capabilities: ['mute'] }) } }))).toBe(false);
    expect(hasVolume(view({ devices: { s: device({ id: 's', role: 'room_speaker', capabilities: ['volume'] }) } }))).toBe(true);
  });

  it('show the volume that was turned at the loudspeakers, in a meeting too', () => {
    const speaker = (volume: object) => ({ s: device({ id: 's', role: 'room_speaker', capabilities: ['volume'], properties: { volume } }) });
    const media = { volume: 0.9, volume_wanted: 0.5 };
    expect(volumeOf({}, running({ media, devices: speaker({ reported: 0.9 }) })).value).toBe(0.9);
    expect(volumeOf({}, running({ media, devices: speaker({ reported: 0.9, desired: 0.5 }) })).value).toBe(0.5);
  });

  it('claim no volume of loudspeakers that do not answer', () => {
    const speaker = (id: string, connection: 'online' | 'unreachable') => ({ [id]: device({ id, role: 'room_speaker', connection, capabilities: ['volume'], properties: { volume: { reported: 0.5 } } }) });
    const media = { volume: 0.5, volume_wanted: 0.5 };
    expect(volumeOf({}, running({ media, devices: speaker('s', 'unreachable') }))).toEqual({ value: null, confirmed: false });
    expect(volumeOf({}, running({ media, devices: { ...speaker('s', 'unreachable'), ...speaker('t', 'online') } })).value).toBe(0.5);
  });

  it('say what the sensors say, as old as the oldest of it, and nothing of silent ones', () => {
    const people = device({ id: 'o', role: 'occupancy_sensor', properties: { occupied: { reported: true, observed_at: NOW - 5 }, people: { reported: 3, observed_at: NOW - 5 }, battery: { reported: 80, observed_at: NOW - 99 } } });
    const air = device({ id: 'a', role: 'air_sensor', properties: { co2: { reported: 640, observed_at: NOW - 30 }, temperature: { reported: null } } });
    expect(surroundings(view({ devices: { people, air } }))).toEqual({ occupied: true, people: 3, co2: 640, temperature: null, at: NOW - 30 });
    expect(surroundings(view({ devices: { people, air: { ...air, connection: 'unreachable' } } }))).toMatchObject({ co2: null, at: NOW - 5 });
    expect(surroundings(view({ devices: { people: { ...people, connection: 'unreachable' } } }))?.at).toBeNull();
    expect(surroundings(view())).toBeNull();
  });

  it('report what a scene could not do, not what was replaced', () => {
    const results = (['done', 'superseded', 'failed', 'timed_out'] as const).map((outcome) => ({ device: 'p', op: outcome, outcome }));
    expect(losses(view({ results })).map(({ op }) => op)).toEqual(['failed', 'timed_out']);
  });
});

describe('people', () => {
  it('are rooms first, the own one on top, then people, then who is still called', () => {
    const of = running();
    const more = { ...of, meeting: { ...meeting([...Object.values(of.meeting?.rooms ?? {}), { id: 'msg-orne', call: 'ringing', until: NOW + 9 }, { id: 'red-lesse', call: 'left' }]), participants: of.meeting?.participants ?? {} } };
    const list = rows(more, NOW);
    expect(list.map(({ name }) => name)).toEqual(['Lauzelle', 'Senne', 'Koen Peeters', 'Orne']);
    expect(list.at(-1)).toMatchObject({ call: 'ringing', left: 9 });
    expect(count(list)).toEqual({ rooms: 2, people: 1 });
  });

  it('have the own microphone as it is confirmed here', () => {
    const [own] = rows(running({ media: { mic: false } }), NOW);
    expect(own).toMatchObject({ own: true, mic: false });
  });
});

describe('the room', () => {
  it('is ready only on fresh evidence', () => {
    expect(answerOf(view(), 'open', NOW)).toMatchObject({ state: 'ready', cannotCall: null, checkedAt: NOW - 10 });
    expect(answerOf(view(), 'open', NOW + 600)).toMatchObject({ state: 'unknown', words: 'panel.state.old' });
    expect(answerOf(view({ verdict: null }), 'open', NOW)).toMatchObject({ state: 'unknown' });
  });

  it('cannot call when it is out of use', () => {
    expect(answerOf(view({ verdict: { health: 'unusable', observed_at: NOW } }), 'open', NOW).cannotCall).toBe('panel.cannot.unusable');
    expect(answerOf(view({ verdict: { health: 'degraded', observed_at: NOW } }), 'open', NOW).cannotCall).toBeNull();
  });

  it('tells who stands there what they can do, and of what only IT can mend what works', () => {
    use('fr', french);
    const because = [{ code: 'device.garbage', args: { device: 'Caméra' } }];
    const answer = (code: string) => answerOf(view({ verdict: { health: 'unusable', because, next_step: { code }, who: 'Accueil', observed_at: NOW } }), 'open', NOW);
    expect(answer('device.garbage.next')).toMatchObject({ next: null, others: true, who: 'Accueil' });
    expect(answer('health.next.check_network')).toMatchObject({ next: null, others: true });
    expect(answer('device.unplugged.next')).toMatchObject({ next: { code: 'device.unplugged.next' }, others: false });
    const fault = { code: 'device.garbage' };
    const list = { c: device({ id: 'c', role: 'main_camera', fault }), m: device({ id: 'm', role: 'room_mic' }), s: device({ id: 's', role: 'room_speaker', connection: 'unreachable' }), u: device({ id: 'u', role: 'ups', fault }) };
    expect(working(deviceRows(view({ devices: list }), NOW)).map(({ id }) => id)).toEqual(['m']);
  });

  it('cannot call without server or agent, and says which', () => {
    expect(answerOf(view({ server: false }), 'open', NOW)).toMatchObject({ state: 'unknown', cannotCall: 'panel.cannot.server' });
    expect(answerOf(view(), 'lost', NOW)).toMatchObject({ title: 'panel.lost.title', cannotCall: 'panel.cannot.lost' });
    expect(answerOf(view({ phase: 'maintenance' }), 'open', NOW)).toMatchObject({ state: 'maintenance', cannotCall: 'panel.cannot.maintenance' });
  });
});

describe('a held camera key', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it('moves at once, is renewed, and stops once', () => {
    const log: string[] = [];
    const hold = new Hold((direction) => log.push(direction), () => log.push('stop'));
    hold.press('left');
    vi.advanceTimersByTime(2 * RENEW_EVERY);
    hold.release();
    hold.release();
    vi.advanceTimersByTime(10 * RENEW_EVERY);
    expect(log).toEqual(['left', 'left', 'left', 'stop']);
  });

  it('lets the first go when a second is pressed', () => {
    const log: string[] = [];
    const hold = new Hold((direction) => log.push(direction), () => log.push('stop'));
    hold.press('left');
    hold.press('up');
    hold.release();
    expect(log).toEqual(['left', 'stop', 'up', 'stop']);
  });
});
