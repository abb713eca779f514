/**
 * When a page tries again after its media connection broke.
 *
 * livekit-client's own pauses grow from 0.3 s to 7 s, each up to half as long again, and after a restart of the server the
 * first try that gets through only learns that it has to join anew: seven seconds more. A server is back within seconds, so
 * until then a try costs little; later the pauses grow, and at last the page takes over with a fresh token.
 */
import type { ReconnectPolicy } from 'livekit-client';
import { backOff } from './live';

const SOON_MS = 15_000;
const SHORT_MS = 500; // to twice as much, by chance: not everybody at the same moment
const GIVE_UP_MS = 60_000;

export function retryDelay(tries: number, elapsedMs: number, random: number): number | null {
  if (elapsedMs > GIVE_UP_MS) return null;
  return elapsedMs < SOON_MS ? SHORT_MS * (1 + random) : backOff(tries, random);
}

export const reconnectPolicy: ReconnectPolicy = {
  nextRetryDelayInMs: ({ retryCount, elapsedMs }) => retryDelay(retryCount, elapsedMs, Math.random()),
};
