/** Whom to call: a center, a room, go. The nearest center is open at once. */
import { Icon } from '../../components/Icon';
import { Code, RoomPlate } from '../../components/RoomPlate';
import { type State, StateWord, stateWord } from '../../components/StateWord';
import { notice, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { type CallCenter, type CallRoom, callCenters, type Named, named, type Standing } from './directory';
import { LanguageKey } from './Language';
import { RefusalLine } from './Refusal';
import type { PanelState, Sheet } from './state';
import { ask, dispatch } from './store';

type CallSheet = Extract<Sheet, { kind: 'call' }>;

interface Props {
  current: PanelState;
  view: PanelView;
  sheet: CallSheet;
}

export function Call({ current, view, sheet }: Props) {
  const centers = callCenters(view, sheet.query);
  const open = centers.find((center) => center.id === sheet.center) ?? centers[0];
  const title = t(sheet.adding ? 'panel.add.title' : 'panel.call');
  return (
    <div class="panel call">
      <header class="head">
        <button type="button" class="btn quiet tall" onClick={() => dispatch({ type: 'close' })}><Icon name="back" />{t('panel.back')}</button>
        <h1 class="title">{title}</h1>
        <div class="with-icon">
          <label class="vh" for="q">{t('panel.search')}</label>
          <Icon name="search" />
          <input
            class="input" id="q" type="search" autocomplete="off" maxLength={60} placeholder={t('panel.search_hint')} value={sheet.query}
            onInput={(event) => dispatch({ type: 'query', query: event.currentTarget.value })}
          />
        </div>
        <LanguageKey tall />
      </header>
      <RefusalLine current={current} view={view} />
      <main class="cols">
        <nav class="centers" aria-label={t('panel.centers')}>
          {centers.map((center) => <CenterKey key={center.id} center={center} open={center === open} />)}
        </nav>
        <section class="rooms" aria-labelledby="choose" tabIndex={0}>
          {open === undefined ? <p id="choose" class="second">{t('panel.search_none')}</p> : <Rooms center={open} chosen={sheet.chosen} />}
        </section>
      </main>
      <GoBar view={view} sheet={sheet} centers={centers} reachable={current.reach === 'open' && (view.server ?? false)} />
    </div>
  );
}

/** Its rooms come into sight, where they stand below the centers. */
function choose(center: string): void {
  dispatch({ type: 'center', center });
  requestAnimationFrame(() => document.getElementById('choose')?.scrollIntoView());
}

function CenterKey({ center, open }: { center: CallCenter; open: boolean }) {
  return (
    <button type="button" class="center-key" aria-pressed={open} onClick={() => choose(center.id)}>
      <Code center={center.id} />
      <span>
        <b>{center.name}</b>
        <small>{center.callable === 0 ? t('panel.rooms_none') : t('panel.rooms_ready', { count: center.callable, total: center.rooms.length })}</small>
      </span>
      <span class="km num">{center.own ? t('panel.here') : t('panel.km', { n: center.km })}</span>
    </button>
  );
}

function Rooms({ center, chosen }: { center: CallCenter; chosen: readonly string[] }) {
  return (
    <>
      <h2 id="choose" class="label">{t('panel.choose', { center: center.name })}</h2>
      <div class="rows">
        {center.rooms.map((room) => <RoomChoice key={room.id} room={room} chosen={chosen.includes(room.id)} />)}
      </div>
    </>
  );
}

const STATE: Record<Standing, State> = {
  ready: 'ready', degraded: 'degraded', busy: 'live', offline: 'unknown', unusable: 'unusable', unknown: 'unknown', maintenance: 'maintenance', here: 'live',
};

function standingWord(standing: Standing): string {
  switch (standing) {
    case 'here':
      return t('panel.standing.here');
    case 'offline':
      return t('panel.standing.offline');
    case 'ready':
    case 'degraded':
    case 'busy':
    case 'unusable':
    case 'unknown':
    case 'maintenance':
      return stateWord(STATE[standing]);
  }
}

/** Why not, and which room to take instead. */
function why(room: CallRoom): string {
  const because = room.because === null ? '' : notice(room.because);
  const instead = room.instead === null ? '' : t('panel.instead', { room: room.instead });
  return [because, instead].filter(Boolean).join(' ');
}

function RoomChoice({ room, chosen }: { room: CallRoom; chosen: boolean }) {
  return (
    <label class={room.callable ? 'room-choice' : 'room-choice no'}>
      <input type="checkbox" checked={chosen} disabled={!room.callable} onChange={() => dispatch({ type: 'room', room: room.id })} />
      <span>
        <b>{room.name}</b>
        <span class="why">{t('panel.seats', { count: room.seats })}</span>
      </span>
      <span class="what">
        <StateWord state={STATE[room.standing]} word={standingWord(room.standing)} />
        <span class="why">{why(room)}</span>
      </span>
    </label>
  );
}

/** Plates the bar has place for. */
const SHOWN = 2;

function GoBar({ view, sheet, centers, reachable }: { view: PanelView; sheet: CallSheet; centers: CallCenter[]; reachable: boolean }) {
  const rooms = sheet.chosen.map((id) => named(view, id));
  const shown = rooms.slice(0, rooms.length > SHOWN ? 1 : SHOWN);
  const more = rooms.length - shown.length;
  return (
    <section class="bar go-bar" aria-label={t('panel.to_call')}>
      <RoomPlate center={view.center.id} name={view.room.name}>{t('panel.your_room')}</RoomPlate>
      <span class="link-line" aria-hidden="true" />
      {rooms.length === 0 ? <p class="second">{t('panel.choose_first')}</p> : null}
      {shown.map((room) => <RoomPlate key={room.id} center={room.center} name={room.name}>{place(room, centers)}</RoomPlate>)}
      {more > 0 ? <span class="second">{t('panel.more_rooms', { count: more })}</span> : null}
      <button
        type="button"
        class="btn go start"
        aria-disabled={rooms.length === 0 || !reachable ? 'true' : undefined}
        onClick={() => {
          if (rooms.length > 0 && reachable) ask({ op: sheet.adding ? 'add_rooms' : 'start', rooms: sheet.chosen });
        }}
      >
        <Icon name="call" large />
        {goWord(rooms, sheet.adding)}
      </button>
    </section>
  );
}

function place(room: Named, centers: CallCenter[]): string {
  const center = centers.find(({ id }) => id === room.center);
  if (center === undefined) return room.centerName;
  return center.own ? t('panel.your_center') : t('panel.place_km', { center: room.centerName, n: center.km });
}

function goWord(rooms: readonly Named[], adding: boolean): string {
  const [first] = rooms;
  if (rooms.length === 1 && first !== undefined) return t(adding ? 'panel.add_one' : 'panel.call_one', { room: first.name });
  if (rooms.length === 0) return t(adding ? 'panel.add' : 'panel.call_some');
  return adding ? t('panel.add_many', { count: rooms.length }) : t('panel.call_many', { count: rooms.length });
}
