/** A room that needs someone: what, what to do, who can, and whom it hurts now. */
import { Age } from '../../components/Age';
import { Code } from '../../components/RoomPlate';
import { Glyph, Icon } from '../../components/Icon';
import { stateClass, stateGlyph, stateWord } from '../../components/StateWord';
import { clock, notice, t } from '../../i18n';
import { askedHelp, type Row } from './board';
import { doing } from './phase';

export function ActRow({ row }: { row: Row }) {
  const { room, center, state } = row;
  const { verdict } = room;
  const href = `/dashboard/rooms/${encodeURIComponent(room.room.id)}`;
  return (
    <li class={`act ${stateClass(state)}`}>
      <Glyph name={stateGlyph(state)} />
      <div class="what">
        <h3><Code center={center.id} /><a href={href}>{room.room.name}</a> <span class="w">{stateWord(state)}</span><Age at={row.silentSince ?? verdict.observed_at} /></h3>
        {askedHelp(row) ? <Help row={row} /> : null}
        <Because row={row} />
        <NextStep row={row} />
      </div>
      <div class="do">
        <a class="btn quiet" href={href}>{t('dashboard.open')}<span class="vh">, {room.room.name}</span></a>
        <p class="second num">{doing(room)}</p>
      </div>
    </li>
  );
}

/** Why a room is in its state; when its facts are old, that is why. */
export function Because({ row }: { row: Row }) {
  if (row.silentSince !== null) return <p>{t('dashboard.stale', { since: clock(row.silentSince) })}</p>;
  return <p>{(row.room.verdict.because ?? []).map(notice).join(' ')}</p>;
}

/** What to do next, and who can. */
export function NextStep({ row }: { row: Row }) {
  const { next_step: step, who = '' } = row.room.verdict;
  if (row.silentSince !== null || step === null || step === undefined) return null;
  return <p class="nx"><Icon name="go" /><span><b>{notice(step)}</b> {who}</span></p>;
}

/** Someone in the room asked for help. */
export function Help({ row }: { row: Row }) {
  const { help_asked_at: at, help_text: text = '' } = row.room;
  if (typeof at !== 'number') return null;
  return <p class="help"><Icon name="help" /><span><b>{t('dashboard.help_asked', { at: clock(at) })}</b> {text === '' ? '' : t('dashboard.help_said', { text })}</span></p>;
}
