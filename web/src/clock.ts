/**
 * Time as the server has it. The page's HTML carries the server's clock; the person's may be minutes off, and an age
 * computed with it would lie.
 */
import { signal } from '@preact/signals';

let offsetMs = 0;

/** Set the server's clock from the time in the page (Unix seconds) and when the page began to arrive (Unix ms, ours). */
export function setServerClock(serverSeconds: number, arrivedMs: number): void {
  offsetMs = serverSeconds * 1000 - arrivedMs;
}

/** The server's time now, in Unix seconds. */
export function serverNow(): number {
  return (Date.now() + offsetMs) / 1000;
}

/** The server's time in Unix seconds, moving on each second while the page is seen: read it where ages are shown. */
export const now = signal(Date.now() / 1000);

/** Start the ticking. Returns what stops it. */
export function startClock(): () => void {
  const tick = (): void => {
    now.value = serverNow();
  };
  tick();
  const timer = setInterval(tick, 1000);
  document.addEventListener('visibilitychange', tick);
  return () => {
    clearInterval(timer);
    document.removeEventListener('visibilitychange', tick);
  };
}
