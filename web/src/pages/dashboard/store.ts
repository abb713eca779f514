/** The page's connection to the live dashboard, and what follows from it. */
import { computed } from '@preact/signals';
import { now } from '../../clock';
import { Live } from '../../live';
import type { DashboardView } from '../../wire';

/** Connect. Both IT pages show the same document. */
export function connect() {
  const live = new Live<DashboardView>('/api/v1/live?topic=dashboard');
  const lostSince = computed(() => (live.state.value.kind === 'lost' ? live.state.value.since : null));
  /** Whole seconds, so that nothing is drawn again more often. */
  const second = computed(() => Math.floor(now.value));
  return { view: live.data, heardAt: live.heardAt, state: live.state, lostSince, second };
}

export type Connected = ReturnType<typeof connect>;
