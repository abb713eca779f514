/** How every page starts: read its data, fetch its language, set the clock, render. */
import { render, type ComponentChild } from 'preact';
import { setServerClock, startClock } from './clock';
import { speak } from './i18n';

interface Island {
  readonly page: string;
  readonly language: string;
  readonly now: number; // server's clock when the page was rendered, Unix seconds
  readonly data: unknown;
}

/** Render `view` of the page's data into `#app`, once its language is there. */
// The page says what its data is; the island cannot know.
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters
export async function start<T>(view: (data: T) => ComponentChild): Promise<void> {
  const island = JSON.parse(document.getElementById('data')?.textContent ?? '') as Island;
  setServerClock(island.now, arrived());
  startClock();
  await speak(island.language);
  const root = document.getElementById('app');
  if (root !== null) render(view(island.data as T), root);
}

/** When the page's first byte came, Unix ms. */
function arrived(): number {
  const [navigation] = performance.getEntriesByType('navigation');
  const sinceStart = navigation instanceof PerformanceNavigationTiming ? navigation.responseStart : 0;
  return performance.timeOrigin + sinceStart;
}
