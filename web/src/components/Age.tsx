/** How old a fact is, counted by the server's clock. Every number carries its age. */
import { now } from '../clock';
import { ago, clock, t } from '../i18n';

/** `at` in Unix seconds; null says that it was never heard. */
export function Age({ at }: { at: number | null | undefined }) {
  if (at === null || at === undefined) return <span class="age">{t('time.never')}</span>;
  return <time class="age" dateTime={new Date(at * 1000).toISOString()} title={clock(at)}>{ago(now.value - at)}</time>;
}
