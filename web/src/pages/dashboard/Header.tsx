/** The bar above IT's pages: where one is, how old the page's data is, the language. */
import type { ComponentChildren } from 'preact';
import { Note } from '../../components/Notice';
import { LanguageSwitch } from '../../components/LanguageSwitch';
import { ago, clock, t } from '../../i18n';
import { now } from '../../clock';
import type { Connected } from './store';

export function Header({ connected, children }: { connected: Connected; children: ComponentChildren }) {
  return (
    <header class="nav top">
      <a class="skip" href="#content">{t('page.skip')}</a>
      {children}
      <div class="end"><Freshness connected={connected} /><LanguageSwitch /></div>
    </header>
  );
}

function Freshness({ connected }: { connected: Connected }) {
  const heard = connected.heardAt.value;
  if (connected.state.value.kind !== 'live' || heard === null) return null;
  return <p class="age">{t('dashboard.fresh', { ago: ago(Math.floor(now.value - heard)) })}</p>;
}

/** Told plainly when the server does not answer: what is shown is then old. */
export function ServerLost({ connected }: { connected: Connected }) {
  const state = connected.state.value;
  switch (state.kind) {
    case 'live':
      return null;
    case 'connecting':
      return <p class="second" role="status">{t('dashboard.connecting')}</p>;
    case 'lost':
      return <Note state="unknown" urgent><b>{t('dashboard.lost', { since: clock(state.since) })}</b> {t('dashboard.lost_do')}</Note>;
  }
}
