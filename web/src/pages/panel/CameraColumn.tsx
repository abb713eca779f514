/** Are we heard and seen: said first. Then the keys of the camera, where it has any. */
import { type State, StateWord } from '../../components/StateWord';
import { given } from '../../given';
import { briefly, type Key, notice, t } from '../../i18n';
import type { Device, PanelView, Role } from '../../wire';
import { switchOf } from './asked';
import { CameraPad } from './CameraPad';
import { cameraControl } from './equipment';
import type { PanelState } from './state';

interface Seen {
  state: State;
  title: Key;
  words: Key;
  /** Whose silence it is that leaves us unsure. */
  cause?: Role;
}

/** Whether the others hear and see this room, from what is confirmed. */
export function seen(current: PanelState, view: PanelView): Seen {
  const media = view.media ?? {};
  if (!(media.connected ?? false)) {
    return { state: 'degraded', title: view.phase === 'in_meeting' ? 'panel.seen.cut' : 'panel.seen.waiting', words: 'panel.seen.waiting_words' };
  }
  if (alone(view)) return { state: 'live', title: 'panel.seen.alone', words: 'panel.seen.alone_words' };
  const mic = switchOf(current.wishes.mic, media.mic_wanted ?? false, media.mic ?? false);
  const camera = switchOf(current.wishes.camera, media.camera_wanted ?? false, media.camera ?? false);
  const heard = mic.on && mic.confirmed;
  const visible = camera.on && camera.confirmed;
  // a picture that is known to go out needs no word of the camera, whose control alone may be silent
  const unsure = { sound: mic.on && gone(view, 'room_mic') !== undefined, picture: camera.on && !camera.confirmed && gone(view, 'main_camera') !== undefined };
  if (unsure.sound && unsure.picture) return { state: 'degraded', title: 'panel.seen.both_unsure', words: 'panel.camera.unreachable', cause: 'main_camera' };
  if (unsure.picture) {
    return { state: 'degraded', title: heard ? 'panel.seen.heard_unsure' : 'panel.seen.unsure', words: 'panel.camera.unreachable', cause: 'main_camera' };
  }
  if (unsure.sound) {
    return { state: 'degraded', title: visible ? 'panel.seen.seen_unsure' : 'panel.seen.sound_unsure', words: 'panel.mic.unreachable', cause: 'room_mic' };
  }
  if (heard && visible) return { state: 'ready', title: 'panel.seen.both', words: 'panel.seen.both_words' };
  if (heard) return { state: 'degraded', title: 'panel.seen.heard', words: 'panel.seen.heard_words' };
  if (visible) return { state: 'degraded', title: 'panel.seen.seen', words: 'panel.seen.seen_words' };
  return { state: 'degraded', title: 'panel.seen.none', words: 'panel.seen.none_words' };
}

/** In the meeting, and nobody else is: nobody sees or hears. */
const alone = (view: PanelView): boolean =>
  view.phase === 'in_meeting' && Object.keys(view.meeting?.participants ?? {}).every((id) => id === `room:${view.room.id}`);

/** The device of a role that does not answer: nobody can say what the others see, or hear. */
const gone = (view: PanelView, of: Role): Device | undefined =>
  Object.values(view.devices ?? {}).find((device) => device.role === of && device.connection === 'unreachable');

/** What people in the room can do about a device that is gone; of most causes only IT can mend. */
function goneWords(device: Device | undefined, without: Key): string {
  const fault = device?.fault;
  if (!given(fault) || fault.code === 'device.unreachable') return t(without);
  return `${notice(fault)} ${t(fault.code === 'device.unplugged' ? 'device.unplugged.next' : 'panel.device.ask')}`;
}

export function CameraColumn({ current, view }: { current: PanelState; view: PanelView }) {
  const control = cameraControl(view);
  const { state, title, words, cause } = seen(current, view);
  const trouble = view.media?.problem ?? null;
  const camera = gone(view, 'main_camera');
  return (
    <section class="camera" aria-labelledby="camera" tabIndex={0}>
      <h2 class="label">{t('panel.seen')}</h2>
      <div class="seen" role="status">
        <p class="seen-t"><StateWord state={state} large word={t(title)} /></p>
        <p class="second">{trouble !== null ? notice(trouble) : cause === undefined ? t(words) : goneWords(gone(view, cause), words)}</p>
      </div>
      <div class="cam-head">
        <h2 id="camera" class="label">{t('panel.camera')}</h2>
        {control === null || control.reachable ? null : <StateWord state="degraded" word={given(camera?.fault) ? briefly(camera.fault) : t('panel.device.unreachable')} />}
      </div>
      {control !== null && !control.reachable && (view.media?.camera ?? false) ? <p class="second still">{t('panel.camera.still')}</p> : null}
      {control === null ? <p class="second">{t('panel.camera.fixed')}</p> : <CameraPad control={control} wish={current.wishes.preset?.value ?? null} reachable={current.reach === 'open'} />}
    </section>
  );
}
