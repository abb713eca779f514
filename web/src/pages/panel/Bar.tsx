/** The bar of a meeting: it never moves, and no key changes its width. */
import { BarKey } from '../../components/Button';
import type { IconName } from '../../components/Icon';
import { type Key, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { type Switch, switchOf } from './asked';
import { busy, type PanelState } from './state';
import { ask, dispatch } from './store';
import { VolumeKeys } from './VolumeKeys';

export function Bar({ current, view }: { current: PanelState; view: PanelView }) {
  const media = view.media ?? {};
  const cut = current.reach !== 'open';
  const mic = switchOf(current.wishes.mic, media.mic_wanted ?? false, media.mic ?? false);
  const camera = switchOf(current.wishes.camera, media.camera_wanted ?? false, media.camera ?? false);
  return (
    <nav class="bar" aria-label={t('panel.bar')}>
      <SwitchKey is={mic} icons={['mic', 'mic-off']} words={MIC} silent={media.mic_silent ?? false} disabled={cut} onPress={() => ask({ op: 'set_mic', on: !mic.on })} />
      <SwitchKey is={camera} icons={['cam', 'cam-off']} words={CAMERA} silent={media.camera_silent ?? false} disabled={cut} onPress={() => ask({ op: 'set_camera', on: !camera.on })} />
      <VolumeKeys current={current} view={view} />
      <BarKey icon="invite" disabled={cut} expanded={current.sheet.kind === 'invite'} onPress={() => openInvite(view)}>{t('panel.invite')}</BarKey>
      <BarKey icon="leave" state="stop" extra="leave" disabled={cut || busy(current, 'leave')} onPress={() => ask({ op: 'leave' })}>{t('panel.leave')}</BarKey>
    </nav>
  );
}

function openInvite(view: PanelView): void {
  dispatch({ type: 'open', sheet: { kind: 'invite' } });
  if (!view.invitation) ask({ op: 'invite' });
}

interface Words {
  open: Key;
  shut: Key;
  opening: Key;
  shutting: Key;
  silent: Key;
}

const MIC: Words = { open: 'panel.mic.open', shut: 'panel.mic.shut', opening: 'panel.mic.opening', shutting: 'panel.mic.shutting', silent: 'panel.mic.silent' };
const CAMERA: Words = { open: 'panel.cam.open', shut: 'panel.cam.shut', opening: 'panel.cam.opening', shutting: 'panel.cam.shutting', silent: 'panel.cam.silent' };

interface SwitchKeyProps {
  is: Switch;
  icons: readonly [on: IconName, off: IconName];
  words: Words;
  /** Open, and its device does not answer: nobody knows what it does. */
  silent: boolean;
  disabled: boolean;
  onPress: () => void;
}

/** Asked is shown at once, dimmed; confirmed replaces it with its own word. */
function SwitchKey({ is, icons, words, silent, disabled, onPress }: SwitchKeyProps) {
  const word = is.confirmed ? (is.on ? words.open : words.shut) : !is.on ? words.shutting : silent ? words.silent : words.opening;
  return (
    <BarKey icon={icons[is.on ? 0 : 1]} state={is.on ? 'plain' : 'off'} extra={is.confirmed ? '' : 'asked'} disabled={disabled} onPress={onPress}>
      <span aria-live="polite">{t(word)}</span>
    </BarKey>
  );
}
