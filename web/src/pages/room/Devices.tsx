/** The room's computer and its devices: whether each answers, what it said and when, what was asked of it. */
import { Age } from '../../components/Age';
import { Icon } from '../../components/Icon';
import { StateWord } from '../../components/StateWord';
import { duration, nextStep, notice, propertyName, t, whoWords } from '../../i18n';
import type { Device, Notice } from '../../wire';
import type { Row } from '../dashboard/board';
import { deviceRows, type DeviceRow, type PropertyRow, troubles } from './devices';
import { valueWord } from './values';

export function Devices({ row, now }: { row: Row; now: number }) {
  const { room } = row;
  const certain = room.agent_online === true && row.silentSince === null;
  const devices = deviceRows(room, certain, now);
  return (
    <section aria-labelledby="devices">
      <h2 class="h" id="devices">{t('room.devices')}</h2>
      <ul class="rows tree">
        <li class="device">
          <Icon name="server" />
          <span><b>{t('room.computer')}</b><small>{t(certain ? 'room.computer_linked' : 'room.computer_silent')}</small></span>
          <StateWord state={certain ? 'ready' : 'unknown'} word={t(certain ? 'device.answer.answers' : 'device.answer.not_known')} />
          <Age at={room.agent_seen} />
        </li>
        {devices.map((device) => <DeviceLine key={device.device.id} row={device} now={now} />)}
      </ul>
      {devices.length === 0 ? <p class="second">{t('room.no_devices')}</p> : null}
    </section>
  );
}

function DeviceLine({ row, now }: { row: DeviceRow; now: number }) {
  const { device } = row;
  const words = device.last_words ?? '';
  return (
    <li class="device sub">
      <Icon name={row.icon} />
      <span><b>{t(`role.${device.role}`)}</b><small>{[device.name, device.model, device.driver].filter(Boolean).join(', ')}</small></span>
      <StateWord state={row.state} word={t(`device.answer.${row.answer}`)} />
      <Age at={device.last_seen} />
      <div class="details">
        {troubles(device).map((one) => <Fault key={JSON.stringify(one)} of={one} />)}
        <ul class="props">{row.properties.map((property) => <PropertyLine key={property.name} property={property} device={device} now={now} />)}</ul>
        {words === '' ? null : <p class="words"><span class="second">{t('room.last_words')}</span> <q>{words}</q></p>}
      </div>
    </li>
  );
}

/** What is wrong with the device, what to do about it, and who can, where the catalog knows. */
function Fault({ of }: { of: Notice }) {
  const step = nextStep(of);
  return <p>{notice(of)} {step === null ? null : <><b>{step.words}</b> <small>{whoWords(step.who)}.</small></>}</p>;
}

function PropertyLine({ property, device, now }: { property: PropertyRow; device: Device; now: number }) {
  const { name, said, believed, asked, at, remaining, share } = property;
  const value = said ?? believed;
  return (
    <li>
      <span class="second">{propertyName(name)}</span>
      <span class="num">
        <b>{value === null ? t('value.unknown') : valueWord(name, value, device)}</b>
        {believed === null ? null : `, ${t('value.assumed')}`}
        {asked === null ? null : `, ${t('value.asked', { value: valueWord(name, asked, device) })}`}
        {remaining === null || remaining <= 0 ? null : `, ${t('value.remaining', { duration: duration(remaining) })}`}
        {at === null || now - at < 1 ? null : <> <Age at={at} /></>}
      </span>
      {share === null || remaining === null || remaining <= 0 ? null : <span class="progress"><i style={{ '--v': share.toFixed(3) }} /></span>}
    </li>
  );
}
