/** Which screen is shown, and the sheets over it. */
import { LinkLine } from '../../components/LinkLine';
import { Toasts } from '../../components/Toast';
import { t } from '../../i18n';
import { Call } from './Call';
import { Idle } from './Idle';
import { Incoming } from './Incoming';
import { Meeting } from './Meeting';
import { Outgoing } from './Outgoing';
import { screenOf } from './screen';
import { Sheets } from './Sheets';
import type { PanelState } from './state';
import { state } from './store';

export function Panel() {
  const current = state.value;
  return (
    <>
      <Screen current={current} />
      <Sheets current={current} />
      <Toasts />
    </>
  );
}

function Screen({ current }: { current: PanelState }) {
  const { view, sheet } = current;
  if (view === null) return <Reaching lost={current.reach === 'lost'} />;
  if (sheet.kind === 'call') return <Call current={current} view={view} sheet={sheet} />;
  switch (screenOf(view)) {
    case 'idle':
      return <Idle current={current} view={view} />;
    case 'outgoing':
      return <Outgoing current={current} view={view} />;
    case 'incoming':
      return <Incoming current={current} view={view} />;
    case 'meeting':
      return <Meeting current={current} view={view} />;
  }
}

/** Before the first document. */
function Reaching({ lost }: { lost: boolean }) {
  return (
    <main class="panel lone">
      <LinkLine state={lost ? 'lost' : 'calling'} />
      <h1>{t(lost ? 'panel.lost.title' : 'panel.reaching')}</h1>
      {lost ? <p class="second">{t('panel.lost.words')}</p> : null}
    </main>
  );
}
