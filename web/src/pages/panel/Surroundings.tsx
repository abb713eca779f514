/** What the room's sensors say, and how long ago: for those who choose a room, or sit in stale air. */
import { Age } from '../../components/Age';
import { Icon } from '../../components/Icon';
import { number, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { type Surroundings as Said, surroundings } from './equipment';

/** ppm of CO2 above which a room wants fresh air. */
const STALE_AIR = 1000;

export function Surroundings({ view }: { view: PanelView }) {
  const said = surroundings(view);
  if (said === null) return null;
  const people = peopleWord(said);
  const air = said.co2 === null ? null : t(said.co2 > STALE_AIR ? 'panel.air.co2_high' : 'panel.air.co2', { n: number(said.co2) });
  const warmth = said.temperature === null ? null : t('panel.air.temperature', { n: number(said.temperature) });
  return (
    <p class="air num" aria-label={t('panel.air.name')} role="group">
      {people === null ? null : <span><Icon name="people" />{people}</span>}
      {warmth === null && air === null ? null : <span><Icon name="air" />{[warmth, air].filter((part) => part !== null).join(', ')}</span>}
      {said.at === null ? <span><Icon name="air" />{t('panel.air.silent')}</span> : <Age at={said.at} />}
    </p>
  );
}

function peopleWord({ occupied, people }: Said): string | null {
  if (people !== null && people > 0) return t('panel.air.people', { count: people });
  if (occupied !== null) return t(occupied ? 'panel.air.somebody' : 'panel.air.nobody');
  return people === null ? null : t('panel.air.nobody');
}
