/** One visit by a guest: stage and capture as signals, and the calls that move them. The media comes in with `Session`. */
import { signal, type Signal } from '@preact/signals';
import { language } from '../../i18n';
import { join, leave, look } from './api';
import { captured, fresh, type Capture, type CaptureEvent, type Source } from './capture';
import { Devices } from './devices';
import { listen, Meter, verdict, type Heard, type Hearing } from './meter';
import { recall, remember } from './remembered';
import { step, type Stage, type StageEvent } from './stage';

const LOOK_EVERY_MS = 8000;

export class Visit {
  readonly stage: Signal<Stage> = signal({ kind: 'looking' });
  readonly capture: Signal<Capture>;
  readonly name: Signal<string>;
  /** 0..1, and what it means. */
  readonly level = signal(0);
  readonly heard: Signal<Heard> = signal('waiting');
  readonly #secret: string;
  readonly #devices: Devices;
  #meter: Meter | null = null;
  #looking: ReturnType<typeof setInterval> | undefined;

  constructor(secret: string) {
    this.#secret = secret;
    const kept = recall();
    this.name = signal(kept.name);
    this.capture = signal(fresh(kept));
    this.#devices = new Devices((event) => this.#capture(event));
    addEventListener('pagehide', () => this.#goingAway());
  }

  /** Look where the link leads; open camera and microphone when it leads somewhere. */
  async begin(): Promise<void> {
    await this.#look();
    if (this.stage.value.kind !== 'checking') return;
    this.#looking = setInterval(() => {
      if (this.stage.value.kind === 'checking') this.#look().catch(() => undefined);
    }, LOOK_EVERY_MS);
    const { mic, camera } = this.capture.value;
    if (mic.on && camera.on) await this.#devices.openBoth(mic.chosen, camera.chosen);
    else if (mic.on) await this.#devices.open('mic', mic.chosen);
    else if (camera.on) await this.#devices.open('camera', camera.chosen);
  }

  /** Open or close microphone or camera; after a fault, try again. */
  async toggle(source: Source): Promise<void> {
    const { on, fault, chosen } = this.capture.value[source];
    if (on && fault === null) this.#devices.close(source);
    else {
      this.#capture({ kind: 'switched', source, on: true });
      await this.#devices.open(source, chosen);
    }
  }

  /** Use another microphone or camera. */
  async choose(source: Source, device: string): Promise<void> {
    await this.#devices.open(source, device);
  }

  chooseSpeaker(device: string): void {
    this.#capture({ kind: 'chose_speaker', device });
  }

  /** The person touched the page: sound may run now. */
  touched(): void {
    this.#meter?.resume();
  }

  /** Ask to enter. The preview is let go just before the meeting opens the same devices. */
  async enter(): Promise<void> {
    if (this.stage.value.kind !== 'checking') return;
    this.#keep();
    this.send({ kind: 'asked' });
    const answer = await join(this.#secret, this.name.value.trim(), language.value);
    if (!answer.ok) {
      this.send({ kind: 'turned_away', code: answer.problem.code });
      return;
    }
    clearInterval(this.#looking);
    this.#stopMeter();
    this.#devices.release();
    this.send({ kind: 'let_in', grant: answer.value });
  }

  /** The meeting is over for this person; `again` looks at the link anew. */
  send(event: StageEvent): void {
    this.stage.value = step(this.stage.value, event);
  }

  #goingAway(): void {
    const stage = this.stage.value;
    if (stage.kind === 'in') leave(stage.grant.refresh);
  }

  async #look(): Promise<void> {
    const answer = await look(this.#secret);
    if (answer.ok) this.send({ kind: 'looked', view: answer.value });
    else this.send({ kind: 'look_failed', code: answer.problem.code, reached: answer.reached });
  }

  #capture(event: CaptureEvent): void {
    const before = this.capture.value.mic.track;
    this.capture.value = captured(this.capture.value, event);
    const { track, on } = this.capture.value.mic;
    if (track !== before || !on) this.#startMeter(on ? track : null);
  }

  #startMeter(track: MediaStreamTrack | null): void {
    this.#stopMeter();
    let hearing: Hearing | null = null;
    if (track === null) return;
    this.#meter = new Meter(track, (level, at) => {
      this.level.value = level;
      hearing = listen(hearing ?? { heardAt: null, signalAt: at }, level, at);
      this.heard.value = verdict(hearing, true, at);
    });
  }

  #stopMeter(): void {
    this.#meter?.stop();
    this.#meter = null;
    this.level.value = 0;
    this.heard.value = this.capture.value.mic.on ? 'waiting' : 'off';
  }

  #keep(): void {
    const { mic, camera, speaker } = this.capture.value;
    remember({ name: this.name.value.trim(), mic: mic.chosen, camera: camera.chosen, speaker, micOn: mic.on, cameraOn: camera.on });
  }
}
