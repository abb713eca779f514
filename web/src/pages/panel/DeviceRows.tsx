/** What each device of this room does, with the seconds it still takes; and a key where something can be switched. */
import { Button } from '../../components/Button';
import { Icon, type IconName } from '../../components/Icon';
import { briefly, type Key, t } from '../../i18n';
import type { DeviceKind, DeviceRow, Power } from './equipment';
import { askDevice, dispatch } from './store';

const ICON: Record<DeviceKind, IconName> = {
  projector: 'projector', screen: 'screen', camera: 'cam', microphone: 'mic', speaker: 'speaker', input: 'share',
  sensor: 'air', computer: 'server', supply: 'battery', network: 'network',
};

const NAME: Partial<Record<DeviceKind, Key>> = {
  projector: 'panel.device.projector',
  screen: 'panel.device.screen',
  camera: 'panel.device.camera',
  microphone: 'panel.device.microphone',
  speaker: 'panel.device.speaker',
  input: 'panel.device.input',
};

const POWER: Record<Power, Key> = {
  on: 'panel.power.on', off: 'panel.power.off', warming: 'panel.power.warming', cooling: 'panel.power.cooling', unknown: 'panel.power.unknown',
};

/** A camera that is off sees nothing: said in words of its own. */
const EYE: Partial<Record<Power, Key>> = { on: 'panel.eye.on', off: 'panel.eye.off' };

/** In French the word agrees with the name. */
const READY: Partial<Record<DeviceKind, Key>> = { camera: 'panel.eye.ready', microphone: 'panel.sound.ready', speaker: 'panel.sound.ready' };

/** The name of a device by what it is for. */
export const deviceName = (row: DeviceRow): string =>
  row.role === 'second_display' ? t('panel.device.second_screen') : row.role === 'mute_button' ? t('role.mute_button') : t(NAME[row.kind] ?? `role.${row.role}`);

/** What a device does, in words. */
export function deviceWords(row: DeviceRow): string {
  if (row.fault !== null) return briefly(row.fault);
  if (row.connecting) return t('panel.device.connecting');
  if (!row.reachable) return t('panel.device.unreachable');
  if (row.remaining !== null && row.remaining > 0 && row.power === 'warming') return t('panel.power.warming_left', { n: row.remaining });
  if (row.remaining !== null && row.remaining > 0 && row.power === 'cooling') return t('panel.power.cooling_left', { n: row.remaining });
  const word = row.power !== null ? t((row.kind === 'camera' ? EYE[row.power] : undefined) ?? POWER[row.power]) : row.muted !== null ? t(row.muted ? 'panel.sound.muted' : 'panel.sound.open') : t(READY[row.kind] ?? 'panel.device.ready');
  if (row.blank && row.power === 'on') return t('panel.display.blanked');
  return row.evidence === 'assumed' ? t('panel.unconfirmed', { words: word }) : word;
}

interface Props {
  rows: DeviceRow[];
  /** The agent answers: keys can be pressed. */
  reachable: boolean;
  /** Not in a meeting: the camera's keys open on a sheet. */
  idle?: boolean;
}

export function DeviceRows({ rows, reachable, idle = false }: Props) {
  if (rows.length === 0) return <p class="second">{t('panel.device.none')}</p>;
  return (
    <div class="rows devices">
      {rows.map((row) => <Row key={row.id} row={row} keys={reachable && row.reachable} idle={idle} />)}
    </div>
  );
}

function Row({ row, keys, idle }: { row: DeviceRow; keys: boolean; idle: boolean }) {
  const name = deviceName(row);
  const bad = row.fault !== null || (!row.reachable && !row.connecting);
  return (
    <div class={bad ? 'dev degraded' : 'dev'}>
      <div>
        <Icon name={ICON[row.kind]} />
        <span class="what"><b>{name}</b><span class="v num">{deviceWords(row)}</span></span>
        {keys ? <RowKey row={row} idle={idle} name={name} /> : null}
      </div>
      {row.progress === null || row.remaining === 0 ? null : (
        <div class="progress" role="progressbar" aria-label={`${name}, ${deviceWords(row)}`} aria-valuenow={Math.round(row.progress * 100)} style={{ '--v': row.progress.toFixed(3) }}>
          <i />
        </div>
      )}
    </div>
  );
}

function RowKey({ row, idle, name }: { row: DeviceRow; idle: boolean; name: string }) {
  if (row.kind === 'camera') {
    return idle ? <Button kind="quiet" onPress={() => dispatch({ type: 'open', sheet: { kind: 'camera' } })}>{t('panel.camera.set')}</Button> : null;
  }
  if (row.adjustable && row.power !== 'off' && row.power !== 'unknown') {
    return (
      <Button kind="quiet" onPress={() => dispatch({ type: 'open', sheet: { kind: 'display', role: row.role } })}>
        {t('panel.display.set')}<span class="vh">, {name}</span>
      </Button>
    );
  }
  if (!row.canPower || (row.power !== 'on' && row.power !== 'off')) return null;
  const on = row.power === 'off';
  if (!on && !idle) return null; // nobody switches the screen off in a meeting by mistake
  return (
    <Button kind="quiet" onPress={() => askDevice({ role: row.role, op: 'set_power', args: { on } })}>
      {t(on ? 'panel.power.switch_on' : 'panel.power.switch_off')}<span class="vh">, {name}</span>
    </Button>
  );
}
