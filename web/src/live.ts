/**
 * Live documents: a snapshot, then RFC 7396 patches with a revision, over one WebSocket that comes back by itself.
 *
 * The protocol is pure (`receive`, `mergePatch`, `backOff`); `Live` is the shell with the socket and the timers. A page
 * shows `data`, and says so when `state` is `lost`: what it shows is then old. A socket that is silent is asked for a
 * snapshot, and counted as lost when it does not answer: half-open connections must not look alive.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import { serverNow } from './clock';
import type { ActionResult, Patch, Snapshot } from './wire';

/** A JSON object. */
export type Json = Record<string, unknown>;

/** What the far side sends. */
export type Message = Snapshot | Patch | ActionResult;

/** What is held of a document. */
export interface Replica {
  readonly data: Json;
  readonly revision: number;
}

/** What a change makes of a replica; `gap` when a patch does not follow what we hold. */
export type Received = { readonly replica: Replica } | 'gap';

/** `document` with an RFC 7396 merge patch applied; neither is changed, and what the patch leaves alone is shared. */
export function mergePatch(document: Json, patch: Json): Json {
  const merged = new Map(Object.entries(document));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else if (isObject(value)) {
      const before = merged.get(key);
      merged.set(key, mergePatch(isObject(before) ? before : {}, value));
    } else merged.set(key, value);
  }
  return Object.fromEntries(merged);
}

/** Take a snapshot or the next patch. */
export function receive(replica: Replica | null, change: Snapshot | Patch): Received {
  if (change.type === 'snapshot') return { replica: { data: change.data, revision: change.revision } };
  if (replica?.revision !== change.revision - 1) return 'gap';
  return { replica: { data: mergePatch(replica.data, change.data), revision: change.revision } };
}

/** Milliseconds to wait before attempt `attempt` (0 is the first again): 0.5 s doubling to 10 s, ± 20 % by `random` 0..1. */
export function backOff(attempt: number, random: number): number {
  return Math.min(10_000, 500 * 2 ** Math.min(attempt, 10)) * (0.8 + 0.4 * random);
}

/** Where the connection stands. `at`, `since` are Unix seconds of the server's clock. */
export type LiveState =
  | { readonly kind: 'connecting' } // never had the document
  | { readonly kind: 'live' }
  | { readonly kind: 'lost'; readonly since: number };

/** What an action sends: `id` is given by `Live`. */
export type Action = Json & { readonly op: string };

interface Waiting {
  readonly settle: (result: ActionResult) => void;
  readonly fail: (reason: Error) => void;
}

/** The action was not sent, or its answer was lost with the connection. */
export class ConnectionLost extends Error {
  constructor() {
    super('the connection was lost');
    this.name = 'ConnectionLost';
  }
}

/** Timing of a connection, in milliseconds. */
export interface Patience {
  readonly quiet: number; // silence after which we ask for a snapshot
  readonly answer: number; // silence after asking that means it is dead
  readonly grace: number; // a gap shorter than this is not told
}

const PATIENCE: Patience = { quiet: 10_000, answer: 5_000, grace: 1_500 };

/** A live document and the way to act on it. */
export class Live<T> {
  readonly #url: string;
  readonly #patience: Patience;
  readonly #data = signal<T | null>(null);
  readonly #state = signal<LiveState>({ kind: 'connecting' });
  readonly #heardAt = signal<number | null>(null);
  #replica: Replica | null = null;
  #socket: WebSocket | null = null;
  #attempt = 0;
  #nextId = 1;
  #closed = false;
  #resyncing = false;
  readonly #waiting = new Map<number, Waiting>();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #grace: ReturnType<typeof setTimeout> | undefined;

  /** Connect to `path` of this page's origin, or to a whole `ws:` address. */
  constructor(path: string, patience: Patience = PATIENCE) {
    this.#url = new URL(path, location.href.replace(/^http/, 'ws')).href;
    this.#patience = patience;
    addEventListener('online', this.#retryNow);
    document.addEventListener('visibilitychange', this.#retryNow);
    this.#connect();
  }

  /** The document, null until the first snapshot. It stays when the connection is lost. */
  get data(): ReadonlySignal<T | null> {
    return this.#data;
  }

  /** Where the connection stands. */
  get state(): ReadonlySignal<LiveState> {
    return this.#state;
  }

  /** When the far side last said anything (Unix seconds of the server), null if never. */
  get heardAt(): ReadonlySignal<number | null> {
    return this.#heardAt;
  }

  /** Ask for something. Throws ConnectionLost when there is no answer to be had; refusals come back in the result. */
  act(action: Action): Promise<ActionResult> {
    const socket = this.#socket;
    if (socket?.readyState !== WebSocket.OPEN) return Promise.reject(new ConnectionLost());
    const id = this.#nextId++;
    const answer = new Promise<ActionResult>((settle, fail) => this.#waiting.set(id, { settle, fail }));
    socket.send(JSON.stringify({ ...action, id }));
    return answer;
  }

  /** Stop for good. */
  close(): void {
    this.#closed = true;
    removeEventListener('online', this.#retryNow);
    document.removeEventListener('visibilitychange', this.#retryNow);
    for (const timer of [this.#retry, this.#quiet, this.#grace]) clearTimeout(timer);
    this.#socket?.close();
    this.#drop();
  }

  readonly #retryNow = (): void => {
    if (this.#socket !== null || this.#closed || document.visibilityState === 'hidden') return;
    clearTimeout(this.#retry);
    this.#connect();
  };

  #connect(): void {
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    const current = (): boolean => this.#socket === socket;
    this.#listen(); // a connection that never opens counts as silent too
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (current() && typeof event.data === 'string') this.#take(event.data);
    };
    socket.onclose = () => {
      if (current()) this.#lost();
    };
  }

  #take(text: string): void {
    const message = parse(text);
    if (message === null) return;
    this.#heardAt.value = serverNow();
    this.#listen();
    if (message.type === 'result') {
      this.#waiting.get(message.id)?.settle(message);
      this.#waiting.delete(message.id);
      return;
    }
    const received = receive(this.#replica, message);
    if (received === 'gap') {
      this.#resync();
      return;
    }
    this.#replica = received.replica;
    this.#data.value = received.replica.data as T;
    this.#resyncing = false;
    this.#attempt = 0;
    clearTimeout(this.#grace);
    this.#grace = undefined;
    if (this.#state.value.kind !== 'live') this.#state.value = { kind: 'live' };
  }

  /** Ask for a snapshot, once until it comes. */
  #resync(): void {
    if (this.#resyncing || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#resyncing = true;
    this.#socket.send(JSON.stringify({ id: this.#nextId++, op: 'resync' }));
  }

  /** Watch for silence: ask first, then give the socket up. */
  #listen(): void {
    clearTimeout(this.#quiet);
    const { quiet, answer } = this.#patience;
    this.#quiet = setTimeout(() => {
      this.#resync();
      this.#quiet = setTimeout(() => {
        this.#socket?.close();
        this.#lost();
      }, answer);
    }, quiet);
  }

  #lost(): void {
    this.#drop();
    if (this.#closed) return;
    const since = this.#heardAt.value ?? serverNow();
    this.#grace ??= setTimeout(() => {
      this.#state.value = { kind: 'lost', since };
    }, this.#patience.grace);
    this.#retry = setTimeout(() => this.#connect(), backOff(this.#attempt++, Math.random()));
  }

  #drop(): void {
    this.#socket = null;
    this.#resyncing = false;
    clearTimeout(this.#quiet);
    for (const waiting of this.#waiting.values()) waiting.fail(new ConnectionLost());
    this.#waiting.clear();
  }
}

function parse(text: string): Message | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && (value.type === 'snapshot' || value.type === 'patch' || value.type === 'result')
      ? (value as unknown as Message)
      : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
