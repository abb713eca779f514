import { describe, expect, test } from 'vitest';
import { captured, faultOf, fresh, isLive, type Capture, type CaptureEvent } from './capture';

const track = { kind: 'video' } as MediaStreamTrack;
const start = fresh({ mic: 'm1', camera: null, speaker: null, micOn: true, cameraOn: true });
const after = (...events: CaptureEvent[]): Capture => events.reduce(captured, start);

describe('camera and microphone', () => {
  test('start as they were left', () => {
    expect(start.mic).toMatchObject({ on: true, chosen: 'm1', track: null });
    expect(fresh({ mic: null, camera: null, speaker: null, micOn: true, cameraOn: false }).camera.on).toBe(false);
  });

  test('open, close and remember which device it is', () => {
    const opened = after({ kind: 'opening', source: 'camera' }, { kind: 'opened', source: 'camera', track, device: 'c1' });
    expect(opened.camera).toEqual({ on: true, opening: false, track, fault: null, chosen: 'c1' });
    expect(isLive(opened.camera)).toBe(true);
    expect(isLive(captured(opened, { kind: 'switched', source: 'camera', on: false }).camera)).toBe(false);
    expect(opened.mic).toBe(start.mic);
  });

  test('an unplugged camera is missing until another opens', () => {
    const gone = after({ kind: 'opened', source: 'camera', track, device: 'c1' }, { kind: 'ended', source: 'camera' });
    expect(gone.camera).toMatchObject({ track: null, fault: 'missing', on: true });
    expect(captured(gone, { kind: 'opening', source: 'camera' }).camera.fault).toBeNull();
  });

  test.each([
    ['NotAllowedError', 'refused'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['AbortError', 'busy'],
  ])('%s is %s', (name, fault) => {
    expect(faultOf(new DOMException('', name))).toBe(fault);
  });
});
