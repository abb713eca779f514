/** How loud a voice is. The arithmetic is pure; `Meter` reads it from a microphone track. */

/** dBFS shown as an empty and as a full level. */
const QUIET = -60;
const LOUD = -12;
/** Levels (0..1) above which someone is heard, and below which a microphone is silent as if switched off. */
const HEARD = 0.22;
const DEAD = 0.002;

/** 0..1 from samples in -1..1: their RMS on a decibel scale. */
export function level(samples: Float32Array): number {
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const decibels = 10 * Math.log10(sum / Math.max(samples.length, 1) + 1e-12);
  return Math.min(1, Math.max(0, (decibels - QUIET) / (LOUD - QUIET)));
}

/** Up at once, down slowly, as meters do; `seconds` since the last value. */
export function fall(before: number, next: number, seconds: number): number {
  return Math.max(next, before - 1.2 * seconds);
}

/** What the meter has to say. `dead`: not even the hiss of a room for a while. */
export type Heard = 'off' | 'dead' | 'waiting' | 'heard';

/** What has been heard so far. */
export interface Hearing {
  readonly heardAt: number | null; // seconds, any clock
  readonly signalAt: number; // last time there was any sound at all
}

/** The hearing after a level at `at`. */
export function listen(hearing: Hearing, value: number, at: number): Hearing {
  return { heardAt: value > HEARD ? at : hearing.heardAt, signalAt: value > DEAD ? at : hearing.signalAt };
}

/** What to tell at `at`; `on` is whether the microphone is meant to be open. */
export function verdict(hearing: Hearing, on: boolean, at: number): Heard {
  if (!on) return 'off';
  if (at - hearing.signalAt > 4) return 'dead';
  return hearing.heardAt !== null && at - hearing.heardAt < 10 ? 'heard' : 'waiting';
}

/** Reads a microphone twenty times a second, once the browser lets sound run. `onLevel` gets 0..1 and `performance.now()` in seconds. */
export class Meter {
  readonly #context = new AudioContext();
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  readonly #timer: ReturnType<typeof setInterval>;
  #level = 0;
  #at = performance.now() / 1000;

  constructor(track: MediaStreamTrack, onLevel: (level: number, at: number) => void) {
    this.#analyser = this.#context.createAnalyser();
    this.#analyser.fftSize = 1024;
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(this.#analyser);
    this.resume();
    this.#timer = setInterval(() => {
      if (this.#context.state !== 'running') return; // nothing is known yet: silence here is not the microphone's
      this.#analyser.getFloatTimeDomainData(this.#samples);
      const at = performance.now() / 1000;
      this.#level = fall(this.#level, track.enabled ? level(this.#samples) : 0, at - this.#at);
      this.#at = at;
      onLevel(this.#level, at);
    }, 50);
  }

  /** A page that was not touched yet may not run audio: call this when it is. */
  resume(): void {
    if (this.#context.state === 'suspended') this.#context.resume().catch(() => undefined);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#context.close().catch(() => undefined);
  }
}
