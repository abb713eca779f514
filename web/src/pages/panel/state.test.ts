import { describe, expect, it } from 'vitest';
import type { Code, DeviceResult, PanelAction, PanelView } from '../../wire';
import { seen as seenByOthers } from './CameraColumn';
import { PATIENCE, stepped, switchOf, volumeOf } from './asked';
import { calling, device, meeting, NOW, running, view } from './sample';
import { busy, initial, type PanelEvent, type PanelState, reduce } from './state';

const after = (...events: PanelEvent[]): PanelState => events.reduce(reduce, initial);
const seen = (of: PanelView, now = NOW): PanelEvent => ({ type: 'view', view: of, now });
const sent = (action: Omit<PanelAction, 'id'>, id = 1): PanelEvent => ({ type: 'sent', action: { ...action, id }, now: NOW });
const micOf = (state: PanelState) => switchOf(state.wishes.mic, state.view?.media?.mic_wanted ?? false, state.view?.media?.mic ?? false);

describe('a press', () => {
  it('shows at once, then gives way to the confirmed state', () => {
    const pressed = after(seen(running()), sent({ op: 'set_mic', on: false }));
    expect(micOf(pressed)).toEqual({ on: false, confirmed: false });
    const wanted = running({ media: { ...running().media, mic: false, mic_wanted: false } });
    const confirmed = reduce(pressed, seen(wanted));
    expect(micOf(confirmed)).toEqual({ on: false, confirmed: true });
    expect(confirmed.wishes.mic).toBeUndefined();
  });

  it('is taken back when it is refused', () => {
    const state = reduce(after(seen(running()), sent({ op: 'set_mic', on: false })), {
      type: 'result', result: { type: 'result', id: 1, problem: { code: 'device_timed_out', message: '' } },
    });
    expect(micOf(state)).toEqual({ on: true, confirmed: true });
    expect(state.refusal).toMatchObject({ op: 'set_mic', problem: { code: 'device_timed_out' } });
  });

  it('that a device could not do is taken back and told with the device’s own reason', () => {
    const recall: PanelEvent = sent({ op: 'device', command: { role: 'main_camera', op: 'recall_preset', args: { preset: 1 } } });
    const answered = (outcome: DeviceResult['outcome'], code?: Code): PanelState => reduce(after(seen(running()), recall), {
      type: 'result', result: { type: 'result', id: 1, devices: [{ device: 'camera', op: 'recall_preset', outcome, ...(code === undefined ? {} : { code }) }] },
    });
    expect(answered('failed', 'device_unreachable')).toMatchObject({ wishes: {}, refusal: { op: 'device', problem: { code: 'device_unreachable' } } });
    expect(answered('timed_out').refusal).toMatchObject({ problem: { code: 'device_timed_out' } });
    expect(answered('unsupported').refusal).toMatchObject({ problem: { code: 'device_unsupported' } });
    for (const fine of ['done', 'accepted', 'superseded'] as const) {
      expect(answered(fine)).toMatchObject({ wishes: { preset: { value: '1' } }, refusal: null });
    }
  });

  it('is forgotten when nothing confirms it', () => {
    const state = reduce(after(seen(running()), sent({ op: 'set_mic', on: false })), { type: 'tick', now: NOW + PATIENCE });
    expect(micOf(state).on).toBe(true);
  });

  it('sets the volume on tenths', () => {
    const state = after(seen(running()), sent({ op: 'set_volume', volume: 0.7 }));
    expect(volumeOf(state.wishes, running())).toEqual({ value: 0.7, confirmed: false });
    expect([stepped(0.6, 1), stepped(0.6, -1), stepped(0.64, 1), stepped(0.64, -1), stepped(1, 1), stepped(0, -1)]).toEqual([0.7, 0.5, 0.7, 0.6, 1, 0]);
  });

  it('shows what the speakers say at rest, what was set in a meeting', () => {
    const media = { volume: 1, volume_wanted: 0.5 };
    expect(volumeOf({}, view({ media }))).toEqual({ value: 1, confirmed: true });
    expect(volumeOf({}, view({ media: { volume_wanted: 0.5 } }))).toEqual({ value: 0.5, confirmed: false });
    expect(volumeOf({}, running({ media }))).toEqual({ value: 0.5, confirmed: false });
  });

  it('claims nobody sees or hears a room that is alone', () => {
    const others = running();
    expect(seenByOthers(after(seen(others)), others).title).not.toBe('panel.seen.alone');
    const own = { 'room:lln-lauzelle': { id: 'room:lln-lauzelle', kind: 'room' as const, name: 'Lauzelle' } };
    const left = running({ meeting: { ...meeting([{ id: 'lln-lauzelle', call: 'joined' }], []), participants: own } });
    expect(seenByOthers(after(seen(left)), left)).toMatchObject({ state: 'live', title: 'panel.seen.alone' });
  });

  it('never claims that the others see or hear what a silent device would have to say', () => {
    const lost = (...roles: ('main_camera' | 'room_mic')[]): string => {
      const blind = roles.includes('main_camera');
      const open = { connected: true, mic: true, mic_wanted: true, camera: !blind, camera_silent: blind, camera_wanted: true };
      const devices = Object.fromEntries((['main_camera', 'room_mic'] as const).map((role) => [role, device({ id: role, role, connection: roles.includes(role) ? 'unreachable' : 'online' })]));
      const of = running({ devices, media: open });
      return seenByOthers(after(seen(of)), of).title;
    };
    expect([lost(), lost('main_camera'), lost('room_mic'), lost('main_camera', 'room_mic')]).toEqual([
      'panel.seen.both', 'panel.seen.heard_unsure', 'panel.seen.seen_unsure', 'panel.seen.both_unsure',
    ]);
  });

  it('claims that the others see a picture that is known to go out, though the control of its camera is silent', () => {
    const devices = { cam: device({ id: 'cam', role: 'main_camera', connection: 'unreachable' }) };
    const of = running({ devices, media: { connected: true, mic: true, mic_wanted: true, camera: true, camera_wanted: true } });
    expect(seenByOthers(after(seen(of)), of)).toMatchObject({ state: 'ready', title: 'panel.seen.both' });
  });

  it('recalls a preset until the camera says so', () => {
    const camera = device({ id: 'cam', role: 'main_camera', properties: { preset: { reported: 1 } } });
    const press = sent({ op: 'device', command: { role: 'main_camera', op: 'recall_preset', args: { preset: 2 } } });
    const state = after(seen(running({ devices: { cam: camera } })), press);
    expect(state.wishes.preset?.value).toBe('2');
    const there = { ...camera, properties: { preset: { reported: 2 } } };
    expect(reduce(state, seen(running({ devices: { cam: there } }))).wishes.preset).toBeUndefined();
  });

  it('that nobody answers is told', () => {
    const state = reduce(after(seen(running()), sent({ op: 'invite' })), { type: 'tick', now: NOW + 30 });
    expect(busy(state, 'invite')).toBe(false);
    expect(state.refusal).toMatchObject({ op: 'invite', problem: { code: 'unavailable' } });
  });

  it('is dropped when the room is out of reach', () => {
    const state = reduce(after(seen(running()), sent({ op: 'set_mic', on: false })), { type: 'reach', reach: 'lost' });
    expect(state).toMatchObject({ reach: 'lost', waiting: [], wishes: {} });
  });
});

describe('calling', () => {
  const open: PanelEvent = { type: 'open', sheet: { kind: 'call', adding: false, center: null, chosen: [], query: '' } };
  const chosen = (state: PanelState) => (state.sheet.kind === 'call' ? state.sheet.chosen : null);

  it('chooses rooms of several centers, and takes one back', () => {
    const both = after(seen(view()), open, { type: 'room', room: 'sai-senne' }, { type: 'center', center: 'msg' }, { type: 'room', room: 'msg-orne' });
    expect(chosen(both)).toEqual(['sai-senne', 'msg-orne']);
    expect(chosen(reduce(both, { type: 'room', room: 'sai-senne' }))).toEqual(['msg-orne']);
  });

  it('never chooses a room that cannot be called, or no longer can', () => {
    const state = after(seen(view()), open, { type: 'room', room: 'sai-hain' }, { type: 'room', room: 'sai-senne' });
    expect(chosen(state)).toEqual(['sai-senne']);
    const gone = view();
    const senne = gone.directory?.rooms?.['sai-senne'];
    if (senne !== undefined) senne.availability = 'busy';
    expect(chosen(reduce(state, seen(gone)))).toEqual([]);
  });

  it('remembers whom it calls until the server says, and says who did not answer', () => {
    const started = after(seen(view()), open, sent({ op: 'start', rooms: ['sai-senne'] }));
    expect(started.calling).toEqual(['sai-senne']);
    const declined = { ...calling(), meeting: meeting([{ id: 'sai-senne', call: 'declined' as const }]) };
    const over = [seen(calling()), seen(declined), seen(view())].reduce(reduce, started);
    expect(over.outcome?.rooms).toMatchObject([{ how: 'declined' }]);
    expect(over.sheet.kind).toBe('none');
    expect(reduce(over, { type: 'dismiss' }).outcome).toBeNull();
  });

  it('says nothing of a call that was cancelled here', () => {
    const cancelled = after(seen(view()), sent({ op: 'start', rooms: ['sai-senne'] }), seen(calling()), sent({ op: 'cancel' }, 2), seen(view()));
    expect(cancelled.outcome).toBeNull();
  });

  it('keeps the choice when the call is refused', () => {
    const state = reduce(after(seen(view()), open, { type: 'room', room: 'sai-senne' }, sent({ op: 'start', rooms: ['sai-senne'] })), {
      type: 'result', result: { type: 'result', id: 1, problem: { code: 'room_busy', message: '', room: 'sai-senne', instead: 'sai-coeurcq' } },
    });
    expect(chosen(state)).toEqual(['sai-senne']);
    expect(state.refusal?.problem).toMatchObject({ room: 'sai-senne', instead: 'sai-coeurcq' });
  });
});

describe('sheets', () => {
  it('close for a call that comes in, and with the meeting', () => {
    const help = after(seen(view()), { type: 'open', sheet: { kind: 'help' } });
    expect(reduce(help, seen(view({ phase: 'ringing' }))).sheet.kind).toBe('none');
    const end = after(seen(running()), { type: 'open', sheet: { kind: 'end' } });
    expect(reduce(end, seen(view())).sheet.kind).toBe('none');
  });

  it('of a participant go with the participant', () => {
    const state = after(seen(running()), { type: 'open', sheet: { kind: 'participant', id: 'guest:koen' } });
    expect(state.sheet.kind).toBe('participant');
    expect(reduce(state, seen(running({ meeting: meeting([{ id: 'sai-senne', call: 'joined' }]) }))).sheet.kind).toBe('none');
  });

  it('do not close another that opened meanwhile', () => {
    const state = after(seen(running()), { type: 'open', sheet: { kind: 'end' } }, { type: 'close', kind: 'help' });
    expect(state.sheet.kind).toBe('end');
  });

  it('count the meetings that ended', () => {
    expect(after(seen(running()), seen(view()), seen(running()), seen(view())).ended).toBe(2);
  });
});
