/** Nothing stays on the same pixels for hours: the picture walks a small circle, the standby clock a large one. Pure. */

/** Seconds between two steps. */
const STEP = 120;
const POINTS = [[0, 0], [1, 0], [1, 1], [0, 1], [-1, 1], [-1, 0], [-1, -1], [0, -1], [1, -1]] as const;

export interface Shift {
  /** −1…1 of the reach that the scene allows. */
  readonly x: number;
  readonly y: number;
}

/** Where the picture is at `now` (Unix seconds). */
export function shift(now: number): Shift {
  const [x, y] = POINTS[Math.floor(now / STEP) % POINTS.length] ?? [0, 0];
  return { x, y };
}
