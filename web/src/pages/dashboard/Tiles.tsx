/** The rooms of one center as tiles, always in the same order. */
import { Code } from '../../components/RoomPlate';
import { Glyph } from '../../components/Icon';
import { stateClass, stateGlyph, stateWord } from '../../components/StateWord';
import { ago, duration, t } from '../../i18n';
import type { CenterRows, Row } from './board';
import { doing } from './phase';

export function CenterTiles({ center, rows, now }: { center: CenterRows; rows: readonly Row[]; now: number }) {
  const { id, name } = center.center;
  return (
    <section class="ctr" aria-label={name}>
      <h3><Code center={id} silent />{name}<span class="age">{t('dashboard.ready_of', { count: center.ready, all: center.rows.length })}</span></h3>
      <div class="grid">
        {rows.map((row) => (
          <a key={row.room.room.id} class={`rt ${stateClass(row.state)}`} href={`/dashboard/rooms/${encodeURIComponent(row.room.room.id)}`}>
            <Glyph name={stateGlyph(row.state)} /><b>{row.room.room.name}</b><small class="num">{tileText(row, now)}</small>
          </a>
        ))}
      </div>
    </section>
  );
}

/** The second line of a tile: the state's word, and what dates it. */
export function tileText(row: Row, now: number): string {
  const { verdict } = row.room;
  switch (row.state) {
    case 'live':
      return typeof row.room.meeting_since === 'number' ? t('dashboard.live_for', { duration: duration(now - row.room.meeting_since) }) : doing(row.room);
    case 'unknown': {
      const since = row.silentSince ?? verdict.since;
      return typeof since === 'number' ? t('dashboard.unknown_for', { duration: duration(now - since) }) : stateWord('unknown');
    }
    case 'maintenance':
      return stateWord('maintenance');
    case 'ready':
    case 'degraded':
    case 'unusable':
      return t('dashboard.state_age', { state: stateWord(row.state), ago: ago(now - (verdict.observed_at ?? now)) });
  }
}
