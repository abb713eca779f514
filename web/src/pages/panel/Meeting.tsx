/** In a meeting: who is there, the camera, what this room does, and the bar that never moves. */
import { Button } from '../../components/Button';
import { Icon } from '../../components/Icon';
import { StateWord } from '../../components/StateWord';
import { now } from '../../clock';
import { clock, duration, t } from '../../i18n';
import type { PanelView } from '../../wire';
import { Bar } from './Bar';
import { CameraColumn } from './CameraColumn';
import { named } from './directory';
import { LanguageKey } from './Language';
import { People } from './People';
import { RefusalLine } from './Refusal';
import { RoomColumn } from './RoomColumn';
import { otherRooms } from './screen';
import type { PanelState } from './state';
import { dispatch } from './store';

export function Meeting({ current, view }: { current: PanelState; view: PanelView }) {
  return (
    <div class="panel meet">
      <header class="head">
        <div class="who">
          <h1 class="title">{titleOf(view)}</h1>
          <Since current={current} view={view} />
        </div>
        <Button kind="quiet" onPress={() => dispatch({ type: 'open', sheet: { kind: 'end' } })}>{t('panel.end')}</Button>
        <Button kind="quiet" onPress={() => dispatch({ type: 'open', sheet: { kind: 'help' } })}><Icon name="help" />{t('panel.help')}</Button>
        <LanguageKey />
        <time class="title num" dateTime={clock(now.value)}>{clock(now.value)}</time>
      </header>
      <RefusalLine current={current} view={view} />
      <main class="cols">
        <People view={view} />
        <CameraColumn current={current} view={view} />
        <RoomColumn current={current} view={view} />
      </main>
      <Bar current={current} view={view} />
    </div>
  );
}

/** The meeting's title, or with whom it is. */
function titleOf(view: PanelView): string {
  if (view.meeting?.title) return view.meeting.title;
  const others = otherRooms(view).filter((room) => room.call === 'joined' || room.call === 'preparing' || room.call === 'lost');
  const [first] = others;
  if (first === undefined) return t('panel.meeting');
  const room = named(view, first.id).name;
  return others.length === 1 ? t('panel.meeting_with', { room }) : t('panel.meeting_with_more', { room, count: others.length - 1 });
}

/** How long it lasts; a lost server takes this place, as nothing may move for it. */
function Since({ current, view }: { current: PanelState; view: PanelView }) {
  const lost = current.reach === 'lost' ? t('panel.lost.in_meeting') : (view.server ?? false) ? null : t(view.media?.connected ? 'panel.server.in_meeting' : 'panel.server.trying');
  if (lost !== null) return <p class="since" role="alert"><StateWord state="unknown" word={lost} /></p>;
  const since = view.meeting?.started_at ?? view.phase_since;
  return <p class="second num since">{view.phase === 'preparing' ? t('panel.preparing') : t('panel.meeting_since', { duration: duration(now.value - since) })}</p>;
}
