/** At rest: the time, which room this is, whether it is fine, and how to start. */
import { Icon } from '../../components/Icon';
import { RoomPlate } from '../../components/RoomPlate';
import { type State, StateWord } from '../../components/StateWord';
import { now } from '../../clock';
import { VERDICT_LASTS } from '../../health';
import { clock, day, type Key, t } from '../../i18n';
import type { DisplayView, Health } from '../../wire';
import { cutOff } from './store';

export function Idle({ document }: { document: DisplayView }) {
  const answer = answerOf(document, cutOff.value, now.value);
  return (
    <>
      <header class="hd">
        <RoomPlate as="h1" center={document.center.id} name={document.room.name}>
          {t('display.place', { center: document.center.name, seats: document.room.seats })}
        </RoomPlate>
        <p class="answer"><StateWord state={answer.state} word={answer.words} /></p>
      </header>
      <main class="mid">
        <div>
          <time class="clock num" dateTime={clock(now.value)}>{clock(now.value)}</time>
          <p class="date">{day(now.value)}</p>
        </div>
      </main>
      <footer class="ft"><Icon name="link" /><p>{t(howToStart(document, cutOff.value))}</p></footer>
    </>
  );
}

/** What to do, or why nothing can be done now. */
function howToStart(document: DisplayView, cut: boolean): Key {
  if (cut || !(document.server ?? false)) return 'display.no_server';
  if (document.phase === 'releasing') return 'display.releasing';
  return document.phase === 'maintenance' ? 'display.maintenance' : 'display.start';
}

const WORDS: Record<Health, Key> = {
  ready: 'display.ready', degraded: 'state.degraded', unusable: 'state.unusable', unknown: 'state.unknown', maintenance: 'state.maintenance',
};

/** The verdict with the time of its evidence; an old one is unknown. */
export function answerOf(document: DisplayView, cut: boolean, at: number): { state: State; words: string } {
  const { verdict } = document;
  const observed = verdict?.observed_at ?? null;
  const fresh = !cut && (document.server ?? false) && verdict && (observed === null || at - observed <= VERDICT_LASTS);
  if (!fresh) return { state: 'unknown', words: t('state.unknown') };
  return { state: verdict.health, words: t(WORDS[verdict.health], { at: observed === null ? '' : clock(observed) }) };
}
