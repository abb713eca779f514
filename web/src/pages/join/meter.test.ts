import { describe, expect, test } from 'vitest';
import { fall, level, listen, verdict, type Hearing } from './meter';

function tone(amplitude: number): Float32Array {
  return Float32Array.from({ length: 1024 }, (_, at) => amplitude * Math.sin((2 * Math.PI * at) / 32));
}

describe('the level', () => {
  test('silence is empty, a shout is full', () => {
    expect(level(new Float32Array(1024))).toBe(0);
    expect(level(tone(1))).toBe(1);
    expect(level(new Float32Array(0))).toBe(0);
  });

  test('follows decibels: ten times less is 20 dB, five twelfths of the scale', () => {
    const loud = level(tone(Math.SQRT2 * 10 ** (-20 / 20))); // -20 dBFS
    const soft = level(tone(Math.SQRT2 * 10 ** (-40 / 20))); // -40 dBFS
    expect(loud).toBeCloseTo(40 / 48, 2);
    expect(loud - soft).toBeCloseTo(20 / 48, 2);
  });

  test('rises at once and falls slowly', () => {
    expect(fall(0.1, 0.9, 0.05)).toBe(0.9);
    expect(fall(0.9, 0, 0.05)).toBeCloseTo(0.84);
    expect(fall(0.1, 0, 10)).toBe(0);
  });
});

describe('what is told', () => {
  const start: Hearing = { heardAt: null, signalAt: 0 };
  const hiss = listen(start, 0.05, 3);

  test('asks for a word, hears it, and forgets it after a while', () => {
    expect(verdict(hiss, true, 3)).toBe('waiting');
    const spoken = listen(hiss, 0.6, 4);
    expect(verdict(spoken, true, 5)).toBe('heard');
    expect(verdict(listen(spoken, 0.05, 15), true, 15)).toBe('waiting');
  });

  test('no signal at all is a muted device', () => {
    expect(verdict(listen(start, 0, 3), true, 3)).toBe('waiting');
    expect(verdict(listen(start, 0, 5), true, 5)).toBe('dead');
    expect(verdict(listen(listen(start, 0, 5), 0.05, 6), true, 6)).toBe('waiting');
  });

  test('a closed microphone is closed', () => {
    expect(verdict(start, false, 99)).toBe('off');
  });
});
