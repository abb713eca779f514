/** The dashboard: how many rooms need someone, which first, what to do; then every room by center. */
import { useReducer } from 'preact/hooks';
import { Glyph, Icon } from '../../components/Icon';
import { Toasts } from '../../components/Toast';
import { stateClass, stateGlyph } from '../../components/StateWord';
import { isBlind } from '../../health';
import { clock, day, t } from '../../i18n';
import { ActRow } from './ActRow';
import { board, EVERYTHING, narrow, passes, STATES, type Board, type Filter, type FilterEvent } from './board';
import { Header, ServerLost } from './Header';
import { CenterTiles } from './Tiles';
import type { Connected } from './store';

export function Dashboard({ connected }: { connected: Connected }) {
  const [filter, send] = useReducer(narrow, EVERYTHING);
  const view = connected.view.value;
  const now = connected.second.value;
  const shown = view === null ? null : board(view, now, connected.lostSince.value);
  return (
    <>
      <Header connected={connected}>
        <a class="brand" href="/"><Glyph name="mark" />roomctl</a>
        <nav aria-label={t('dashboard.nav')}><ul><li><a href="/dashboard" aria-current="page">{t('dashboard.rooms')}</a></li></ul></nav>
      </Header>
      <main class="page" id="content">
        <ServerLost connected={connected} />
        {shown === null ? <h1 class="vh">{t('title.dashboard')}</h1> : <Whole board={shown} filter={filter} send={send} now={now} blind={isBlind(now, connected.lostSince.value)} />}
      </main>
      <Toasts />
    </>
  );
}

interface WholeProps {
  board: Board;
  blind: boolean; // the server is gone: the rooms may all be well
  filter: Filter;
  send: (event: FilterEvent) => void;
  now: number;
}

function Whole({ board: all, filter, send, now, blind }: WholeProps) {
  const act = blind ? [] : all.act.filter((row) => passes(filter, row));
  const narrowed = filter !== EVERYTHING && (filter.text !== '' || filter.center !== null || filter.state !== null);
  return (
    <>
      <div class="sum">
        <div>
          <h1>{blind ? t('dashboard.blind') : all.act.length === 0 ? t('dashboard.all_well') : t('dashboard.to_do', { count: all.act.length })}</h1>
          <p class="second num">
            {t('dashboard.size', { rooms: t('dashboard.n_rooms', { count: all.rooms }), centers: t('dashboard.n_centers', { count: all.centers.length }) })} {day(now)}, {clock(now)}
          </p>
        </div>
        <div class="chips" role="group" aria-label={t('dashboard.by_state')}>
          {STATES.map((state) => (
            <button key={state} type="button" class={`chip ${stateClass(state)}`} aria-pressed={filter.state === state} onClick={() => send({ kind: 'state', state })}>
              <Glyph name={stateGlyph(state)} /><b>{all.counts[state]}</b>{t(`count.${state}`, { count: all.counts[state] })}
            </button>
          ))}
        </div>
      </div>
      <div class="cols">
        <section aria-labelledby="act">
          <h2 id="act">{t('dashboard.act')}</h2>
          {act.length > 0 ? <ol class="rows">{act.map((row) => <ActRow key={row.room.room.id} row={row} />)}</ol> : null}
          {act.length === 0 ? <p class="second">{t(blind ? 'dashboard.blind_text' : narrowed ? 'dashboard.none_here' : 'dashboard.nothing')}</p> : null}
        </section>
        <section aria-labelledby="all">
          <h2 id="all">{t('dashboard.all')}</h2>
          <Tools board={all} filter={filter} send={send} />
          <Centers board={all} filter={filter} send={send} now={now} />
        </section>
      </div>
    </>
  );
}

function Tools({ board: all, filter, send }: Pick<WholeProps, 'board' | 'filter' | 'send'>) {
  return (
    <div class="tools">
      <div class="with-icon">
        <label class="vh" for="q">{t('dashboard.search')}</label>
        <Icon name="search" />
        <input class="input" id="q" type="search" autocomplete="off" maxLength={60} placeholder={t('dashboard.search_hint')} value={filter.text} onInput={(event) => send({ kind: 'typed', text: event.currentTarget.value })} />
      </div>
      <label class="vh" for="c">{t('dashboard.center')}</label>
      <select class="select" id="c" value={filter.center ?? ''} onChange={(event) => send({ kind: 'center', center: event.currentTarget.value === '' ? null : event.currentTarget.value })}>
        <option value="">{t('dashboard.every_center')}</option>
        {all.centers.map(({ center }) => <option key={center.id} value={center.id}>{center.name}</option>)}
      </select>
    </div>
  );
}

function Centers({ board: all, filter, send, now }: Omit<WholeProps, 'blind'>) {
  const centers = all.centers.map((center) => ({ center, rows: center.rows.filter((row) => passes(filter, row)) })).filter(({ rows }) => rows.length > 0);
  if (centers.length > 0) return <>{centers.map(({ center, rows }) => <CenterTiles key={center.center.id} center={center} rows={rows} now={now} />)}</>;
  return (
    <p class="second" role="status">
      {t('dashboard.no_match')} <button type="button" class="btn quiet" onClick={() => send({ kind: 'cleared' })}>{t('dashboard.show_all')}</button>
    </p>
  );
}
