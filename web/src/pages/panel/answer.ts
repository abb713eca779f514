/** The one sentence about this room that the idle panel says first: fine or not, why, and what to do. */

import type { State } from '../../components/StateWord';
import { given } from '../../given';
import { VERDICT_LASTS } from '../../health';
import { type Key, nextStep } from '../../i18n';
import type { Health, Notice, PanelView, Problem } from '../../wire';
import type { Reach } from './state';

export interface Answer {
  state: State;
  title: Key;
  /** Own words of the panel, where no verdict gives them. */
  words: Key | null;
  because: Notice | null;
  next: Notice | null;
  /** The next step is not for who stands here: what works is said instead. */
  others: boolean;
  who: string;
  problem: Problem | null;
  /** When the oldest fact behind it was seen, Unix seconds. */
  checkedAt: number | null;
  /** Why no call can start now; null when one can. */
  cannotCall: Key | null;
}


const TITLES: Record<Health, Key> = {
  ready: 'panel.state.ready',
  degraded: 'panel.state.degraded',
  unusable: 'panel.state.unusable',
  unknown: 'panel.state.unknown',
  maintenance: 'panel.state.maintenance',
};

/** The server refuses calls from such a room. */
const CANNOT: Partial<Record<Health, Key>> = { maintenance: 'panel.cannot.maintenance', unusable: 'panel.cannot.unusable' };

const none = { words: null, because: null, next: null, others: false, who: '', problem: null, checkedAt: null, cannotCall: null };

function fromVerdict(view: PanelView, now: number): Answer {
  const verdict = view.verdict;
  if (!given(verdict)) {
    return { ...none, state: 'unknown', title: 'panel.state.unknown', words: 'panel.state.not_yet' };
  }
  const checkedAt = verdict.observed_at ?? null;
  if (checkedAt !== null && now - checkedAt > VERDICT_LASTS) {
    return { ...none, state: 'unknown', title: 'panel.state.unknown', words: 'panel.state.old', checkedAt };
  }
  const next = verdict.health === 'ready' ? null : (verdict.next_step ?? null); // what a ready room has to say is for IT
  const others = next !== null && (nextStep(next)?.who ?? 'anyone') !== 'anyone';
  return {
    ...none,
    state: verdict.health,
    title: TITLES[verdict.health],
    because: verdict.because?.[0] ?? null,
    next: others ? null : next,
    others,
    who: verdict.health === 'ready' ? '' : (verdict.who ?? ''),
    checkedAt,
    cannotCall: CANNOT[verdict.health] ?? null,
  };
}

/** What the idle panel says of its room at `now` (Unix seconds). */
export function answerOf(view: PanelView, reach: Reach, now: number): Answer {
  if (reach === 'lost') {
    return { ...none, state: 'unknown', title: 'panel.lost.title', words: 'panel.lost.words', cannotCall: 'panel.cannot.lost' };
  }
  if (view.phase === 'releasing') {
    return { ...none, state: 'live', title: 'panel.state.releasing', words: 'panel.state.releasing_words', cannotCall: 'panel.cannot.releasing' };
  }
  if (!(view.server ?? false)) {
    const problem = view.server_problem ?? null;
    return { ...none, state: 'unknown', title: 'panel.server.title', words: 'panel.server.words', problem, cannotCall: 'panel.cannot.server' };
  }
  if (view.phase === 'maintenance') {
    return { ...fromVerdict(view, now), state: 'maintenance', title: 'panel.state.maintenance', cannotCall: 'panel.cannot.maintenance' };
  }
  return fromVerdict(view, now);
}
