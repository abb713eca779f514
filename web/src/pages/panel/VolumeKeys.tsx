/** Louder and quieter, with the level: one part of the bar that never moves, also at rest. */
import { Icon } from '../../components/Icon';
import { Level } from '../../components/Level';
import { t } from '../../i18n';
import type { PanelView } from '../../wire';
import { stepped, volumeOf } from './asked';
import { hasVolume } from './equipment';
import type { PanelState } from './state';
import { ask } from './store';

/** Nothing where no device of the room has a volume. */
export function VolumeKeys({ current, view }: { current: PanelState; view: PanelView }) {
  if (!hasVolume(view)) return null;
  const { value, confirmed } = volumeOf(current.wishes, view);
  const off = value === null || current.reach !== 'open';
  const press = (direction: 1 | -1) => (): void => {
    if (value !== null && !off) ask({ op: 'set_volume', volume: stepped(value, direction) });
  };
  const words = value === null ? t('panel.volume.none') : t('panel.volume', { n: Math.round(value * 100) });
  return (
    <div class="vol" role="group" aria-label={t('panel.volume.name')}>
      <button type="button" aria-label={t('panel.volume.down')} aria-disabled={off ? 'true' : undefined} onClick={press(-1)}><Icon name="minus" large /></button>
      <div class={confirmed || value === null ? 'mid' : 'mid asked'}>
        <span class="num" aria-live="polite">{words}</span>
        <Level value={value ?? 0} segments={10} ink />
      </div>
      <button type="button" aria-label={t('panel.volume.up')} aria-disabled={off ? 'true' : undefined} onClick={press(1)}><Icon name="plus" large /></button>
    </div>
  );
}
