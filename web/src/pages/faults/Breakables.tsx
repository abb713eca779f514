/** What can be broken in one room: the usual three first, every other fault of its devices below. */
import { Button } from '../../components/Button';
import { Icon, type IconName } from '../../components/Icon';
import { StateWord } from '../../components/StateWord';
import { type Key, t } from '../../i18n';
import { AGENT, active, type FaultsState, type FaultyRoom, GONE } from './state';
import { change } from './store';
import { deviceWord, faultWord } from './words';

interface Usual {
  device: string;
  fault: string;
  icon: IconName;
  name: Key;
  act: Key;
  end: Key;
  /** It ends by itself. */
  passing: boolean;
}

function usual(room: FaultyRoom): Usual[] {
  const by = (role: string): string | undefined => Object.entries(room.devices).find(([, device]) => device.role === role)?.[0];
  const camera = by('main_camera');
  const display = by('front_display');
  const list: (Usual | null)[] = [
    camera === undefined ? null : { device: camera, fault: 'unplugged', icon: 'cam', name: 'faults.device.camera', act: 'faults.act.camera', end: 'faults.act.camera_end', passing: false },
    display === undefined ? null : { device: display, fault: 'reboot', icon: 'projector', name: 'faults.device.display', act: 'faults.act.display', end: 'faults.act.display_end', passing: true },
    { device: AGENT, fault: GONE, icon: 'server', name: 'faults.device.agent', act: 'faults.act.agent', end: 'faults.act.agent_end', passing: false },
  ];
  return list.filter((one) => one !== null);
}

interface Props {
  id: string;
  room: FaultyRoom;
  current: FaultsState;
}

export function Breakables({ id, room, current }: Props) {
  return (
    <>
      <ul class="usual rows">
        {usual(room).map((one) => {
          const on = active(current, id, one.device, one.fault);
          return (
            <li key={one.device} class="row">
              <Icon name={one.icon} large />
              <div>
                <b>{t(one.name)}</b>
                <StateWord state={on ? 'degraded' : 'ready'} word={on ? faultWord(one.fault) : t('faults.well')} />
              </div>
              <div class="end">
                <Button
                  kind={on ? 'ink' : 'quiet'}
                  disabledBecause={on && one.passing ? t('faults.passes') : null}
                  onPress={() => change({ room: id, device: one.device, fault: one.fault, on: !on })}
                >
                  {t(on ? one.end : one.act)}
                </Button>
              </div>
            </li>
          );
        })}
      </ul>
      <details>
        <summary class="label">{t('faults.more')}</summary>
        {Object.entries(room.devices).map(([device, { name, role, available }]) => (
          <fieldset key={device}>
            <legend><b>{deviceWord(role)}</b> <span class="second">{name}</span></legend>
            <div class="chips">
              {available.map((fault) => {
                const on = active(current, id, device, fault);
                return (
                  <button key={fault} type="button" class="chip" aria-pressed={on} onClick={() => change({ room: id, device, fault, on: !on })}>{faultWord(fault)}</button>
                );
              })}
            </div>
          </fieldset>
        ))}
      </details>
    </>
  );
}
