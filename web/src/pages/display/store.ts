/** The screen's one state: the room's document, and where the tiles stand. */
import { computed, effect, signal } from '@preact/signals';
import { useTimeZone } from '../../i18n';
import { Live } from '../../live';
import type { DisplayView } from '../../wire';
import { type Access, MediaFollower, meetingOf } from './media';
import { arrange } from './tiles';

/** The document, null before the first. */
export const view = signal<DisplayView | null>(null);
/** The agent of this room no longer answers. */
export const cutOff = signal(false);
/** Participant ids in the order they came. */
export const order = signal<readonly string[]>([]);

const follower = new MediaFollower();

const access = computed<Access | null>(() => {
  const document = view.value;
  if (!document?.media_url || !document.media_token) return null;
  return { url: document.media_url, token: document.media_token, meeting: meetingOf(document.media_token) };
});

/** Connect to the agent that served this page, and follow its meeting. */
export function connect(): void {
  const live = new Live<DisplayView>('live/display');
  effect(() => {
    const document = live.data.value;
    if (document === null) return;
    useTimeZone(document.center.timezone);
    order.value = arrange(order.peek(), document);
    view.value = document;
  });
  effect(() => {
    cutOff.value = live.state.value.kind === 'lost';
  });
  effect(() => follower.follow(access.value));
  effect(() => {
    const wanted = view.value?.media;
    follower.send({ mic: wanted?.mic_wanted ?? false, camera: wanted?.camera_wanted ?? false });
  });
  for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => follower.touched());
}
