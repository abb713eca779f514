/** What is known of the room's media: a reducer over the events of the connection. `T` is a video track. Pure. */

/**
 * `off` not in a meeting · `joining` · `joined` · `shaky` the pictures stand still while the connection mends itself ·
 * `lost` joins anew by itself · `replaced` another page of this room took over, and this one waits to be touched.
 */
export type MediaLink = 'off' | 'joining' | 'joined' | 'shaky' | 'lost' | 'replaced';

export type Source = 'camera' | 'screen';

export interface MediaState<T> {
  readonly link: MediaLink;
  /** By participant id. */
  readonly cameras: ReadonlyMap<string, T>;
  readonly screens: ReadonlyMap<string, T>;
  /** Participant ids of those who are heard now. */
  readonly speaking: ReadonlySet<string>;
  /** The browser waits for a touch before it plays sound. */
  readonly silent: boolean;
}

export type MediaEvent<T> =
  | { type: 'link'; link: MediaLink }
  | { type: 'video'; participant: string; source: Source; track: T }
  | { type: 'gone'; participant: string; source: Source; track: T }
  | { type: 'speaking'; participants: readonly string[] }
  | { type: 'silent'; silent: boolean };

export function mediaOff<T>(): MediaState<T> {
  return { link: 'off', cameras: new Map(), screens: new Map(), speaking: new Set(), silent: false };
}

/** Every change of the media. */
export function reduceMedia<T>(state: MediaState<T>, event: MediaEvent<T>): MediaState<T> {
  switch (event.type) {
    case 'link':
      return withLink(state, event.link);
    case 'video':
      return withVideo(state, event.source, (tracks) => tracks.set(event.participant, event.track));
    case 'gone':
      return withVideo(state, event.source, (tracks) => {
        if (tracks.get(event.participant) === event.track) tracks.delete(event.participant);
      });
    case 'speaking':
      return { ...state, speaking: new Set(event.participants) };
    case 'silent':
      return { ...state, silent: event.silent };
  }
}

/** Pictures of a connection that ended go, so that nobody takes them for live. */
function withLink<T>(state: MediaState<T>, link: MediaLink): MediaState<T> {
  switch (link) {
    case 'joined':
    case 'shaky':
      return { ...state, link };
    case 'off':
    case 'joining':
    case 'lost':
    case 'replaced':
      return { ...mediaOff<T>(), link };
  }
}

function withVideo<T>(state: MediaState<T>, source: Source, change: (tracks: Map<string, T>) => void): MediaState<T> {
  const tracks = new Map(source === 'camera' ? state.cameras : state.screens);
  change(tracks);
  return source === 'camera' ? { ...state, cameras: tracks } : { ...state, screens: tracks };
}

/** The participant that a session belongs to: all sessions of a room are that room. */
export function participantOf(identity: string, attributes: Readonly<Record<string, string>>): string {
  const room = attributes.room;
  return room === undefined || room === '' ? identity : `room:${room}`;
}
