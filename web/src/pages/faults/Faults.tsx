/** Pick a room, break something, look at the dashboard and the tablet, mend it. */
import { Button } from '../../components/Button';
import { Glyph, Icon } from '../../components/Icon';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { Note } from '../../components/Notice';
import { Code, RoomPlate } from '../../components/RoomPlate';
import { Toasts } from '../../components/Toast';
import { t } from '../../i18n';
import { Breakables } from './Breakables';
import { AGENT, type Active, allActive, byCenter, centerOf, type FaultsState, type Rooms } from './state';
import { change, dispatch, state } from './store';
import { deviceWord, expected, faultWord } from './words';

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
        <Now current={current} data={data} />
        {current.rooms === null ? <p>{t('faults.waiting')}</p> : <Pick current={current} rooms={current.rooms} data={data} />}
      </main>
      <Toasts />
    </>
  );
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
  return (
    <li class="row">
      <RoomPlate center={centerOf(one.room)} name={room.name}>{t('faults.what', { device: deviceWord(role), fault: faultWord(one.fault) })}</RoomPlate>
      <p class="see second">{expected(role, one.fault)} <Links id={one.room} data={data} /></p>
      <div class="end"><Button onPress={() => change({ ...one, on: false })}>{t('faults.end')}</Button></div>
    </li>
  );
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
