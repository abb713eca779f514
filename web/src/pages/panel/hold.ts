/** A held camera key: the move is sent at once and renewed until release, which sends one stop. */

export type Direction = 'up' | 'down' | 'left' | 'right' | 'in' | 'out';

/** Speeds −1…1: pan to the right, tilt up, zoom in are positive. */
export const MOVES: Record<Direction, { pan: number; tilt: number; zoom: number }> = {
  up: { pan: 0, tilt: 0.5, zoom: 0 },
  down: { pan: 0, tilt: -0.5, zoom: 0 },
  left: { pan: -0.5, tilt: 0, zoom: 0 },
  right: { pan: 0.5, tilt: 0, zoom: 0 },
  in: { pan: 0, tilt: 0, zoom: 0.5 },
  out: { pan: 0, tilt: 0, zoom: -0.5 },
};

/** Milliseconds between renewals; the camera stops by itself after 500 ms without one. */
export const RENEW_EVERY = 250;

/** One held key at a time. */
export class Hold {
  readonly #move: (direction: Direction) => void;
  readonly #stop: () => void;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(move: (direction: Direction) => void, stop: () => void) {
    this.#move = move;
    this.#stop = stop;
  }

  /** Start moving; a key held before is let go first. */
  press(direction: Direction): void {
    this.release();
    this.#move(direction);
    this.#timer = setInterval(() => this.#move(direction), RENEW_EVERY);
  }

  /** Stop, if something moves. */
  release(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stop();
  }
}
