/** What this room's devices do, and what the last scene could not do. */
import { Note } from '../../components/Notice';
import { now } from '../../clock';
import { problem, t } from '../../i18n';
import type { Code, DeviceResult, PanelView } from '../../wire';
import { DeviceRows, deviceName } from './DeviceRows';
import { type DeviceRow, deviceRows, losses } from './equipment';
import type { PanelState } from './state';

export function RoomColumn({ current, view }: { current: PanelState; view: PanelView }) {
  const rows = deviceRows(view, now.value);
  return (
    <section aria-labelledby="room" tabIndex={0}>
      <h2 id="room" class="label">{t('panel.this_room')}</h2>
      <DeviceRows rows={rows} reachable={current.reach === 'open'} />
      {losses(view).map((loss) => (
        <Note key={`${loss.device} ${loss.op}`} state="degraded">{lossWords(loss, rows)}</Note>
      ))}
    </section>
  );
}

const CODE: Record<'failed' | 'timed_out', Code> = { failed: 'device_failed', timed_out: 'device_timed_out' };

function lossWords(loss: DeviceResult, rows: readonly DeviceRow[]): string {
  const row = rows.find(({ id }) => id === loss.device);
  const code = loss.code ?? CODE[loss.outcome === 'timed_out' ? 'timed_out' : 'failed'];
  return t('panel.loss', { device: row === undefined ? loss.device : deviceName(row), words: problem(code) });
}
