/** The voices of others: one audio element per track, in the page so that the browser keeps playing them. */
import { Track, type RemoteTrack } from 'livekit-client';

export class Sounds {
  readonly #elements = new Map<RemoteTrack, HTMLMediaElement>();

  /** Play a track; pictures are left alone. */
  add(track: RemoteTrack): void {
    if (track.kind !== Track.Kind.Audio || this.#elements.has(track)) return;
    const element = track.attach();
    element.hidden = true;
    document.body.append(element);
    this.#elements.set(track, element);
  }

  remove(track: RemoteTrack): void {
    const element = this.#elements.get(track);
    if (element === undefined) return;
    track.detach(element);
    element.remove();
    this.#elements.delete(track);
  }

  clear(): void {
    for (const track of [...this.#elements.keys()]) this.remove(track);
  }
}
