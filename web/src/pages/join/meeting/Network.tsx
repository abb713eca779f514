/** Three bars and a word for the own connection; nothing while nobody measured it. */
import { t } from '../../../i18n';
import type { Quality } from './state';

const HEIGHTS = ['35%', '65%', '100%'];

export function Network({ quality }: { quality: Quality }) {
  if (quality === null) return null;
  const bars = quality === 'good' ? 3 : quality === 'fair' ? 2 : 1;
  return (
    <span class={`net ${quality}`} role="status">
      <i aria-hidden="true">{HEIGHTS.map((height, at) => <b key={height} class={at < bars ? 'lit' : ''} style={{ blockSize: height }} />)}</i>
      <span>{t(`meeting.net_${quality}`)}</span>
    </span>
  );
}
