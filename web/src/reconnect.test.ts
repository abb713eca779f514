import { describe, expect, it } from 'vitest';
import { retryDelay } from './reconnect';

/** The moments of every try of a client whose tries all fail at once, ms after the connection broke. */
function tries(random: number): number[] {
  const at: number[] = [];
  for (let now = 0; ; ) {
    const pause = retryDelay(at.length, now, random);
    if (pause === null) return at;
    now += pause;
    at.push(now);
  }
}

describe.each([0, 0.5, 0.999])('with chance %f', (random) => {
  it('tries twice within two seconds at any time of the first fifteen', () => {
    for (let from = 0; from < 13_000; from += 100) {
      expect(tries(random).filter((at) => at >= from && at <= from + 2000).length).toBeGreaterThanOrEqual(2);
    }
  });

  it('slows down, and leaves it to the page within about a minute', () => {
    const all = tries(random);
    const last = all.at(-1) ?? 0;
    expect(last).toBeGreaterThan(60_000);
    expect(last).toBeLessThan(75_000);
    expect(all.filter((at) => at > 16_000).length).toBeLessThan(10);
  });
});
