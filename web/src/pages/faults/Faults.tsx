/** Pick a room, break something, look at the dashboard and the tablet, mend it. */
import { Button } from '../../components/Button';
import { Glyph, Icon } from '../../components/Icon';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { Note } from '../../components/Notice';
import { Code, RoomPlate } from '../../components/RoomPlate';
import { Toasts } from '../../components/Toast';
import { nextStep, notice, t, whoWords } from '../../i18n';
import { Breakables, Faults as AllFaults } from './Breakables';
import { AGENT, type Active, allActive, byCenter, centerOf, EVERYWHERE, type FaultsState, missing, type Rooms } from './state';
import { change, dispatch, state } from './store';
import type { Notice } from '../../wire';
import { expected, faultWord, named } from './words';

/** Where the other pages are. */
export interface FaultsData {
  readonly dashboard?: string;
  readonly agents?: string;
}

export function Faults({ data }: { data: FaultsData }) {
  const current = state.value;
  return (
    <>
      <header class="page-head top">
        <span class="brand"><Glyph name="mark" />roomctl</span>
        <div class="end">
          {data.dashboard === undefined ? null : <a class="btn quiet" href={data.dashboard} target="_blank" rel="noopener">{t('faults.dashboard')}</a>}
          <LanguageSwitch />
        </div>
      </header>
      <main class="page faults">
        <h1>{t('faults.title')}</h1>
        <p class="lead second">{t('faults.words')}</p>
        {current.lost ? <Note state="unknown" urgent>{t('faults.lost')}</Note> : null}
        {current.refused === null ? null : <Note state="degraded" urgent>{t('faults.refused')}</Note>}
        <Missing rooms={current.rooms} />
        <Now current={current} data={data} />
        {current.rooms === null ? <p>{t('faults.waiting')}</p> : <Pick current={current} rooms={current.rooms} data={data} />}
      </main>
      <Toasts />
    </>
  );
}

/** What this machine cannot emulate, and how it could. */
function Missing({ rooms }: { rooms: Rooms | null }) {
  const packages = missing(rooms ?? {});
  return packages.length === 0 ? null : <Note state="unknown">{t('faults.missing_all', { packages: packages.join(' ') })}</Note>;
}

/** All that is broken now, with what to see of it and its end. */
function Now({ current, data }: { current: FaultsState; data: FaultsData }) {
  const list = allActive(current);
  if (list.length === 0) return current.rooms === null ? null : <p class="calm st ready"><Glyph name="st-ready" />{t('faults.none')}</p>;
  return (
    <section class="broken" aria-labelledby="now">
      <h2 id="now" class="title">{t('faults.now', { count: list.length })}</h2>
      <ul class="rows">
        {list.map((one) => <Broken key={`${one.room} ${one.device} ${one.fault}`} one={one} current={current} data={data} />)}
      </ul>
    </section>
  );
}

function Broken({ one, current, data }: { one: Active; current: FaultsState; data: FaultsData }) {
  const room = current.rooms?.[one.room];
  if (room === undefined) return null;
  const role = one.device === AGENT ? AGENT : (room.devices[one.device]?.role ?? one.device);
  const what = t('faults.what', { device: named(role, room.devices[one.device]?.name), fault: faultWord(one.fault) });
  const said = current.said[one.room]?.[one.device] ?? [];
  const everywhere = one.room === EVERYWHERE;
  return (
    <li class="row">
      {everywhere ? <p><b>{t('faults.everywhere')}</b><br /><small>{what}</small></p> : <RoomPlate center={centerOf(one.room)} name={room.name}>{what}</RoomPlate>}
      <div class="see second">
        <p>{expected(role, one.fault)} {everywhere ? null : <Links id={one.room} data={data} />}</p>
        {said.map((of) => <Told key={JSON.stringify(of)} of={of} />)}
      </div>
      <div class="end"><Button onPress={() => change({ ...one, on: false })}>{t('faults.end')}</Button></div>
    </li>
  );
}

/** What the room says of the device now: what it means, what to do, who can. */
function Told({ of }: { of: Notice }) {
  const step = nextStep(of);
  return <p class="told">{notice(of)} {step === null ? null : <><b>{step.words}</b> <small>{whoWords(step.who)}.</small></>}</p>;
}

/** Where to look. */
export function Links({ id, data }: { id: string; data: FaultsData }) {
  return (
    <>
      {data.dashboard === undefined ? null : <a href={`${data.dashboard}/rooms/${id}`} target="_blank" rel="noopener">{t('faults.see.dashboard')}</a>}
      {data.dashboard === undefined || data.agents === undefined ? null : ' · '}
      {data.agents === undefined ? null : <a href={`${data.agents}/rooms/${id}/panel`} target="_blank" rel="noopener">{t('faults.see.panel')}</a>}
    </>
  );
}

/** Servers on which several rooms rest. */
function Everywhere({ current, rooms }: { current: FaultsState; rooms: Rooms }) {
  const all = rooms[EVERYWHERE];
  if (all === undefined) return null;
  return (
    <details>
      <summary class="label">{t('faults.everywhere')}</summary>
      <p class="second">{t('faults.everywhere_words')}</p>
      <AllFaults id={EVERYWHERE} room={all} current={current} />
    </details>
  );
}

function Pick({ current, rooms, data }: { current: FaultsState; rooms: Rooms; data: FaultsData }) {
  const broken = new Set(allActive(current).map((one) => one.room));
  const picked = current.picked === null ? undefined : rooms[current.picked];
  return (
    <div class="pick">
      <nav aria-label={t('faults.rooms')}>
        <h2 class="title">{t('faults.pick')}</h2>
        <div class="centers">
          {byCenter(rooms).map(([center, ids]) => (
            <div key={center} class="center">
              <Code center={center} />
              <div class="chips">
                {ids.map((id) => (
                  <button key={id} type="button" class={broken.has(id) ? 'chip degraded' : 'chip'} aria-pressed={id === current.picked} onClick={() => dispatch({ type: 'pick', room: id })}>
                    {broken.has(id) ? <Glyph name="st-degraded" /> : null}
                    {rooms[id]?.name}
                    {broken.has(id) ? <span class="vh">, {t('faults.broken')}</span> : null}
                  </button>
                ))}
              </div>
            </div>
          ))}
        </div>
        <label class="field compact">
          {t('faults.pick')}
          <select class="select" value={current.picked ?? ''} onChange={(event) => dispatch({ type: 'pick', room: event.currentTarget.value })}>
            {byCenter(rooms).map(([center, ids]) => (
              <optgroup key={center} label={rooms[ids[0] ?? '']?.center ?? center.toUpperCase()}>{ids.map((id) => <option key={id} value={id}>{rooms[id]?.name}</option>)}</optgroup>
            ))}
          </select>
        </label>
        <Everywhere current={current} rooms={rooms} />
      </nav>
      {picked === undefined || current.picked === null ? null : (
        <section aria-labelledby="room">
          <header class="picked"><RoomPlate as="h2" big center={centerOf(current.picked)} name={picked.name}>{picked.center}</RoomPlate><p><Icon name="go" /><Links id={current.picked} data={data} /></p></header>
          <Breakables id={current.picked} room={picked} current={current} />
        </section>
      )}
    </div>
  );
}
