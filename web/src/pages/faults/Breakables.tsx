/** What can be done to one room: the usual faults first, what hands do, every other fault of its devices below. */
import { Button } from '../../components/Button';
import { Icon, type IconName } from '../../components/Icon';
import { StateWord } from '../../components/StateWord';
import { type Key, t } from '../../i18n';
import { AGENT, active, type FaultsState, type FaultyDevice, type FaultyRoom, GONE } from './state';
import { act, change } from './store';
import { actWord, faultWord, named, shownWord } from './words';

interface Usual {
  device: string;
  fault: string;
  icon: IconName;
  name: string;
  act: Key;
  end: Key;
  /** It ends by itself. */
  passing: boolean;
}

function usual(room: FaultyRoom): Usual[] {
  const list: Usual[] = [];
  const add = (role: string, fault: string, icon: IconName, words: [act: Key, end: Key], passing = false): void => {
    const device = role === AGENT ? AGENT : Object.entries(room.devices).find(([, one]) => one.role === role && one.available.includes(fault))?.[0];
    if (device !== undefined) list.push({ device, fault, icon, name: named(role, device === AGENT ? undefined : room.devices[device]?.name), act: words[0], end: words[1], passing });
  };
  add('main_camera', 'unplugged', 'cam', ['faults.act.camera', 'faults.act.camera_end']);
  add('front_display', 'reboot', 'screen', ['faults.act.display', 'faults.act.display_end'], true);
  add('ups', 'power', 'battery', ['faults.act.power', 'faults.act.power_end']);
  add(AGENT, GONE, 'server', ['faults.act.agent', 'faults.act.agent_end']);
  return list;
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
        {usual(room).map((one) => <UsualRow key={one.device} id={id} one={one} on={active(current, id, one.device, one.fault)} />)}
      </ul>
      <Hands id={id} room={room} />
      <details>
        <summary class="label">{t('faults.more')}</summary>
        <Faults id={id} room={room} current={current} />
      </details>
    </>
  );
}

function UsualRow({ id, one, on }: { id: string; one: Usual; on: boolean }) {
  return (
    <li class="row">
      <Icon name={one.icon} large />
      <div>
        <b>{one.name}</b>
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
}

/** What people do in the room, which is no fault. */
function Hands({ id, room }: { id: string; room: FaultyRoom }) {
  const devices = Object.entries(room.devices).filter(([, device]) => device.acts.length > 0);
  if (devices.length === 0) return null;
  return (
    <section class="hands" aria-labelledby="hands">
      <h3 id="hands" class="label">{t('faults.hands')}</h3>
      <p class="second">{t('faults.hands_words')}</p>
      <ul class="rows">
        {devices.map(([device, { name, role, acts, shows }]) => (
          <li key={device} class="row">
            <div>
              <b>{named(role, name)}</b>
              <span class="second" aria-live="polite">{Object.entries(shows).map(([what, value]) => shownWord(what, value)).join(', ')}</span>
            </div>
            <div class="chips end">
              {acts.map((one) => (
                <button key={one} type="button" class="chip" onClick={() => act({ room: id, device, act: one })}>{actWord(one)}<span class="vh">, {named(role, name)}</span></button>
              ))}
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Every fault of every device, to be switched alone or together. */
export function Faults({ id, room, current }: Props) {
  return (
    <>
      {Object.entries(room.devices).map(([device, one]) => (
        <fieldset key={device}>
          <legend><b>{named(one.role, one.name)}</b></legend>
          <Chips id={id} device={device} of={one} current={current} />
        </fieldset>
      ))}
    </>
  );
}

function Chips({ id, device, of, current }: { id: string; device: string; of: FaultyDevice; current: FaultsState }) {
  if (of.missing !== '') return <p class="second">{t('faults.missing', { device: of.name, package: of.missing })}</p>;
  return (
    <div class="chips">
      {of.available.map((fault) => {
        const on = active(current, id, device, fault);
        return (
          <button key={fault} type="button" class="chip" aria-pressed={on} onClick={() => change({ room: id, device, fault, on: !on })}>{faultWord(fault)}</button>
        );
      })}
    </div>
  );
}
