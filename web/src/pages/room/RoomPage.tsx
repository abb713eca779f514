/** A room for IT: its verdict and why, the next step, and what each device last said. */
import { Age } from '../../components/Age';
import { Glyph, Icon } from '../../components/Icon';
import { RoomPlate } from '../../components/RoomPlate';
import { StateWord, stateClass, stateGlyph, stateWord } from '../../components/StateWord';
import { Toasts } from '../../components/Toast';
import { shown } from '../../health';
import { clock, t } from '../../i18n';
import type { DashboardView } from '../../wire';
import { Because, Help, NextStep } from '../dashboard/ActRow';
import type { Row } from '../dashboard/board';
import { Header, ServerLost } from '../dashboard/Header';
import { doing } from '../dashboard/phase';
import type { Connected } from '../dashboard/store';
import { Devices } from './Devices';

export function RoomPage({ connected, room }: { connected: Connected; room: string }) {
  const view = connected.view.value;
  const now = connected.second.value;
  const row = view === null ? null : rowOf(view, room, now, connected.lostSince.value);
  return (
    <>
      <Header connected={connected}><a href="/dashboard"><Icon name="back" />{t('room.back')}</a></Header>
      <main class="page" id="content">
        <ServerLost connected={connected} />
        {row === null ? <h1 class="title">{view === null ? t('title.room') : t('message.room_unknown.what')}</h1> : <Whole row={row} now={now} />}
      </main>
      <Toasts />
    </>
  );
}

function rowOf(view: DashboardView, id: string, now: number, lostSince: number | null): Row | null {
  const room = view.rooms?.[id];
  const center = view.centers?.[room?.room.center ?? '']?.center;
  return room === undefined || center === undefined ? null : { room, center, ...shown(room, now, lostSince) };
}

function Whole({ row, now }: { row: Row; now: number }) {
  const { room } = row.room;
  return (
    <>
      <div class="hero">
        <div>
          <RoomPlate center={room.center} name={room.name} big as="h1">
            {row.center.name}, {t('room.seats', { count: room.seats })}, {t(`equipment.${room.equipment ?? 'meeting'}`)}
          </RoomPlate>
          <Verdict row={row} />
          <Facts row={row} />
        </div>
        <About row={row} />
      </div>
      <Devices row={row} now={now} />
    </>
  );
}

function Verdict({ row }: { row: Row }) {
  const { verdict } = row.room;
  const well = row.state === 'ready' || row.state === 'live';
  return (
    <section class={`verdict ${stateClass(row.state)}`} aria-label={t('room.verdict')}>
      <Glyph name={stateGlyph(row.state)} />
      <div>
        <h2>{stateWord(row.state)} <Age at={row.silentSince ?? verdict.observed_at} /></h2>
        {well ? <p>{t((verdict.because ?? []).length === 0 ? 'room.well' : 'room.well_but')}</p> : null}
        <Because row={row} />
        <Help row={row} />
        <NextStep row={row} />
      </div>
    </section>
  );
}

/** Whom it concerns now. */
function Facts({ row }: { row: Row }) {
  const { room } = row;
  const busy = room.phase === 'in_meeting';
  return (
    <ul class="facts num">
      <li>{busy ? <StateWord state="live" /> : <b>{doing(room)}</b>}<span>{busy && typeof room.meeting_since === 'number' ? t('room.since', { since: clock(room.meeting_since) }) : t('room.phase')}</span></li>
      <li><b>{t(room.agent_online === true ? 'room.online' : 'room.offline')}</b><span>{t('room.computer')}, <Age at={room.agent_seen} /></span></li>
      {typeof room.verdict.since === 'number' ? <li><b>{t('room.since', { since: clock(room.verdict.since) })}</b><span>{t('room.this_state')}</span></li> : null}
    </ul>
  );
}

function About({ row }: { row: Row }) {
  const facts: readonly (readonly [string, string | undefined])[] = [
    [t('room.contact'), row.center.contact],
    [t('room.operator'), row.center.operator],
    [t('room.software'), row.room.software],
    [t('room.id'), row.room.room.id],
  ];
  return (
    <section class="about" aria-labelledby="about">
      <h2 class="label" id="about">{t('room.about')}</h2>
      <dl>{facts.filter(([, value]) => value !== undefined && value !== '').map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
    </section>
  );
}
