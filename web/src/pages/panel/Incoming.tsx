/** Someone calls this room: who, how long it lasts or when we answer by ourselves, and that nobody sees us yet. */
import { Icon } from '../../components/Icon';
import { LinkLine } from '../../components/LinkLine';
import { Code } from '../../components/RoomPlate';
import { now } from '../../clock';
import { t } from '../../i18n';
import type { PanelView } from '../../wire';
import type { Named } from './directory';
import { LanguageKey } from './Language';
import { RefusalLine } from './Refusal';
import { incoming } from './ringing';
import { busy, type PanelState } from './state';
import { ask } from './store';

export function Incoming({ current, view }: { current: PanelState; view: PanelView }) {
  const call = incoming(view, now.value);
  if (call === null) return <div class="panel ring" />;
  const answering = busy(current, 'answer');
  const pressed = answering || busy(current, 'decline');
  const count = call.answersIn ?? call.left;
  return (
    <div class="panel ring">
      <header class="pad top">
        <h1 class="big-t">{t('panel.calls_you', { room: call.caller.name })}</h1>
        <div class="end"><LanguageKey /></div>
      </header>
      <RefusalLine current={current} view={view} />
      <main class="pad">
        <div class="ends">
          <div class="end-plate">
            <Code center={call.caller.center} />
            <b>{call.caller.name}</b>
            <span class="second">{callerPlace(call.caller)}</span>
          </div>
          <LinkLine state="calling" />
          <div class="end-plate">
            <Code center={view.center.id} />
            <b>{view.room.name}</b>
            <span class="second">{t('panel.your_room')}</span>
          </div>
        </div>
        <div class="soon">
          <span class="count num" aria-hidden="true">{count}</span>
          <div role="status">
            <p class="title">{answering ? t('panel.answering') : call.answersIn === null ? t('panel.rings_for', { count }) : t('panel.answers_in', { count })}</p>
            <p class="second">{t(call.answersIn === null ? 'panel.unseen' : 'panel.unseen_until', { room: view.room.name })}</p>
          </div>
        </div>
      </main>
      <nav class="acts" aria-label={t('panel.actions')}>
        <button type="button" class="btn go answer" aria-disabled={pressed ? 'true' : undefined} onClick={() => pressed || ask({ op: 'answer' })}>
          <Icon name="call" large />{t(call.answersIn === null ? 'panel.answer' : 'panel.answer_now')}
        </button>
        <button type="button" class="btn stop decline" aria-disabled={pressed ? 'true' : undefined} onClick={() => pressed || ask({ op: 'decline' })}>
          <Icon name="leave" large />{t('panel.decline')}
        </button>
      </nav>
    </div>
  );
}

const callerPlace = (caller: Named): string =>
  caller.seats === null ? caller.centerName : t('panel.place', { center: caller.centerName, seats: caller.seats });
